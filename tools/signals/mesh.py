"""Policies of an Istio mesh that deny what workloads are known to call.

What they let through is `_mesh`'s knowledge. A denial is told only where the environment of a workload names
the Service that it calls, and where it is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from opssquad import Json, Quote, Ref, Signal

from .._kube import dig, quote_at, ref
from .._mesh import RULES, TLS, Judgement, Why, judge
from .._mesh_rules import Member, member
from .._policy_rules import Side
from ._scene import Scene, make
from .policies import Call, dated, ends_behind, named_calls, needs, newest, ports, words

SAYS: dict[Why, str] = {
    "deny": "it denies calls of {calls}",
    "not_allowed": "no ALLOW policy lets calls of {calls} pass",
    "mtls": "mutual TLS is asked for, and the callers have no proxy of the mesh: calls of {calls}",
}


@dataclass
class Denied:
    """What one policy denies: the workloads that are called, and the calls."""

    workloads: list[Ref] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def mesh_signals(scene: Scene) -> Iterator[Signal]:
    """`mesh.denies` for each policy that denies what workloads are known to call."""
    if not scene.of(RULES, TLS):
        return
    calls, _ = needs(scene)
    found: dict[tuple[Ref, Why, bool], Denied] = defaultdict(Denied)
    for call in calls:
        sure = _denials(call, scene)
        for target, said in sure or _denials(call, scene, assumed=True):
            denied = found[ref(newest(said.denying)), said.why or "deny", bool(sure)]
            denied.workloads.append(target)
            denied.calls.append(call)
    for (address, why, seen), denied in found.items():
        if policy := scene.get(address):
            told = mesh_denies(policy, why, denied.workloads, denied.calls, scene)
            yield told if seen else _assumed(told)


def as_member(end: Side, scene: Scene) -> Member:
    """An end of connections as the mesh sees it."""
    obj = scene.get(end.who) or {}
    pods = [obj] if end.who.kind == "Pod" and obj else scene.pods_of(end.who)
    return member(end.who, dig(obj, "spec", "template", default={}), pods, scene)


def _assumed(told: Signal) -> Signal:
    """The same where no proxy of the mesh is seen in the pods: it may be one that the API does not show."""
    text = f"{told.text}, if a proxy of the mesh stands before their pods, which is not seen"
    return told.model_copy(update={"text": text, "severity": "info", "data": {**told.data, "assumed": True}})


def _denials(call: Call, scene: Scene, *, assumed: bool = False) -> list[tuple[Ref, Judgement]]:
    """Whom the mesh keeps a call from, where it keeps it from every pod behind its Service; `assumed`: as if
    a proxy of the mesh stood before all pods."""
    client, service = as_member(call.caller, scene), ref(call.service).name
    if assumed:
        client = replace(client, inside=True)
    found = []
    for end in ends_behind(call.service, scene):
        target = as_member(end, scene)
        if assumed:
            target = replace(target, inside=True)
        for port in ports(call, end):
            said = judge(client, target, port.number, service, scene) if port else Judgement(None)
            if said.passes is not False:
                return []
            found.append((end.who, said))
    return found


def mesh_denies(
    policy: Json, why: Why, workloads: Iterable[Ref], calls: Iterable[Call], scene: Scene
) -> Signal:
    """`mesh.denies` of a policy: `why` is deny, not_allowed or mtls."""
    when, named = dated(policy, scene), named_calls(calls)
    return make(
        "mesh.denies",
        policy,
        ref(policy),
        f"{when.words}: {SAYS[why].format(calls=words(named))}",
        [*_quotes(policy), when.quote],
        severity=when.severity,
        at=when.at,
        data={
            "policy": str(ref(policy)),
            "why": why,
            "workloads": list(dict.fromkeys(map(str, workloads))),
            "calls": [{"from": caller, "to": service, "port": port} for caller, service, port in named],
            "service": list(dict.fromkeys(service for _, service, _ in named)),
            "used_by": list(dict.fromkeys(caller for caller, _, _ in named)),
            **when.data,
        },
    )


def _quotes(policy: Json) -> list[Quote]:
    said = [each for each in ("selector", "action", "rules", "mtls") if dig(policy, "spec", each) is not None]
    return [quote_at(policy, "spec", each) for each in said] or [quote_at(policy, "metadata", "name")]
