"""What NetworkPolicies let through between pods: who is isolated, by which policies, and which rule lets a
connection pass. What a single rule is about is `_policy_rules`' knowledge.

Pure functions with three answers: yes, no, and None where that cannot be told from what was read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from opssquad import Json

from ._kube import dig
from ._policy_rules import Direction, Port, Side, all_of, any_of, fits_peer, fits_port
from ._selectors import matches, namespace_matches
from .signals._scene import Scene

DNS, DNS_NAMESPACE = 53, "kube-system"


@dataclass(frozen=True)
class Rule:
    """One rule of a policy, and whether it lets the connection through."""

    policy: Json
    index: int
    lets: bool | None


@dataclass(frozen=True)
class Decision:
    """Whether policies at one end let a connection `pass`, the policies that isolate that end (none:
    everything passes), and the rules that let it through, or of which that cannot be told."""

    passes: bool | None
    isolating: tuple[Json, ...] = ()
    rules: tuple[Rule, ...] = ()


def directions(policy: Json) -> tuple[str, ...]:
    """The directions a policy is about, in lower case, by the server's rule where it does not say."""
    said = dig(policy, "spec", "policyTypes", default=())
    if not said:
        said = ("Ingress", "Egress") if dig(policy, "spec", "egress") else ("Ingress",)
    return tuple(each.lower() for each in said)


def selects(policy: Json, end: Side) -> bool:
    """Whether the policy is about the pods of that end."""
    same = policy["metadata"].get("namespace", "") == end.namespace
    return same and not end.outside and matches(dig(policy, "spec", "podSelector"), end.labels)


def isolating(direction: Direction, end: Side, scene: Scene) -> list[Json]:
    """The policies that let only through what they name, in that direction, for the pods of an end."""
    listed = scene.within("NetworkPolicy", end.namespace)
    return [each for each in listed if direction in directions(each) and selects(each, end)]


def decide(direction: Direction, end: Side, peer: Side, port: Port, scene: Scene) -> Decision:
    """What policies at one end say of a connection: out of it (`egress`) or into it (`ingress`).

    A plug-in may or may not tell a pod on its node's network from the node itself: what both say holds. What
    a pod sends to itself, or a node and the pods on it to each other, always passes.
    """
    policies = tuple(isolating(direction, end, scene))
    if not policies or (end.known and end.who == peer.who):
        return Decision(True, policies)
    told_apart = _judged(direction, end, peer, port, policies, scene)
    if not end.on_node and not peer.on_node:
        return told_apart
    if end.node and end.node == peer.node:
        return Decision(True, policies)
    plain = replace(peer, outside=True) if peer.on_node else peer
    passes = True if end.on_node else _judged(direction, end, plain, port, policies, scene).passes
    agreed = passes if passes is told_apart.passes else None
    somewhere = bool(end.node and peer.node) or bool(end.node and peer.outside)
    return replace(told_apart, passes=agreed if agreed or somewhere else None)


def _judged(
    direction: Direction, end: Side, peer: Side, port: Port, policies: tuple[Json, ...], scene: Scene
) -> Decision:
    target = peer if direction == "egress" else end
    found = [
        Rule(
            policy,
            index,
            all_of((fits_port(rule, target, port), fits_peer(rule, direction, policy, peer, scene))),
        )
        for policy, index, rule in _rules(direction, policies)
    ]
    passes = any_of(each.lets for each in found)
    return Decision(
        passes, policies, tuple(each for each in found if each.lets is passes and passes is not False)
    )


def _rules(direction: Direction, policies: tuple[Json, ...]) -> Iterator[tuple[Json, int, Json]]:
    for policy in policies:
        for index, rule in enumerate(dig(policy, "spec", direction, default=())):
            yield policy, index, rule


def lets(direction: Direction, end: Side, peer: Side, port: Port, scene: Scene) -> bool | None:
    """Whether policies let a connection pass at one end: out of it (`egress`) or into it (`ingress`)."""
    return decide(direction, end, peer, port, scene).passes


def lets_dns(end: Side, scene: Scene) -> bool | None:
    """Whether policies let the pods of an end ask the cluster's DNS, of whose pods nothing is known."""
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
        if each.get("ipBlock") or own:
            answers.append(None)
        elif each.get("namespaceSelector") is None:
            answers.append(False)
        else:
            # Another namespace than the usual one may hold it: a no is not known.
            answers.append(namespace_matches(each["namespaceSelector"], DNS_NAMESPACE, scene) or None)
    return any_of(answers)
