"""What NetworkPolicies let through between pods: selectors of pods and namespaces, and ports.

Pure functions with three answers: yes, no, and None where that cannot be told from what was read: an
`ipBlock` (which address a network plug-in compares is not known), a namespace whose labels were not read, a
pod in the network of its node, a port that only the Service has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from opssquad import Json, Ref

from ._kube import dig
from ._selectors import matches, namespace_matches
from .signals._scene import Scene

Direction = Literal["ingress", "egress"]
PEERS = {"ingress": "from", "egress": "to"}
DNS, DNS_NAMESPACE = 53, "kube-system"


@dataclass(frozen=True)
class Side:
    """One end of a connection: the workload, its pods' namespace and labels, the names of their ports, and
    whether they use the network of their node."""

    who: Ref
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    on_node: bool

    @property
    def namespace(self) -> str:
        """Where its pods are."""
        return self.who.namespace


@dataclass(frozen=True)
class Port:
    """What is connected to: the pod's port, and the Service's before it where one translates."""

    number: int
    service: int = 0
    protocol: str = "TCP"


def side(who: Ref, template: Json) -> Side:
    """An end of connections from a pod template, or from a pod."""
    listed = [p for c in dig(template, "spec", "containers", default=()) for p in c.get("ports") or ()]
    return Side(
        who,
        dig(template, "metadata", "labels", default={}),
        {each["name"]: each.get("containerPort", 0) for each in listed if each.get("name")},
        bool(dig(template, "spec", "hostNetwork")),
    )


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Yes if one says yes, else None if one does not know, else no."""
    found = list(answers)
    return True if True in found else None if None in found else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """No if one says no, else None if one does not know, else yes."""
    found = list(answers)
    return False if False in found else None if None in found else True


def directions(policy: Json) -> tuple[str, ...]:
    """The directions a policy is about, in lower case, by the server's rule where it does not say."""
    said = dig(policy, "spec", "policyTypes", default=())
    if not said:
        said = ("Ingress", "Egress") if dig(policy, "spec", "egress") else ("Ingress",)
    return tuple(each.lower() for each in said)


def selects(policy: Json, end: Side) -> bool:
    """Whether the policy is about the pods of that end."""
    same = policy["metadata"].get("namespace", "") == end.namespace
    return same and matches(dig(policy, "spec", "podSelector"), end.labels)


def isolating(direction: Direction, end: Side, scene: Scene) -> list[Json]:
    """The policies that let only through what they name, in that direction, for the pods of an end."""
    listed = scene.of("NetworkPolicy")
    return [each for each in listed if direction in directions(each) and selects(each, end)]


def lets(direction: Direction, end: Side, peer: Side, port: Port, scene: Scene) -> bool | None:
    """Whether policies let a connection pass at one end: out of it (`egress`) or into it (`ingress`)."""
    policies = isolating(direction, end, scene)
    if not policies:
        return True
    if end.on_node or peer.on_node:
        return None
    target = peer if direction == "egress" else end
    return any_of(
        all_of((_port(rule, target, port), _peer(rule, direction, policy, peer, scene)))
        for policy in policies
        for rule in dig(policy, "spec", direction, default=())
    )


def _port(rule: Json, target: Side, port: Port) -> bool | None:
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
    first = target.ports.get(named) if isinstance(named, str) else named
    if first is None:
        return None
    if first <= port.number <= (each.get("endPort") or first):
        return True
    # Whether a rule is held against the port before or after the Service's translation is the plug-in's way.
    return None if port.service and first == port.service else False


def _peer(rule: Json, direction: Direction, policy: Json, peer: Side, scene: Scene) -> bool | None:
    listed = rule.get(PEERS[direction])
    if not listed:
        return True
    return any_of(_one_peer(each, policy, peer, scene) for each in listed)


def _one_peer(each: Json, policy: Json, peer: Side, scene: Scene) -> bool | None:
    if "ipBlock" in each:
        return None
    inside: bool | None = peer.namespace == policy["metadata"].get("namespace", "")
    if each.get("namespaceSelector") is not None:
        inside = namespace_matches(each["namespaceSelector"], peer.namespace, scene)
    return all_of((inside, matches(each.get("podSelector"), peer.labels)))


def lets_dns(end: Side, scene: Scene) -> bool | None:
    """Whether policies let the pods of an end ask the cluster's DNS."""
    policies = isolating("egress", end, scene)
    if not policies:
        return True
    if end.on_node:
        return None
    rules = [(policy, rule) for policy in policies for rule in dig(policy, "spec", "egress", default=())]
    return any_of(all_of((_dns_port(rule), _dns_peer(rule, policy, scene))) for policy, rule in rules)


def _dns_port(rule: Json) -> bool | None:
    listed = rule.get("ports")
    if not listed:
        return True
    return any_of(_one_dns_port(each) for each in listed)


def _one_dns_port(each: Json) -> bool | None:
    """A port rule against port 53; what the DNS pods behind their Service listen on is not known."""
    port = each.get("port")
    if port is None or port == DNS:
        return True
    if isinstance(port, str):
        return None
    if port <= DNS <= (each.get("endPort") or port):
        return True
    # Some distributions run their DNS on another port behind the Service.
    return None if port % 100 == DNS else False


def _dns_peer(rule: Json, policy: Json, scene: Scene) -> bool | None:
    """A peer rule against the DNS pods, whose own labels are not known."""
    listed = rule.get("to")
    if not listed:
        return True
    own = policy["metadata"].get("namespace", "") == DNS_NAMESPACE
    answers: list[bool | None] = []
    for each in listed:
        if "ipBlock" in each or own:
            answers.append(None)
        elif each.get("namespaceSelector") is None:
            answers.append(False)
        else:
            # Another namespace than the usual one may hold it: a no is not known.
            answers.append(namespace_matches(each["namespaceSelector"], DNS_NAMESPACE, scene) or None)
    return any_of(answers)
