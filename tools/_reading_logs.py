"""Reads logs of instances side by side, and what they name; which instance is meant `_instances` tells."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from opssquad import Cluster, Json, ToolError

from ._addresses import Address, Directory, is_ip
from ._instances import Instance
from ._kube import dig, lately, selected
from ._loglines import entries
from ._logtext import Wanted
from ._rights import visible
from .signals._case import Case, Read
from .signals.calls import called

MOST_PODS = 5
ROOM = 2 * 2**20
"""Bytes of log in one call, shared by the pods that are read: looking through them takes time."""
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


async def cased(cluster: Cluster, read: Iterable[tuple[Instance, str]], namespace: str) -> Case:
    """Logs that belong together, their entries in the order of time, and whom they called in vain."""
    reads = [Read(i.pod, i.container, i.previous, text, i.ended) for i, text in read if i.started]
    found = sorted(
        (entry for index, each in enumerate(reads) for entry in entries(each.text, index)),
        key=lambda entry: entry.stamp,
    )
    failed = called(found)
    wanted = {
        (address, reads[each.origin].pod["metadata"].get("namespace", ""))
        for each in found
        if (call := failed.get(id(each)))
        for address in call.named
    }
    return Case(reads, found, cluster.now(), await _directory(cluster, wanted, namespace), failed)


async def read_all(
    cluster: Cluster, chosen: Sequence[Instance], wanted: Wanted, most: int = MOST_PODS
) -> tuple[list[tuple[Instance, str]], dict[str, str]]:
    """The logs that could be read, and words on those that could not, by pod. Raises ToolError if none
    could."""
    more = len(chosen) - most
    told = {"": f"{more} more pods of it were not read."} if more > 0 else {}
    each_room = replace(wanted, room=ROOM // max(1, len(chosen[:most])))
    tried = await asyncio.gather(
        *(_read(cluster, each, each_room) for each in chosen[:most]), return_exceptions=True
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


async def _directory(cluster: Cluster, wanted: Collection[tuple[Address, str]], namespace: str) -> Directory:
    """The Services behind addresses that were called in vain, each with the namespace of who called, and the
    pods and workloads that they select."""
    if not wanted:
        return Directory(())
    # With rights on one namespace only, addresses of others stay unresolved.
    services = await visible(cluster, "Service")
    if services is None and namespace:
        services = await visible(cluster, "Service", namespace)
    plain = Directory(services or ())
    # Proxies call the pods behind a Service by their own addresses.
    strange = {each.host for each, space in wanted if is_ip(each.host) and not plain.service(each, space)}
    everywhere = [
        each
        for each in (await visible(cluster, "Pod") or () if strange else ())
        if dig(each, "status", "podIP") in strange
    ]
    known = Directory(services or (), everywhere)
    reached = [found for each, space in wanted if (found := known.service(each, space))]
    spaces = sorted({each["metadata"]["namespace"] for each in reached})
    listed = await asyncio.gather(
        *(visible(cluster, kind, space) for kind in ("Pod", *WORKLOADS) for space in spaces)
    )
    objects = [each for some in listed for each in some or ()]
    selectors = [dig(each, "spec", "selector", default={}) for each in reached]
    pods = [o for o in objects if o["kind"] == "Pod" and any(_picks(each, o) for each in selectors)]
    return replace(known, pods=[*pods, *everywhere], workloads=[o for o in objects if o["kind"] != "Pod"])


def _picks(selector: Json, pod: Json) -> bool:
    return selected(dig(pod, "metadata", "labels", default={}), selector)
