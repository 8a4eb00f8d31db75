"""Pods that fail on their way out: no fault of the pods that have taken their place."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import about, event_text, first_seen, last_seen, quote_at, ref
from .._pods import containers, is_terminating
from ._scene import Scene, event_quotes, make
from .replicas import KINDS, desired, ready, updated

ASKED_TO_END = frozenset({0, 143})
"""Exit codes of a container that ended as it was told to."""
STOPPING = "Stopping container"


def while_stopping(events: list[Json], scene: Scene) -> list[Json]:
    """Those of the events that are about a pod which was told to stop before they began, or is going now."""
    return [each for each in events if _going(about(each), first_seen(each), scene)]


def _going(pod: Ref, moment: datetime, scene: Scene) -> bool:
    known = scene.get(pod)
    if known is not None and is_terminating(known):
        return True
    told = [e for e in scene.about(pod, "Killing") if STOPPING in event_text(e)]
    return any(first_seen(each) <= moment for each in told)


def old_pod_signals(workload: Json, scene: Scene, past: list[Json]) -> Iterator[Signal]:
    """`workload.old_pods_failed` where all is ready and only pods that are going, or are gone, have failed.

    `past` holds the events of trouble of the workload's pods.
    """
    want = desired(workload)
    if workload["kind"] not in KINDS or not want or min(ready(workload), updated(workload)) < want:
        return
    # A DaemonSet counts what is ready elsewhere.
    field = "numberReady" if workload["kind"] == "DaemonSet" else "readyReplicas"
    leaving = [quote for pod in scene.pods_of(ref(workload)) for quote in _ended_badly(pod)]
    events = while_stopping(past, scene)
    if not leaving and not events:
        return
    newest = max(events, key=last_seen, default=None)
    when = f", last {ago(last_seen(newest), scene.now)}" if newest else ""
    said = f"{newest['reason']} of {about(newest).name}{when}" if newest else "a container of it ended badly"
    yield make(
        "workload.old_pods_failed",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: all {want} pods of its template are ready; "
        f"only a pod that was told to stop has failed ({said})",
        [
            quote_at(workload, "status", field),
            *leaving[:4],
            *event_quotes([newest] if newest else []),
            *event_quotes(scene.about(ref(workload), "ScalingReplicaSet"), limit=2),
        ],
        severity="info",
        at=first_seen(newest) if newest else None,
        data={"ready": want},
    )


def _ended_badly(pod: Json) -> list[Quote]:
    """What shows of a pod that is going that a container of it failed; nothing of any other pod."""
    if not is_terminating(pod):
        return []
    bad = [
        each
        for each in containers(pod)
        if each.waiting == "CrashLoopBackOff" or (each.final and each.final.exit_code not in ASKED_TO_END)
    ]
    going = [quote_at(pod, "metadata", "deletionTimestamp")] if bad else []
    return [*going, *(quote_at(pod, "status", *each.where) for each in bad)]
