"""NetworkPolicies that stand between a workload and what it calls, or between a workload and the DNS.

What a policy lets through is `_policies`' knowledge. A denial is told only where it is known that the call is
made: the environment names the Service, or a log tells of the failed call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Severity, Signal, ago, rfc3339

from .._depends import dependencies
from .._edits import last_edit
from .._kube import UNDATED, created, dig, quote, quote_at, ref
from .._pods import is_finished
from .._policies import isolating, lets, lets_dns, selects
from .._policy_fix import Wanted, letting
from .._policy_rules import Direction, Port, Side, side
from .._text import some
from ._scene import Scene, make
from .replicas import KINDS, desired
from .services import behind, workloads_behind

MOST = 4
BORN = ("metadata", "creationTimestamp")
LATELY = timedelta(days=1)
"""What a policy denies longer than that is most likely meant so, or is not enforced."""


@dataclass(frozen=True)
class Call:
    """A workload that calls a Service, at a port (0: whichever it has)."""

    caller: Side
    service: Json
    port: int = 0


@dataclass
class Denied:
    """What one policy, the newest of those that isolate, denies in one direction."""

    workloads: list[Ref] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    no_dns: list[Ref] = field(default_factory=list)


def policy_signals(scene: Scene) -> Iterator[Signal]:
    """`policy.denies` for what workloads are known to call, `policy.selects_nothing` for policies without
    pods."""
    if not scene.of("NetworkPolicy"):
        return
    calls, asking = needs(scene)
    yield from denials(calls, asking, scene)
    known = frozenset({*KINDS, "Job", "CronJob", "Pod"}) <= scene.complete
    ends = [*sides(scene), *(side(ref(pod), pod) for pod in scene.of("Pod"))]
    for policy in scene.of("NetworkPolicy"):
        if known and dig(policy, "spec", "podSelector") and not any(selects(policy, each) for each in ends):
            yield make(
                "policy.selects_nothing",
                policy,
                ref(policy),
                f"NetworkPolicy {policy['metadata']['name']} selects no pod",
                [quote_at(policy, "spec", "podSelector")],
                severity="info",
            )


def side_of(workload: Json, scene: Scene) -> Side:
    """A workload as an end of connections: with the labels of its pods, which may be more than its template
    names, where a pod was read."""
    pods = [each for each in scene.pods_of(ref(workload)) if not is_finished(each)]
    return side(ref(workload), pods[0] if pods else dig(workload, "spec", "template", default={}))


def sides(scene: Scene) -> Iterator[Side]:
    """Every workload that can have pods, as an end of connections."""
    for each in scene.of(*KINDS, "Job"):
        yield side_of(each, scene)
    for each in scene.of("CronJob"):
        yield side(ref(each), dig(each, "spec", "jobTemplate", "spec", "template", default={}))


def needs(scene: Scene) -> tuple[list[Call], list[Side]]:
    """What the environment of workloads says they call, and the workloads that have a name to look up."""
    calls: list[Call] = []
    asking: list[Side] = []
    for each in scene.of(*KINDS):
        template = dig(each, "spec", "template", default={})
        caller = side_of(each, scene)
        needs = dependencies(template, caller.namespace, scene) if desired(each) else []
        for need in needs:
            if need.service and (service := scene.get(need.service)):
                calls.append(Call(caller, service, int(need.port or 0)))
        if any(not need.host.replace(".", "").isdigit() for need in needs):
            asking.append(caller)
    return calls, asking


def denials(calls: Iterable[Call], asking: Iterable[Side], scene: Scene) -> Iterator[Signal]:
    """`policy.denies` for each policy and direction that denies one of these calls, or the DNS to one that
    asks it."""
    found: dict[tuple[Ref, Direction], Denied] = defaultdict(Denied)
    targets: dict[Ref, list[Side]] = {}
    for call in calls:
        address = ref(call.service)
        if address not in targets:
            targets[address] = ends_behind(call.service, scene)
        for direction, isolated, policies in _stopped(call, targets[address], scene):
            denied = found[ref(newest(policies)), direction]
            denied.workloads.append(isolated)
            denied.calls.append(call)
    for end in asking:
        if lets_dns(end, scene) is False:
            found[ref(newest(isolating("egress", end, scene))), "egress"].no_dns.append(end.who)
    for (address, direction), denied in found.items():
        if policy := scene.get(address):
            yield _denies(policy, direction, denied, scene)


def denial(
    direction: Direction,
    isolated: Iterable[Ref],
    policies: Iterable[Json],
    scene: Scene,
    call: Call | None = None,
) -> Signal:
    """`policy.denies` of the newest of these policies, which stop a call into or out of what they isolate;
    without a call it is the DNS that those cannot ask."""
    who = list(isolated)
    denied = Denied(who, [call], []) if call else Denied([], [], who)
    return _denies(newest(list(policies)), direction, denied, scene)


def _stopped(call: Call, targets: list[Side], scene: Scene) -> Iterator[tuple[Direction, Ref, list[Json]]]:
    """The directions in which policies stop a call to every pod behind its Service: whose pods are isolated,
    and by which policies."""
    pairs = [(target, port) for target in targets for port in ports(call, target)]
    if not pairs or any(port is None for _, port in pairs):
        return
    known = [(target, port) for target, port in pairs if port]
    if all(lets("egress", call.caller, target, port, scene) is False for target, port in known):
        yield "egress", call.caller.who, isolating("egress", call.caller, scene)
    if all(lets("ingress", target, call.caller, port, scene) is False for target, port in known):
        target = known[0][0]
        yield "ingress", target.who, isolating("ingress", target, scene)


def ends_behind(service: Json, scene: Scene) -> list[Side]:
    """The workloads behind a Service as ends of connections; pods where no workload was read."""
    selector = dig(service, "spec", "selector", default={})
    if dig(service, "spec", "type") == "ExternalName":
        return []
    space = service["metadata"].get("namespace", "")
    found = workloads_behind(selector, space, scene)
    if found:
        return [side_of(each, scene) for each in found]
    pods = [each for each in behind(selector, space, scene) if not is_finished(each)]
    return [side(scene.owner(each), each) for each in pods]


def ports(call: Call, target: Side) -> Iterator[Port | None]:
    """The pod's ports that a call may reach; None for one that cannot be told."""
    headless = dig(call.service, "spec", "clusterIP") == "None"
    if headless and call.port:
        yield Port(call.port)
        return
    for each in dig(call.service, "spec", "ports", default=()):
        if call.port and each.get("port") != call.port:
            continue
        aim = each.get("targetPort", each.get("port"))
        number = target.number(aim, each.get("protocol") or "TCP") if isinstance(aim, str) else aim
        front = 0 if headless else int(each.get("port") or 0)
        yield Port(number, front, each.get("protocol") or "TCP") if number else None


def newest(policies: Iterable[Json]) -> Json:
    """The one that got its rules last."""
    return max(policies, key=lambda each: changed(each) or UNDATED)


def changed(policy: Json) -> datetime | None:
    """When the policy got the rules that it has, as far as the API tells."""
    edit = last_edit(policy, "spec")
    return edit.at if edit else created(policy)


@dataclass(frozen=True)
class Dated:
    """A policy by when it got its rules: words, severity, the quote for it, and what signals tell of it."""

    at: datetime | None
    words: str
    severity: Severity
    quote: Quote
    data: Json


def dated(policy: Json, scene: Scene) -> Dated:
    """`NetworkPolicy lock (changed 20 min ago)`, and whether that is recent."""
    edit, at, born = last_edit(policy, "spec"), changed(policy), created(policy)
    recent = scene.is_recent(at, LATELY)
    how = "created" if edit is None or edit.created else "changed"
    said = f"{policy['kind']} {policy['metadata']['name']}" + (f" ({how} {ago(at, scene.now)})" if at else "")
    return Dated(
        at,
        said,
        "warning" if recent else "info",
        quote(policy, edit.entry, managed=True) if edit else quote_at(policy, *BORN),
        {
            "created": rfc3339(born) if born else "",
            "changed_by": edit.manager if edit else "",
            "recent": recent,
        },
    )


def _denies(policy: Json, direction: Direction, denied: Denied, scene: Scene) -> Signal:
    when = dated(policy, scene)
    calls, fix = named_calls(denied.calls), _fix(policy, direction, denied, scene)
    no_dns = list(dict.fromkeys(map(str, denied.no_dns)))
    spec = [quote_at(policy, "spec", each) for each in ("podSelector", "policyTypes", direction)]
    return make(
        "policy.denies",
        policy,
        ref(policy),
        f"{when.words}: no policy lets {_words(calls, no_dns)} pass ({direction})",
        [*spec, when.quote],
        severity=when.severity,
        at=when.at,
        data={
            "direction": direction,
            "workloads": list(dict.fromkeys([*map(str, denied.workloads), *no_dns])),
            "calls": [{"from": caller, "to": service, "port": port} for caller, service, port in calls],
            "allows_dns": not no_dns,
            # Without the DNS no call by name succeeds, so then it is not these Services alone.
            "service": [] if no_dns else list(dict.fromkeys(service for _, service, _ in calls)),
            "used_by": list(dict.fromkeys([*(caller for caller, _, _ in calls), *no_dns])),
            "fix": fix,
            "lets": _words(calls, no_dns) if fix else "",
            **when.data,
        },
    )


def _fix(policy: Json, direction: Direction, denied: Denied, scene: Scene) -> list[Json]:
    """The JSON patch that lets through what is denied; none where a peer or port is not known."""
    wanted: list[Wanted] = []
    for call in denied.calls:
        for target in ends_behind(call.service, scene):
            for port in ports(call, target):
                if port is None:
                    return []
                peer = target if direction == "egress" else call.caller
                wanted.append(Wanted(peer, _selector(peer, call, direction, scene), target, port))
    return letting(policy, direction, wanted, bool(denied.no_dns), scene)


def _selector(peer: Side, call: Call, direction: Direction, scene: Scene) -> Json:
    """The labels that choose the pods at the other end: those by which their Service or workload does so."""
    whole = dig(call.service, "spec", "selector", default={})
    own = dig(scene.get(peer.who), "spec", "selector", "matchLabels", default={})
    return dict(whole if direction == "egress" else own or peer.labels)


def named_calls(calls: Iterable[Call]) -> list[tuple[str, str, int]]:
    """Caller, Service and port of each, once."""
    return list(dict.fromkeys((str(c.caller.who), str(ref(c.service)), c.port) for c in calls))


def _words(calls: list[tuple[str, str, int]], no_dns: list[str]) -> str:
    said = [f"the DNS queries of {some([Ref.parse(each).name for each in no_dns], MOST)}"] if no_dns else []
    return " and ".join([*said, *([f"calls of {words(calls)}"] if calls else [])])


def words(calls: Iterable[tuple[str, str, int]]) -> str:
    """`web to db:5432, web to cache`."""
    made = []
    for caller, service, port in calls:
        where = Ref.parse(service).name + (f":{port}" if port else "")
        made.append(f"{Ref.parse(caller).name} to {where}")
    return some(made, MOST)
