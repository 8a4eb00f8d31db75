"""Another amount in a ResourceQuota, with its card, its undo and its check: whether pods that waited come."""

import asyncio
from typing import Annotated

from opssquad import Check, Cluster, Json, Preview, Progress, Ref, Result, Risk, ToolError, Undo, tool

from ._amounts import amounts, same
from ._binding import binding
from ._fields import unified
from ._kinds import ROLLED
from ._kube import compact, condition, dig, kubectl, ref, source
from ._quantity import parse
from ._state import look
from ._watch import PATIENCE, verify_all
from .signals.replicas import desired, made

Hard = Annotated[str, "as in limits.memory=24Gi,pods=20"]
RETRIES = "controllers try again by themselves, with pauses of up to 16 minutes"


@tool(effect="mutate")
async def set_quota(cluster: Cluster, name: str, namespace: str, hard: Hard) -> Result:
    """Set what a ResourceQuota allows at most, of resources that it limits already."""
    quota, wanted = await _wanted(cluster, name, namespace, hard)
    where = ref(quota)
    after = await cluster.patch(where.kind, name, where.namespace, _body(wanted), how="merge")
    text = f"ResourceQuota {name}: {_words(quota, wanted)}"
    return Result(text=text, sources=(source(after),), commands=(_line(where, wanted),))


def _body(wanted: dict[str, str]) -> Json:
    return {"spec": {"hard": wanted}}


def _line(where: Ref, wanted: dict[str, str]) -> str:
    words = ("patch", f"resourcequota/{where.name}", "--type=merge", "-p", compact(_body(wanted)))
    return kubectl(*words, namespace=where.namespace)


async def _wanted(cluster: Cluster, name: str, namespace: str, hard: str) -> tuple[Json, dict[str, str]]:
    """The quota, and what differs from what it allows. Raises ToolError."""
    quota = await cluster.get("ResourceQuota", name, namespace)
    has = dig(quota, "spec", "hard", default={})
    found: dict[str, str] = {}
    for resource, amount in amounts("hard", hard).items():
        if resource not in has or amount is None:
            known = ", ".join(f"{key}={value}" for key, value in has.items())
            raise ToolError(f"hard: {resource}: it limits {known}; give amounts of these")
        if not same(amount, has[resource]):
            found[resource] = amount
    if not found:
        raise ToolError(f"ResourceQuota {name} allows that already: nothing to do")
    return quota, found


def _words(quota: Json, wanted: dict[str, str]) -> str:
    """`limits.memory 8Gi -> 24Gi (9Gi used)`."""
    used = dig(quota, "status", "used", default={})
    return ", ".join(
        f"{name} {quota['spec']['hard'][name]} -> {amount} ({used.get(name, '0')} used)"
        for name, amount in wanted.items()
    )


async def _short(cluster: Cluster, space: str) -> list[Json]:
    """The workloads of a namespace that lack pods which were not made at all."""
    listed = await asyncio.gather(*(cluster.list(kind, space) for kind in ROLLED))
    return [each for found in listed for each in found if _lacks(each)]


def _lacks(workload: Json) -> bool:
    failed = condition(workload, "ReplicaFailure").get("status") == "True"
    return failed or made(workload) < desired(workload)


@set_quota.preview
async def _preview(cluster: Cluster, name: str, namespace: str, hard: str) -> Preview:
    quota, wanted = await _wanted(cluster, name, namespace, hard)
    where = ref(quota)
    after = await cluster.patch(where.kind, name, where.namespace, _body(wanted), how="merge", dry_run=True)
    states = [await look(cluster, ref(each)) for each in await _short(cluster, where.namespace)]
    waiting = ", ".join(f"{ref(e.workload).name} ({e.ready} of {e.desired} pods ready)" for e in states)
    risk, rule = _risk(quota, wanted)
    return Preview(
        command=_line(where, wanted),
        impact=f"{_words(quota, wanted)}; without all their pods now: {waiting or 'none'}; {RETRIES}",
        risk=risk,
        risk_rule=rule,
        diff=unified(str(where), quota, after),
        binding=binding(quota),
        verify_plan="watch what lacks pods until it has them",
        before={str(ref(each.workload)): each.snapshot() for each in states},
    )


def _risk(quota: Json, wanted: dict[str, str]) -> tuple[Risk, str]:
    has, used = quota["spec"]["hard"], dig(quota, "status", "used", default={})
    if any(parse(amount) < parse(used.get(name, "0")) for name, amount in wanted.items()):
        return "high", "it is less than what is used: no pod that goes can be made again"
    if any(parse(amount) < parse(has[name]) for name, amount in wanted.items()):
        return "medium", "it allows less than before"
    return "medium", "it gives the namespace more of what the cluster's others share"


@set_quota.undo
async def _undo(cluster: Cluster, name: str, namespace: str, hard: str) -> Undo:
    quota, wanted = await _wanted(cluster, name, namespace, hard)
    former = {key: str(quota["spec"]["hard"][key]) for key in wanted}
    text = ",".join(f"{key}={value}" for key, value in former.items())
    args: Json = {"name": name, "namespace": ref(quota).namespace, "hard": text}
    command = _line(ref(quota), former)
    return Undo(note=f"allow {text} again", tool="set_quota", args=args, command=command)


@set_quota.observe
async def _observe(cluster: Cluster, name: str, namespace: str) -> dict[str, str]:
    return binding(await cluster.get("ResourceQuota", name, namespace))


@set_quota.verify
async def _verify(
    cluster: Cluster, progress: Progress, name: str, namespace: str, before: dict[str, Json]
) -> Check:
    if not before:
        return Check(outcome="same", text=f"ResourceQuota {name} is set; nothing lacked pods before it")
    # A controller that was refused tells so until it tries again: that is no failure of the change.
    check = await verify_all(cluster, progress, before, stuck=PATIENCE)
    return (
        check if check.outcome == "better" else check.model_copy(update={"text": f"{check.text} {RETRIES}."})
    )
