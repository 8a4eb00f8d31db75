"""The two ends of a connection, and whether one rule of a NetworkPolicy is about it: peers and ports.

Pure functions with three answers: yes, no, and None where that cannot be told from what was read: an address,
labels of a namespace, a port that only the Service has.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from opssquad import Json, Ref

from ._kube import dig, ref
from ._pods import pod_addresses
from ._selectors import matches, namespace_matches
from .signals._scene import Scene

Direction = Literal["ingress", "egress"]
PEERS = {"ingress": "from", "egress": "to"}
_Net = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Side:
    """One end of a connection: the workload, its pods' namespace and labels, their ports by name and
    protocol, and whether they use the network of their node.

    Of a pod (`known`) its addresses and its node are told as well; what has neither labels nor a namespace,
    as a host outside of the cluster, is `outside`; `anyone` may be any pod or none.
    """

    who: Ref
    labels: Mapping[str, str]
    ports: Mapping[tuple[str, str], int]
    on_node: bool
    addresses: tuple[str, ...] = ()
    node: str = ""
    known: bool = False
    outside: bool = False
    anyone: bool = False

    @property
    def namespace(self) -> str:
        """Where its pods are."""
        return self.who.namespace

    def number(self, name: str, protocol: str = "TCP") -> int | None:
        """The port that its pods call so; None where none is known."""
        return self.ports.get((name, protocol))


@dataclass(frozen=True)
class Port:
    """What is connected to: the pod's port, and the Service's before it where one translates."""

    number: int
    service: int = 0
    protocol: str = "TCP"


def side(who: Ref, template: Json) -> Side:
    """An end of connections from a pod template, or from a pod that stands for all of its workload."""
    return Side(
        who,
        dig(template, "metadata", "labels", default={}),
        _named(template),
        bool(dig(template, "spec", "hostNetwork")),
    )


def pod_side(pod: Json, family: str = "") -> Side:
    """One pod as an end of connections; of a `family` (IPv4, IPv6) its addresses of that one alone."""
    addresses = tuple(each for each in pod_addresses(pod) if family in ("", family_of(each)))
    return Side(
        ref(pod),
        dig(pod, "metadata", "labels", default={}),
        _named(pod),
        bool(dig(pod, "spec", "hostNetwork")),
        addresses,
        dig(pod, "spec", "nodeName", default=""),
        known=True,
    )


def outside(name: str, *addresses: str, node: str = "") -> Side:
    """What is no pod, by name, with the addresses that are known of it; `node`: it is that one."""
    who = Ref(kind="Host", name=name)
    return Side(who, {}, {}, bool(node), addresses, node, known=True, outside=True)


def anyone() -> Side:
    """A peer of which nothing is known."""
    return Side(Ref(kind="Host", name="anyone"), {}, {}, False, anyone=True)


def family_of(address: str) -> str:
    """`IPv4` or `IPv6`, as Services call them."""
    return "IPv6" if ":" in address else "IPv4"


def _named(template: Json) -> dict[tuple[str, str], int]:
    """The ports that containers name; the first of a name and protocol counts, as it does for kube-proxy."""
    beside = [c for c in dig(template, "spec", "initContainers", default=()) if _stays(c)]
    found: dict[tuple[str, str], int] = {}
    for container in (*dig(template, "spec", "containers", default=()), *beside):
        for each in container.get("ports") or ():
            if each.get("name"):
                key = (each["name"], each.get("protocol") or "TCP")
                found.setdefault(key, each.get("containerPort", 0))
    return found


def _stays(container: Json) -> bool:
    return container.get("restartPolicy") == "Always"


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Yes if one says yes, else None if one does not know, else no."""
    found = list(answers)
    return True if True in found else None if None in found else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """No if one says no, else None if one does not know, else yes."""
    found = list(answers)
    return False if False in found else None if None in found else True


def fits_port(rule: Json, target: Side, port: Port) -> bool | None:
    """Whether a rule is about that port of the pods that are connected to."""
    listed = rule.get("ports")
    if not listed:
        return True
    return any_of(_one_port(each, target, port) for each in listed)


def _one_port(each: Json, target: Side, port: Port) -> bool | None:
    if (each.get("protocol") or "TCP") != port.protocol:
        return False
    named = each.get("port")
    if named is None:
        return True
    first = target.number(named, port.protocol) if isinstance(named, str) else named
    if first is None:
        # What a template does not name, a container that is put beside its own may.
        return False if target.known else None
    if first <= port.number <= (each.get("endPort") or first):
        return True
    # Whether a rule is held against the port before or after the Service's translation is the plug-in's way.
    return None if port.service and first == port.service else False


def fits_peer(rule: Json, direction: Direction, policy: Json, peer: Side, scene: Scene) -> bool | None:
    """Whether a rule is about what is at the other end."""
    listed = rule.get(PEERS[direction])
    if not listed:
        return True
    return any_of(_one_peer(each, policy, peer, scene) for each in listed)


def _one_peer(each: Json, policy: Json, peer: Side, scene: Scene) -> bool | None:
    if peer.anyone:
        return None
    if each.get("ipBlock"):
        return within(each["ipBlock"], peer.addresses)
    if peer.outside:
        return False
    inside: bool | None = peer.namespace == policy["metadata"].get("namespace", "")
    if each.get("namespaceSelector") is not None:
        inside = namespace_matches(each["namespaceSelector"], peer.namespace, scene)
    return all_of((inside, matches(each.get("podSelector"), peer.labels)))


def within(block: Json, addresses: Iterable[str]) -> bool | None:
    """Whether addresses are in a block and in none of its exceptions; None where they differ in that, and
    where none is known."""
    net, holes = _net(str(block.get("cidr"))), [_net(str(each)) for each in block.get("except") or ()]
    if net is None or None in holes:
        return None
    answers = {_in(each, net) and not any(hole and _in(each, hole) for hole in holes) for each in addresses}
    return answers.pop() if len(answers) == 1 else None


def _in(address: str, net: _Net) -> bool:
    found = ipaddress.ip_address(address)
    return found.version == net.version and found in net


@lru_cache(maxsize=4096)
def _net(cidr: str) -> _Net | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None
