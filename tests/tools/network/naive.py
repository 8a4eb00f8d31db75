"""What NetworkPolicies let through, written again from the words of the API reference and from nothing else:
every policy becomes the set of the connections that it allows.

Slow and plain on purpose, for small clusters alone; it shares no code with the evaluator.
"""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

PORTS = (53, 80, 81, 443)
PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True)
class Dot:
    """A pod, or a host outside of the cluster (without a namespace)."""

    name: str
    space: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    ips: tuple[str, ...] = ()
    named: tuple[tuple[str, str, int], ...] = ()
    node: str = ""
    on_node: bool = False


Link = tuple[Dot, Dot, str, int]
"""From, to, protocol, port."""


@dataclass
class Town:
    """Pods, hosts outside, labels of namespaces, policies. `apart`: the plug-in knows a pod on its node's
    network from the node."""

    dots: list[Dot]
    spaces: dict[str, dict[str, str]]
    policies: list[dict[str, Any]] = field(default_factory=list)
    apart: bool = True

    def passing(self, kind: str) -> set[Link]:
        """Every connection that the policies of one kind (Ingress, Egress) allow: at that end there is none,
        or one that has it."""
        links = set(product(self.dots, self.dots, PROTOCOLS, PORTS))
        here, there = (1, 0) if kind == "Ingress" else (0, 1)
        mine = [each for each in self.policies if kind in self._kinds(each)]
        closed = {dot for policy in mine for dot in self._subjects(policy)}
        listed: set[Link] = set()
        for policy in mine:
            subjects = self._subjects(policy)
            for rule in policy["spec"].get(kind.lower()) or []:
                peers = self._peers(rule.get("from" if here else "to"), policy)
                listed |= {
                    link
                    for link in links
                    if link[here] in subjects
                    and any(self._is(peer, link[there]) for peer in peers)
                    and self._on_port(rule.get("ports"), link)
                }
        return {link for link in links if link[here] not in closed or link in listed or self._at_home(link)}

    @staticmethod
    def _at_home(link: Link) -> bool:
        """A pod cannot block access to itself, nor to and from the node it runs on."""
        one, other = link[0], link[1]
        return (
            (one == other and bool(one.space))
            or (one.on_node or other.on_node)
            and one.node == other.node
            and bool(one.node)
        )

    @staticmethod
    def _kinds(policy: dict[str, Any]) -> list[str]:
        stated: list[str] = policy["spec"].get("policyTypes") or []
        return stated or ["Ingress", *(["Egress"] if policy["spec"].get("egress") else [])]

    def _subjects(self, policy: dict[str, Any]) -> set[Dot]:
        space = policy["metadata"]["namespace"]
        return {
            dot
            for dot in self._pods()
            if dot.space == space and chosen(policy["spec"]["podSelector"], dict(dot.labels))
        }

    def _pods(self) -> list[Dot]:
        """The pods that selectors can mean."""
        return [dot for dot in self.dots if dot.space and (self.apart or not dot.on_node)]

    def _peers(self, listed: list[dict[str, Any]] | None, policy: dict[str, Any]) -> list[Any]:
        if not listed:
            return ["anything"]
        found: list[Any] = []
        for peer in listed:
            if "ipBlock" in peer:
                found.append(peer["ipBlock"])
            else:
                found += self._selected(peer, policy["metadata"]["namespace"])
        return found

    def _selected(self, peer: dict[str, Any], own: str) -> list[Dot]:
        spaces = {own}
        if "namespaceSelector" in peer:
            spaces = {
                name for name, labels in self.spaces.items() if chosen(peer["namespaceSelector"], labels)
            }
        pods = [dot for dot in self._pods() if dot.space in spaces]
        return [
            dot for dot in pods if "podSelector" not in peer or chosen(peer["podSelector"], dict(dot.labels))
        ]

    @staticmethod
    def _is(peer: Any, dot: Dot) -> bool:
        if isinstance(peer, dict):
            holes = peer.get("except") or []
            return any(
                holds(peer["cidr"], ip) and not any(holds(each, ip) for each in holes) for ip in dot.ips
            )
        return peer == "anything" or peer == dot

    @staticmethod
    def _on_port(listed: list[dict[str, Any]] | None, link: Link) -> bool:
        if not listed:
            return True
        _, to, protocol, number = link
        spelled: set[tuple[str, int]] = set()
        for each in listed:
            kind, port = each.get("protocol", "TCP"), each.get("port")
            if port is None:
                spelled |= {(kind, any_port) for any_port in PORTS}
            elif isinstance(port, str):
                spelled |= {(kind, n) for name, its, n in to.named if name == port and its == kind}
            else:
                spelled |= {(kind, n) for n in range(port, each.get("endPort", port) + 1)}
        return (protocol, number) in spelled


def chosen(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a selector chooses something with these labels."""
    if not set((selector.get("matchLabels") or {}).items()) <= set(labels.items()):
        return False
    for each in selector.get("matchExpressions") or []:
        present = {labels[each["key"]]} if each["key"] in labels else set()
        wanted = set(each.get("values") or [])
        ok = {
            "In": bool(present & wanted),
            "NotIn": not present & wanted,
            "Exists": bool(present),
            "DoesNotExist": not present,
        }
        if not ok[each["operator"]]:
            return False
    return True


def holds(cidr: str, ip: str) -> bool:
    """Whether a block holds an address, bit by bit."""
    base, _, size = cidr.partition("/")
    if (":" in base) != (":" in ip):
        return False
    return bits(base)[: int(size)] == bits(ip)[: int(size)]


def bits(ip: str) -> str:
    """An address as zeros and ones."""
    if ":" not in ip:
        return "".join(f"{int(part):08b}" for part in ip.split("."))
    head, _, tail = ip.partition("::")
    left, right = [p for p in head.split(":") if p], [p for p in tail.split(":") if p]
    groups = [*left, *["0"] * (8 - len(left) - len(right)), *right]
    return "".join(f"{int(each, 16):016b}" for each in groups)
