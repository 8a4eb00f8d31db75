"""What changed: one timeline of rollouts, scalings, edits; and the rollout history of one workload.

Reads and arranges; how a change is found in the objects is for the modules it stands on.
"""

import asyncio
from itertools import chain
from typing import Annotated

from opssquad import Cluster, History, Json, Ref, Result, ToolError, ago, clock_time, duration, tool

from ._entry import Entry, merged, sources
from ._kube import about, dig, kubectl, lately, ref, source, uid
from ._object_entries import in_window, object_entries, users_of
from ._observing import observations
from ._past import kept_of, pasts, told
from ._rights import as_data, not_read, tried, untimed, visible
from ._text import bullet
from ._workload_entries import history_of, rollout_data, rollout_words, workload_entries
from .signals._scene import Scene
from .signals.onset import onset_signals

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
KEEPERS = ("ReplicaSet", "ControllerRevision")
CONFIG = ("ConfigMap", "Secret", "Service", "ResourceQuota", "LimitRange", "Ingress", "NetworkPolicy")
AUTOSCALERS = ("HorizontalPodAutoscaler", "PodDisruptionBudget")
WIDE = ("Node", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
MOST = 30
MOST_ONSETS = 4


@tool(effect="read")
async def changes(
    cluster: Cluster,
    namespace: Annotated[str, "empty = all"] = "",
    minutes: int = 180,
    workload: Annotated[str, "only what touches this one"] = "",
) -> Result:
    """Everything that changed lately, newest first: rollouts with their diff, scalings, edits of ConfigMaps,
    Secrets, Services, quotas and nodes, with who and when."""
    objects, unread = await _read(cluster, namespace)
    unread |= untimed(cluster)
    now = cluster.now()
    every = _entries(objects)
    entries = in_window(every, now - lately(minutes), now)
    scene = Scene(now, chain.from_iterable(objects.values()))
    # What came before the trouble may be older than what was asked for.
    onsets = onset_signals(scene, every)
    if workload:
        onsets = [each for each in onsets if each.owner.name == workload]
        entries = [each for each in entries if each.touches(workload)]
    where = f"in {namespace}" if namespace else "in all namespaces"
    scope = f" that touch {workload}" if workload else ""
    lines = [f"Changes {where}{scope} in the last {duration(lately(minutes))}, newest first (UTC):"]
    lines += [_line(each, ago(each.at, now)) for each in entries[:MOST]]
    if not entries:
        lines.append("none that the API tells of")
    if len(entries) > MOST:
        lines.append(f"... and {len(entries) - MOST} earlier ones; ask for fewer minutes or one workload")
    lines += [line for each in onsets[:MOST_ONSETS] for line in bullet(each.text)]
    if unread:
        lines.append(not_read(unread))
    lines.append("Deleted objects and earlier edits by the same writer leave no trace here.")
    return Result(
        text="\n".join(lines),
        sources=merged(sources(entries), scene.sources(onsets)),
        data={
            "rollouts": [dict(e.data) for e in entries if e.data],
            "scope": {"namespace": namespace},
            "unread": as_data(unread),
        },
        signals=(*(each.signal for each in entries), *onsets),
        commands=_commands(namespace),
    )


def _commands(namespace: str) -> tuple[str, ...]:
    everywhere = not namespace
    objects = ("get", "deploy,rs,cm,svc", "--show-managed-fields", "-o", "yaml")
    return (
        kubectl("get", "events", "--sort-by=.lastTimestamp", namespace=namespace, everywhere=everywhere),
        kubectl(*objects, namespace=namespace, everywhere=everywhere),
    )


def _line(entry: Entry, age: str) -> str:
    cause = entry.data.get("cause")
    tail = (f", by {entry.who}" if entry.who else "") + (f' ("{cause}")' if cause else "")
    return f"{clock_time(entry.at)} ({age}) {entry.what}{tail}"


async def _read(cluster: Cluster, namespace: str) -> tuple[dict[str, list[Json]], dict[str, str]]:
    """Objects by kind, and the kinds that could not be read with the reason. Raises ToolError where neither
    Deployments nor events can be."""
    # Pods only tell when trouble began; those of a whole cluster would be too many for that.
    pods = ("Pod",) if namespace else ()
    kinds = (*WORKLOADS, *KEEPERS, *CONFIG, *AUTOSCALERS, *WIDE, "Event", *pods)
    found = await asyncio.gather(*(tried(cluster, kind, "" if kind in WIDE else namespace) for kind in kinds))
    by_kind = dict(zip(kinds, found, strict=True))
    failed = {kind: each for kind, each in by_kind.items() if isinstance(each, ToolError)}
    if "Deployment" in failed and "Event" in failed:
        raise failed["Deployment"]
    objects = {kind: each for kind, each in by_kind.items() if not isinstance(each, ToolError)}
    return objects, {kind: str(error) for kind, error in failed.items()}


def _entries(objects: dict[str, list[Json]]) -> list[Entry]:
    events = [each for each in objects.get("Event", ()) if about(each).kind in {*WORKLOADS, *AUTOSCALERS}]
    workloads = [each for kind in WORKLOADS for each in objects.get(kind, ())]
    keepers: dict[str, list[Json]] = {}
    for each in (one for kind in KEEPERS for one in objects.get(kind, ())):
        for owner in dig(each, "metadata", "ownerReferences", default=()):
            keepers.setdefault(owner.get("uid", ""), []).append(each)
    told: dict[Ref, list[Json]] = {}
    for event in events:
        told.setdefault(about(event), []).append(event)
    scalers = objects.get("HorizontalPodAutoscaler", [])
    rescales = [event for event in events if about(event).kind == "HorizontalPodAutoscaler"]
    found: list[Entry] = []
    for each in workloads:
        mine = [*told.get(ref(each), ()), *rescales]
        found += workload_entries(each, keepers.get(uid(each), []), mine, scalers)
    users = users_of(workloads)
    for kind in (*CONFIG, *AUTOSCALERS, *WIDE):
        for each in objects.get(kind, ()):
            found += object_entries(each, users)
    return found


@tool(effect="read")
async def history(
    cluster: Cluster, history: History, deployment: str, namespace: str, kind: str = "Deployment"
) -> Result:
    """The rollout history of a workload: each revision that is kept, its time, what it changed, and what is
    known of how it ran: restarts, and for how long it ran without one."""
    workload = await cluster.get(kind, deployment, namespace)
    kept = "ReplicaSet" if workload["kind"] == "Deployment" else "ControllerRevision"
    keepers, events, pods = await asyncio.gather(
        cluster.list(kept, namespace),
        cluster.list("Event", namespace, fields=f"involvedObject.name={deployment}"),
        visible(cluster, "Pod", namespace),
    )
    if pods is not None:
        await history.record(observations([workload], keepers, pods, cluster.now()))
    found, now = history_of(workload, keepers, events), cluster.now()
    if not found:
        raise ToolError(f"no rollout history of {kind.lower()} {deployment!r}: it has no {kept} left")
    lines = [f"Rollout history of {ref(workload)}, newest first (UTC):"]
    for each in found:
        at = each.revision.at
        when = f"{at:%Y-%m-%d %H:%M} ({ago(at, now)})" if at else "time unknown"
        mark = " [current]" if each.revision.current else "" if each.revision.kept else " [number used up]"
        cause = f' ("{each.revision.cause}")' if each.revision.cause else ""
        by = f", by {each.by}" if each.by else ""
        lines.append(f"{each.revision.number:>3}{mark} {when}{by}: {rollout_words(each)}{cause}")
    read = {str(ref(o)): source(o) for o in (workload, *(each.revision.keeper for each in found))}
    ran = pasts(workload, [each.revision for each in found], await kept_of(history, workload))
    return Result(
        text="\n".join([*lines, *told(ran)]),
        sources=(*read.values(), *(each.source for each in ran.values() if each)),
        signals=tuple(each.signal(ref(workload)) for each in ran.values() if each),
        data={
            "rollouts": [rollout_data(each) for each in found],
            "seen": [each.data() for each in ran.values() if each],
        },
        commands=(kubectl("rollout", "history", f"{kind.lower()}/{deployment}", namespace=namespace),),
    )
