"""Workloads: replicas that are missing, scaling to zero, rollouts that stand still."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Quote, Signal, ago, clock_time, duration

from .._edits import last_edit
from .._kube import condition, dig, event_text, last_seen, moment, quote, quote_at, ref
from .._pods import is_ready, is_terminating, started
from .._revisions import CAUSE
from ._scene import STALE, Scene, event_quotes, make
from .callers import as_data, callers, services_of
from .containers import trouble_since
from .replicas import desired, ready, updated

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
STALLED = timedelta(minutes=5)
"""A new pod that is not ready after so long does not get a rollout on."""
WITH_IT = timedelta(minutes=15)
"""How far from the scaling its cause may have been put on record."""
SCALED = re.compile(r"Scaled (?:up|down) replica set \S+ (?:from (?P<from>\d+) )?to (?P<to>\d+)")


def workload_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """What is wrong with a Deployment, StatefulSet or DaemonSet as a whole."""
    if workload["kind"] != "DaemonSet" and desired(workload) == 0:
        yield _scaled_to_zero(workload, scene)
    elif ready(workload) < desired(workload):
        yield _unavailable(workload, scene)
    if workload["kind"] == "Deployment":
        yield from _rollout(workload, scene)
    elif _behind(workload):
        yield _in_progress(workload, scene)


def _unavailable(workload: Json, scene: Scene) -> Signal:
    have, want = ready(workload), desired(workload)
    since = _unavailable_since(workload, scene)
    lasts = f" since {clock_time(since)} ({duration(scene.now - since)})" if since else ""
    return make(
        "workload.unavailable",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: {have} of {want} pods ready{lasts}",
        _count_quotes(workload),
        severity="critical" if have == 0 else "warning",
        at=since,
        data={"desired": want, "ready": have},
    )


def _unavailable_since(workload: Json, scene: Scene) -> datetime | None:
    available = condition(workload, "Available")
    known = [moment(available.get("lastTransitionTime"))] if available.get("status") == "False" else []
    lost = [trouble_since(pod, scene) for pod in scene.pods_of(ref(workload)) if not is_ready(pod)]
    return min((each for each in (*known, *lost) if each), default=None)


def _count_quotes(workload: Json) -> list[Quote]:
    paths = (("status", "unavailableReplicas"), ("status", "readyReplicas"), ("status", "numberUnavailable"))
    found = [quote_at(workload, *path) for path in paths if dig(workload, *path) is not None]
    return found or [quote_at(workload, "status")]


def _scaled_to_zero(workload: Json, scene: Scene) -> Signal:
    events = scene.about(ref(workload), "ScalingReplicaSet", "SuccessfulDelete")
    down = next((e for e in events if (m := SCALED.search(event_text(e))) and m["to"] == "0"), None)
    match = SCALED.search(event_text(down)) if down else None
    manifest = applied_replicas(workload)
    before = int(match["from"]) if match and match["from"] else manifest or None
    at = last_seen(down) if down else moment(condition(workload, "Available").get("lastTransitionTime"))
    fresh = down is not None or scene.is_recent(at, STALE)
    name = f"{workload['kind']} {workload['metadata']['name']}"
    text = f"{name}: scaled to 0" + (f" from {before}" if before else "")
    text += f" at {clock_time(at)}, {ago(at, scene.now)}" if at else ""
    text += f"; its applied manifest says {manifest}" if manifest else ""
    autoscaled = any(targets(hpa, workload) for hpa in scene.of("HorizontalPodAutoscaler"))
    by, planned = scaled_by(workload), _planned(workload, at)
    return make(
        "workload.scaled_to_zero",
        workload,
        ref(workload),
        text + (f"; set by {by}" if by else "") + (f"; on record with it: {planned}" if planned else ""),
        (
            quote_at(workload, "spec", "replicas"),
            *event_quotes([down] if down else []),
            *([quote_at(workload, "metadata", "annotations", CAUSE)] if planned else []),
        ),
        severity="critical" if fresh and not planned else "info",
        at=at,
        data={
            "from": before,
            "manifest": manifest,
            "by": by,
            "autoscaler": autoscaled,
            "planned": planned,
            **as_data(callers(services_of(workload, scene), scene)),
        },
    )


def _planned(workload: Json, at: datetime | None) -> str:
    """The cause of change that somebody put on record with the scaling; "" where it is of another time."""
    said = str(dig(workload, "metadata", "annotations", CAUSE, default=""))
    written = last_edit(workload, f"metadata.annotations[{CAUSE}]")
    return said if said and at and written and abs(written.at - at) <= WITH_IT else ""


def applied_replicas(workload: Json) -> int | None:
    """spec.replicas of the manifest that `kubectl apply` put there last, if it names any."""
    text = dig(workload, "metadata", "annotations", APPLIED)
    try:
        value = dig(json.loads(text), "spec", "replicas") if text else None
    except ValueError:
        return None
    return value if isinstance(value, int) else None


def scaled_by(workload: Json) -> str:
    """The manager on record for spec.replicas through the scale subresource; "" where none is."""
    for entry in dig(workload, "metadata", "managedFields", default=()):
        if entry.get("subresource") == "scale" and dig(entry, "fieldsV1", "f:spec", "f:replicas") is not None:
            return str(entry.get("manager", ""))
    return ""


def targets(hpa: Json, workload: Json) -> bool:
    """Whether the autoscaler scales this workload."""
    target = dig(hpa, "spec", "scaleTargetRef", default={})
    same = hpa["metadata"].get("namespace") == workload["metadata"].get("namespace")
    return same and (target.get("kind"), target.get("name")) == (
        workload["kind"],
        workload["metadata"]["name"],
    )


def _rollout(workload: Json, scene: Scene) -> Iterator[Signal]:
    progressing = condition(workload, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        at = moment(progressing.get("lastTransitionTime"))
        yield make(
            "rollout.stuck",
            workload,
            ref(workload),
            f"Deployment {workload['metadata']['name']}: its rollout stands still ({updated(workload)} of "
            f"{desired(workload)} pods updated, {ready(workload)} ready); the deadline passed "
            f"{ago(at, scene.now) if at else ''}".rstrip(),
            [quote(workload, '"reason":"ProgressDeadlineExceeded"')],
            severity="critical",
            at=at,
            data={"updated": updated(workload), "desired": desired(workload)},
        )
    elif _behind(workload):
        yield _in_progress(workload, scene)


def _behind(workload: Json) -> bool:
    if dig(workload, "spec", "updateStrategy", "type") == "OnDelete" or not desired(workload):
        return False
    if workload["kind"] == "StatefulSet":
        current, new = (dig(workload, "status", f"{each}Revision") for each in ("current", "update"))
        return bool(new) and current != new
    observed = dig(workload, "status", "observedGeneration", default=0)
    total = dig(workload, "status", "replicas", default=0)
    return (
        observed < dig(workload, "metadata", "generation", default=0)
        or updated(workload) < desired(workload)
        or (workload["kind"] == "Deployment" and total > updated(workload))
    )


def _stalled_since(workload: Json, scene: Scene) -> datetime | None:
    """When the pod started that has kept the rollout waiting longest; None where none has for long."""
    waiting = (p for p in scene.pods_of(ref(workload)) if not is_ready(p) and not is_terminating(p))
    first = min(map(started, waiting), default=scene.now)
    return first if updated(workload) and scene.now - first >= STALLED else None


def _in_progress(workload: Json, scene: Scene) -> Signal:
    paused, since = bool(dig(workload, "spec", "paused")), _stalled_since(workload, scene)
    how = (
        "paused"
        if paused
        else f"without progress for {duration(scene.now - since)}"
        if since
        else "under way"
    )
    return make(
        "rollout.in_progress",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: rollout {how}: {updated(workload)} of "
        f"{desired(workload)} pods are of the new template, {ready(workload)} ready",
        [quote_at(workload, "status")],
        severity="warning" if paused or since else "info",
        at=since or moment(condition(workload, "Progressing").get("lastUpdateTime")),
        data={
            "updated": updated(workload),
            "desired": desired(workload),
            "paused": paused,
            "stalled": since is not None,
        },
    )
