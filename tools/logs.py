"""The tool `logs`: what a pod or a workload wrote, digested, with what that proves.

Which instance is read is `_instances`' choice, the words are `_logtext`'s, the signals `signals.logs`'.
"""

import asyncio
import difflib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from opssquad import Cluster, Json, Quote, Result, ToolError, tool

from ._addresses import Address, Directory
from ._blocked import blocked
from ._instances import Instance, Previous, instance, most_broken
from ._kube import controller, dig, lately, owner, ref, selected, source
from ._loglines import entries
from ._logtext import Wanted, body, command, head
from ._resolving import resolving
from ._rights import as_data, visible
from .signals.calls import called
from .signals.logs import Case, Read, log_signals
from .signals.serving import at_work

MOST = 20_000
MOST_PODS = 5
ROOM = 2 * 2**20
"""Bytes of log in one call, shared by the pods that are read: looking through them takes time."""
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


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
    read, unread = await _read_all(cluster, [instance(p, container, previous, now) for p in pods], wanted)
    reads = [Read(i.pod, i.container, i.previous, text, i.ended) for i, text in read if i.started]
    found = sorted(
        (entry for index, each in enumerate(reads) for entry in entries(each.text, index)),
        key=lambda entry: entry.stamp,
    )
    failed = called(found)
    directory = await _directory(cluster, (each.named for each in failed.values()), space)
    case = Case(reads, found, now, directory, failed)
    said, services = await resolving(cluster, log_signals(case))
    denied = await blocked(cluster, said, (each.pod for each in reads), directory)
    signals = [*said, *denied.signals, *at_work(case)]
    instances = [each for each, _ in read]
    heads = [*choice, *unread.values(), *(head(i, text) for i, text in read)]
    return Result(
        text="\n".join([*heads, *body(case, signals, wanted)]),
        sources=(*(each.source() for each in reads), *_unstarted(instances), *denied.sources, *services),
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


# Reading


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


async def _read_all(
    cluster: Cluster, chosen: Sequence[Instance], wanted: Wanted
) -> tuple[list[tuple[Instance, str]], dict[str, str]]:
    """The logs that could be read, and words on those that could not, by pod. Raises ToolError if none
    could."""
    more = len(chosen) - MOST_PODS
    told = {"": f"{more} more pods of it were not read."} if more > 0 else {}
    each_room = replace(wanted, room=ROOM // max(1, len(chosen[:MOST_PODS])))
    tried = await asyncio.gather(
        *(_read(cluster, each, each_room) for each in chosen[:MOST_PODS]), return_exceptions=True
    )
    read: list[tuple[Instance, str]] = []
    for each, got in zip(chosen, tried, strict=False):
        if isinstance(got, ToolError):
            told[each.pod["metadata"]["name"]] = _unread(each, got)
        elif isinstance(got, BaseException):
            raise got
        else:
            read.append(got)
    if not read:
        blind = any(isinstance(each, ToolError) and each.blind for each in tried)
        raise ToolError("; ".join(told.values()), blind=blind)
    return read, told


def _unread(chosen: Instance, error: ToolError) -> str:
    node = dig(chosen.pod, "spec", "nodeName")
    where = f" on node {node}: if that does not answer, `nodes` tells" if node else ""
    return f"The log of pod {chosen.pod['metadata']['name']} cannot be read ({error}){where}."


async def _read(cluster: Cluster, chosen: Instance, wanted: Wanted) -> tuple[Instance, str]:
    """The log, and the instance that it is of in the end."""
    if not chosen.started:
        return chosen, ""
    if not chosen.auto:
        return chosen, await _fetch(cluster, chosen, wanted)
    if chosen.previous:
        try:
            text = await _fetch(cluster, chosen, wanted)
        except ToolError:
            text = ""
        if text.strip():
            return chosen, text
        current = chosen.other("the instance before left no log; this is the current one")
        return current, await _fetch(cluster, current, wanted)
    text = await _fetch(cluster, chosen, wanted)
    if not text.strip() and chosen.restarts:
        before = chosen.other("previous, since the current instance has written nothing")
        with suppress(ToolError):
            return before, await _fetch(cluster, before, wanted)
    return chosen, text


async def _fetch(cluster: Cluster, chosen: Instance, wanted: Wanted) -> str:
    since = cluster.now() - lately(wanted.since_minutes) if wanted.since_minutes else None
    meta = chosen.pod["metadata"]
    return await cluster.logs(
        meta["name"],
        meta["namespace"],
        container=chosen.container,
        previous=chosen.previous,
        tail=wanted.lines,
        since=since,
        most=wanted.room,
    )


async def _directory(cluster: Cluster, named: Iterable[Sequence[Address]], namespace: str) -> Directory:
    """The Services behind the addresses that were called in vain, with the pods and workloads they select."""
    wanted = dict.fromkeys(address for some in named for address in some)
    if not wanted:
        return Directory(())
    # With rights on one namespace only, addresses of others stay unresolved.
    services = await visible(cluster, "Service")
    if services is None:
        services = await visible(cluster, "Service", namespace)
    known = Directory(services or ())
    reached = [s for each in wanted if (s := known.service(each, namespace))]
    spaces = sorted({each["metadata"]["namespace"] for each in reached})
    listed = await asyncio.gather(
        *(visible(cluster, kind, space) for kind in ("Pod", *WORKLOADS) for space in spaces)
    )
    objects = [each for some in listed for each in some or ()]
    selectors = [dig(each, "spec", "selector", default={}) for each in reached]
    pods = [o for o in objects if o["kind"] == "Pod" and any(_picks(each, o) for each in selectors)]
    return replace(known, pods=pods, workloads=[o for o in objects if o["kind"] != "Pod"])


def _picks(selector: Json, pod: Json) -> bool:
    return selected(dig(pod, "metadata", "labels", default={}), selector)
