"""The hops of NetworkPolicies: out of the client, into what is called, and to the DNS."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from opssquad import Json, Ref, Signal

from .._kube import dig, ref
from .._pods import is_finished
from .._policies import DNS, Rule, decide, isolating
from .._policy_rules import Direction, Port, Side, anyone, pod_side, side
from .._text import some
from ..signals._scene import Scene
from ..signals.dns import dns_services
from ..signals.policies import Call, denial
from ..signals.services import behind
from ._hops import Client, Goal, Hop

PortOf = Callable[[Side], Port | None]
CACHE_LABEL, CACHE = "k8s-app", "node-local-dns"
"""A DNS cache on each node, which pods ask in place of the cluster's own pods."""
OTHERS = "other policies"


@dataclass(frozen=True)
class Between:
    """What policies at one end say of all pairs of pods: those that are stopped, those not known."""

    pairs: int
    stopped: int
    unknown: int
    policies: tuple[Json, ...]
    rules: tuple[Rule, ...]


def between(
    direction: Direction, ends: Sequence[Side], peers: Sequence[Side], port: PortOf, scene: Scene
) -> Between:
    """Every pair is judged; pods that no policy can tell apart are judged once."""
    stopped = unknown = 0
    policies: dict[str, Json] = {}
    rules: dict[tuple[str, int], Rule] = {}
    hosts = any(each.on_node for each in (*ends, *peers))
    near, far = _alike(ends, hosts, scene), _alike(peers, hosts, scene)
    for end, many in near:
        for each, more in far:
            # A pod always reaches itself: where it stands for others as well, that must not count for them.
            peer = _another(each) if each.who == end.who and many * more > 1 else each
            to = port(end if direction == "ingress" else peer)
            if to is None:
                unknown += many * more
                continue
            found = decide(direction, end, peer, to, scene)
            stopped += many * more * (found.passes is False)
            unknown += many * more * (found.passes is None)
            policies |= {each["metadata"]["name"]: each for each in found.isolating}
            rules |= {(each.policy["metadata"]["name"], each.index): each for each in found.rules}
    return Between(len(ends) * len(peers), stopped, unknown, tuple(policies.values()), tuple(rules.values()))


def _another(side: Side) -> Side:
    who = side.who
    return replace(side, who=Ref(kind=who.kind, namespace=who.namespace, name=f"{who.name}-another"))


def _alike(sides: Iterable[Side], hosts: bool, scene: Scene) -> list[tuple[Side, int]]:
    """Sides that differ in nothing a policy looks at, as one with their number."""
    keys, blocks = _looked_at(scene)
    found: dict[object, tuple[Side, int]] = {}
    for each in sides:
        labels = tuple(sorted((key, value) for key, value in each.labels.items() if key in keys))
        place = (each.addresses if blocks else (), each.node if hosts else "")
        kind = (each.namespace, labels, tuple(sorted(each.ports.items())), each.on_node, place)
        first, many = found.get(kind, (each, 0))
        found[kind] = (first, many + 1)
    return list(found.values())


def _looked_at(scene: Scene) -> tuple[frozenset[str], bool]:
    """The labels that any policy names, and whether any names addresses."""
    keys: set[str] = set()
    blocks = False
    for policy in scene.of("NetworkPolicy"):
        spec = policy.get("spec") or {}
        keys |= _keys(spec.get("podSelector"))
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for peer in (one for rule in spec.get(direction) or () for one in rule.get(peers) or ()):
                keys |= _keys(peer.get("podSelector"))
                blocks = blocks or bool(peer.get("ipBlock"))
    return frozenset(keys), blocks


def _keys(selector: Json | None) -> set[str]:
    plain = dig(selector, "matchLabels", default={})
    return {*plain, *(each.get("key", "") for each in dig(selector, "matchExpressions", default=()))}


def policy_hops(
    client: Client, goal: Goal, service: Json | None, targets: Sequence[Side], port: PortOf, scene: Scene
) -> list[Hop]:
    """Egress policies of the client and ingress policies of what it calls."""
    family = str(dig(service, "spec", "ipFamilies", 0, default=""))
    callers = client.sides(family) if client.who else [anyone()]
    call = Call(side(client.who, client.template), service, goal.port) if client.who and service else None
    hops: list[Hop] = []
    if client.inside and callers and targets:
        found = between("egress", callers, targets, port, scene)
        hops.append(_hop("egress", client.namespace, [client.who], found, call, scene))
    if targets and not targets[0].outside and callers:
        found = between("ingress", targets, callers, port, scene)
        owner = goal.who or (scene.owner(goal.pods[0]) if goal.pods else targets[0].who)
        hops.append(_hop("ingress", targets[0].namespace, [owner], found, call, scene))
    return hops


def _hop(
    direction: Direction,
    space: str,
    who: Iterable[Ref | None],
    found: Between,
    call: Call | None,
    scene: Scene,
) -> Hop:
    what, isolated = f"{direction} policies", [each for each in who if each]
    names = some([each["metadata"]["name"] for each in found.policies], 4)
    subject = isolated[0].name if isolated else "the pods"
    if not scene.covers("NetworkPolicy", space):
        return Hop(what, "unknown", f"the NetworkPolicies of {space} could not be read")
    if not found.policies:
        return Hop(what, "ok", f"no policy isolates {subject} ({direction})")
    if found.stopped:
        part = "" if found.stopped == found.pairs else f" for {found.stopped} of {found.pairs} pairs of pods"
        said = f"{subject} is isolated by {names}, and no rule of them lets this pass{part}"
        signal = denial(direction, isolated, found.policies, scene, call) if call else None
        return Hop(what, "broken", said, _newest(found, signal), (signal,) if signal else ())
    if found.unknown:
        why = _rules(found.rules) or "the port of the pods is not known"
        return Hop(
            what, "unknown", f"{subject} is isolated by {names}; it cannot be told whether this passes: {why}"
        )
    let = _rules(found.rules) or "what stays on one node"
    return Hop(what, "ok", f"{subject} is isolated by {names}; {let} passes")


def _newest(found: Between, signal: Signal | None) -> Ref:
    return signal.entity if signal else ref(found.policies[0])


def _rules(rules: Sequence[Rule]) -> str:
    return some([f"rule {each.index + 1} of {each.policy['metadata']['name']}" for each in rules], 3)


def dns_policy_hop(client: Client, scene: Scene) -> Hop | None:
    """Whether policies let the client ask the cluster's DNS; None where there is nobody to ask."""
    services = dns_services(scene)
    if not client.inside or not client.pods or not services:
        return None
    what, who = "policies to the DNS", client.who
    service = services[0]
    space = service["metadata"].get("namespace", "")
    pods = [each for each in behind(dig(service, "spec", "selector"), space, scene) if not is_finished(each)]
    callers, targets = client.sides(), [pod_side(each) for each in pods]
    if not scene.covers("NetworkPolicy", client.namespace):
        return Hop(what, "unknown", f"the NetworkPolicies of {client.namespace} could not be read")
    out = between("egress", callers, targets, _dns_port(service), scene)
    into = between("ingress", targets, callers, _dns_port(service), scene)
    isolated = [each for one in callers for each in isolating("egress", one, scene)]
    if not targets and isolated:
        return Hop(what, "unknown", "the pods of the DNS were not seen")
    cached = any(dig(each, "metadata", "labels", CACHE_LABEL) == CACHE for each in scene.within("Pod", space))
    for direction, found in (("egress", out), ("ingress", into)):
        if not found.stopped:
            continue
        names = some([each["metadata"]["name"] for each in found.policies], 4)
        if cached:
            return Hop(
                what, "unknown", f"{names} lets nothing pass to the DNS, but a cache on each node answers"
            )
        signal = denial("egress", [who], found.policies, scene) if who and direction == "egress" else None
        said = f"no rule of {names} lets DNS queries (53/UDP) of {client.words()} pass ({direction})"
        return Hop(what, "broken", said, _newest(found, signal), (signal,) if signal else ())
    if out.unknown or into.unknown:
        rules = _rules([*out.rules, *into.rules])
        return Hop(what, "unknown", f"it cannot be told whether DNS queries pass: {rules}")
    let = (
        f"{_rules(out.rules)} lets 53/UDP pass" if out.policies else "no policy isolates the client (egress)"
    )
    return Hop(what, "ok", let)


def _dns_port(service: Json) -> PortOf:
    def port(target: Side) -> Port | None:
        for each in dig(service, "spec", "ports", default=()):
            if each.get("port") == DNS and each.get("protocol") == "UDP":
                aim = each.get("targetPort", DNS)
                number = target.number(aim, "UDP") if isinstance(aim, str) else aim
                return Port(number, DNS if number != DNS else 0, "UDP") if number else None
        return Port(DNS, protocol="UDP")

    return port
