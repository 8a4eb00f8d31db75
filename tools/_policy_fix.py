"""The smallest rule that lets through what a NetworkPolicy denies, as a JSON patch.

Pure. Nothing is proposed that is not proven to let the calls pass by what was read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from opssquad import Json

from ._kube import compact, dig
from ._policies import DNS, DNS_NAMESPACE
from ._policy_rules import PEERS, Direction, Port, Side, all_of, fits_peer, fits_port
from ._selectors import NAME_LABEL
from .signals._scene import Scene

TO_DNS: Json = {
    "to": [{"namespaceSelector": {"matchLabels": {NAME_LABEL: DNS_NAMESPACE}}}],
    "ports": [{"protocol": "UDP", "port": DNS}, {"protocol": "TCP", "port": DNS}],
}


@dataclass(frozen=True)
class Wanted:
    """A connection that should pass: what is at the other end of it, the labels that select it there, and the
    port of the pods that are connected to, `target`."""

    peer: Side
    labels: Json
    target: Side
    port: Port


def letting(
    policy: Json, direction: Direction, wanted: Iterable[Wanted], dns: bool, scene: Scene
) -> list[Json]:
    """The JSON patch that appends the rule, or rules where ports differ; the DNS too if it is to be asked.
    The present rules are tested, so that a policy that was edited meanwhile stays as it is. Empty where it
    cannot be computed."""
    known = list(wanted)
    rules = _rules(policy, direction, known)
    made = [*rules, *([TO_DNS] if dns and direction == "egress" else [])]
    lets = all(any(_lets(rule, policy, direction, each, scene) for rule in rules) for each in known)
    if not made or not lets:
        return []
    path = f"/spec/{direction}"
    listed = dig(policy, "spec", direction)
    if listed is None:
        add = {"op": "add", "path": path, "value": made}
        return [{"op": "test", "path": "/spec", "value": policy["spec"]}, add]
    added = [{"op": "add", "path": f"{path}/-", "value": rule} for rule in made]
    return [{"op": "test", "path": path, "value": listed}, *added]


def _rules(policy: Json, direction: Direction, wanted: list[Wanted]) -> list[Json]:
    """A rule for each peer's ports, and one for all peers that need the same ones."""
    ports: dict[str, tuple[Json, list[Json]]] = {}
    for each in wanted:
        if not each.labels:
            return []
        peer = _peer(policy, each)
        _, listed = ports.setdefault(compact(peer), (peer, []))
        port = {"protocol": each.port.protocol, "port": each.port.number}
        listed += [port] if port not in listed else []
    rules: dict[str, Json] = {}
    for peer, listed in ports.values():
        rule = rules.setdefault(compact(listed), {PEERS[direction]: [], "ports": listed})
        rule[PEERS[direction]].append(peer)
    return list(rules.values())


def _peer(policy: Json, each: Wanted) -> Json:
    chosen: Json = {"podSelector": {"matchLabels": dict(each.labels)}}
    if each.peer.namespace == policy["metadata"].get("namespace", ""):
        return chosen
    return {"namespaceSelector": {"matchLabels": {NAME_LABEL: each.peer.namespace}}, **chosen}


def _lets(rule: Json, policy: Json, direction: Direction, each: Wanted, scene: Scene) -> bool:
    fits = all_of(
        (fits_port(rule, each.target, each.port), fits_peer(rule, direction, policy, each.peer, scene))
    )
    return fits is True
