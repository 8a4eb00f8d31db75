"""The tool `logs`: what a pod or a workload wrote, digested, with what that proves.

Which instance is read is `_instances`' choice, the words are `_logtext`'s, the signals `signals.logs`'.
"""

import difflib
from collections.abc import Iterable
from typing import Annotated

from opssquad import Cluster, Json, Quote, Result, ToolError, tool

from ._blocked import blocked
from ._instances import Instance, Previous, instance, most_broken
from ._kube import controller, dig, owner, ref, source
from ._logtext import Wanted, body, command, head
from ._reading_logs import WORKLOADS, cased, read_all
from ._resolving import resolving
from ._rights import as_data
from .signals.logs import log_signals
from .signals.serving import at_work

MOST = 20_000


@tool(effect="read")
async def logs(
    cluster: Cluster,
    pod: Annotated[str, "a pod, or a workload: then its most broken pod, or all if none is"],
    namespace: str = "",
    container: str = "",
    previous: Previous = "auto",
    tail: Annotated[int, "up to 100: those lines as they are; more: a digest"] = 200,
    grep: str = "",
    since_minutes: int = 0,
) -> Result:
    """Logs: alike lines counted, errors in order, who is called in vain. `previous` is chosen when it tells
    more (after a restart)."""
    space = namespace or cluster.namespace
    if not space:
        raise ToolError("say which namespace the pod is in")
    wanted = Wanted(min(tail if tail > 0 else 200, MOST), grep, max(since_minutes, 0))
    pods, choice = await _pods(cluster, pod, space)
    now = cluster.now()
    read, unread = await read_all(cluster, [instance(p, container, previous, now) for p in pods], wanted)
    case = await cased(cluster, read, space)
    said, services = await resolving(cluster, log_signals(case))
    denied = await blocked(cluster, said, (each.pod for each in case.reads), case.directory)
    signals = [*said, *denied.signals, *at_work(case)]
    instances = [each for each, _ in read]
    heads = [*choice, *unread.values(), *(head(i, text) for i, text in read)]
    return Result(
        text="\n".join([*heads, *body(case, signals, wanted)]),
        sources=(*(each.source() for each in case.reads), *_unstarted(instances), *denied.sources, *services),
        data={
            "pod": str(ref(instances[0].pod)),
            "container": instances[0].container,
            "previous": instances[0].previous,
            "pods": [str(ref(each)) for each in pods],
            "unread": as_data({pod: why for pod, why in (unread | denied.unread).items() if pod}),
            "workloads": [str(owner(instances[0].pod))],
        },
        signals=tuple(signals),
        commands=tuple(command(each, wanted) for each in instances if each.started),
    )


def _unstarted(instances: Iterable[Instance]) -> list[Quote]:
    return [source(each.pod) for each in instances if not each.started]


async def _pods(cluster: Cluster, name: str, namespace: str) -> tuple[list[Json], list[str]]:
    """The pods meant by a name, and the words that tell how they were chosen. Raises ToolError."""
    kind, _, bare = name.rpartition("/")
    kind = kind.split("/")[0].lower()
    if kind in {"", "pod", "po", "pods"} and (pod := await cluster.find("Pod", bare, namespace)):
        return [pod], []
    listed = await cluster.list("Pod", namespace)
    mine = [each for each in listed if _belongs(each, bare)]
    if not mine:
        raise await _nothing(cluster, bare, namespace, listed)
    address = owner(mine[0])
    said = f"{address.kind} {address.name}"
    if broken := most_broken(mine):
        others = f", the most broken of {len(mine)}" if len(mine) > 1 else ""
        return [broken], [f"{said}: pod {broken['metadata']['name']}{others}."]
    return mine, [
        f"{said}: {len(mine)} pods, no container of them fails to run; their logs together."
    ] if len(mine) > 1 else []


def _belongs(pod: Json, workload: str) -> bool:
    # A CronJob answers for its Jobs; a Job may be meant by its own name all the same.
    return any(
        each and each.kind != "Pod" and each.name == workload for each in (owner(pod), controller(pod))
    )


async def _nothing(cluster: Cluster, name: str, namespace: str, listed: Iterable[Json]) -> ToolError:
    for kind in WORKLOADS:
        if found := await cluster.find(kind, name, namespace):
            replicas = dig(found, "spec", "replicas", default=0)
            return ToolError(f"{kind} {name!r} in {namespace!r} has no pods (replicas: {replicas}): no logs")
    names = {each["metadata"]["name"] for each in listed} | {owner(each).name for each in listed}
    near = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.5) or sorted(names)[:5]
    return ToolError(
        f"no pod or workload {name!r} in {namespace!r}; nearest: {', '.join(near) or 'there are none'}"
    )
