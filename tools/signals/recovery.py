"""Workloads that are well: never in trouble, or recovered from what the events still tell."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Quote, Ref, Signal, ago, clock_time

from .._kube import (
    HASH_LABEL,
    condition,
    created,
    dig,
    event_count,
    event_text,
    first_seen,
    last_seen,
    moment,
    quote_at,
    ref,
)
from .._pods import containers, is_finished, is_ready, is_terminating, started
from ._scene import STALE, Scene, event_quotes, make
from .containers import is_looping
from .replicas import KINDS, desired, ready
from .stopping import while_stopping

TROUBLE = frozenset(
    {
        *("BackOff", "Failed", "FailedCreate", "FailedScheduling", "FailedMount", "Unhealthy", "Evicted"),
        *("FailedCreatePodSandBox", "FailedAttachVolume", "NodeNotReady"),
    }
)
"""Reasons of events that tell of trouble of a workload's pods."""
TRIED_AGAIN = frozenset(
    {"Unhealthy", "Failed", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"}
)
"""Those that any start of a pod may show: a probe that is too early, a volume that is not there yet, one pull
that timed out. Where it does not pass, they come again, and `BackOff` comes with them."""


def health_signals(workload: Json, scene: Scene, past: list[Json]) -> Iterator[Signal]:
    """`workload.recovered` or `workload.healthy` for a workload that has all its pods ready.

    `past` holds the events of trouble of its pods, those that are gone included.
    """
    want = desired(workload)
    if not want or ready(workload) < want:
        return
    since = _ready_since(workload, scene)
    passing = while_stopping(past, scene)
    events = [each for each in past if since and first_seen(each) < since and each not in passing]
    anew = [] if events else _made_anew(workload, scene, since)
    if since and (events or anew):
        yield _recovered(workload, scene, since, events, anew)
    else:
        yield make(
            "workload.healthy",
            workload,
            ref(workload),
            f"{workload['kind']} {workload['metadata']['name']}: all {want} pods ready",
            _ready_quotes(workload),
            severity="info",
            at=since,
            data={"ready": want},
        )


def _ready_since(workload: Json, scene: Scene) -> datetime | None:
    """When the newest of its pods became ready."""
    pods = [each for each in scene.pods_of(ref(workload)) if is_ready(each) and not is_terminating(each)]
    times = [moment(condition(each, "Ready").get("lastTransitionTime")) for each in pods]
    return max((each for each in times if each), default=None)


def _recovered(workload: Json, scene: Scene, since: datetime, events: list[Json], anew: list[Json]) -> Signal:
    """That it is well since then: after what `events` tell of, or after its pod was made `anew`."""
    newest = max(events or anew, key=last_seen)
    trouble = f"the trouble that events still tell of ({newest['reason']})"
    told = f"{trouble} ended {ago(last_seen(newest), scene.now)}"
    name = f"{workload['kind']} {workload['metadata']['name']}"
    return make(
        "workload.recovered",
        workload,
        ref(workload),
        f"{name}: all {desired(workload)} pods ready since {clock_time(since)} ({ago(since, scene.now)}); "
        + (told if events else f"its only pod was made anew then ({event_text(newest)})"),
        [
            *_ready_quotes(workload),
            *event_quotes([newest]),
            *event_quotes(scene.about(ref(workload), "ScalingReplicaSet"), limit=2),
            *_images(workload, scene),
        ],
        severity="info",
        at=since,
        data={
            # A controller counts every pod that it ever made into one event.
            "began": min([*map(first_seen, events), *map(last_seen, anew)]).isoformat(),
            "since": since.isoformat(),
            "ready": desired(workload),
            "reason": newest["reason"],
        },
    )


def _made_anew(workload: Json, scene: Scene, since: datetime | None) -> list[Json]:
    """The event by which the only pod of a StatefulSet was made again: nothing served meanwhile."""
    if workload["kind"] != "StatefulSet" or desired(workload) != 1:
        return []
    begun = created(workload)
    made = scene.about(ref(workload), "SuccessfulCreate")
    return [each for each in made if since and begun and begun + STALE < last_seen(each) <= since][:1]


def _ready_quotes(workload: Json) -> list[Quote]:
    path = ("status", "numberReady" if workload["kind"] == "DaemonSet" else "readyReplicas")
    return [quote_at(workload, *path)] if dig(workload, *path) is not None else []


def _images(workload: Json, scene: Scene) -> Iterator[Quote]:
    for each in dig(workload, "spec", "template", "spec", "containers", default=()):
        yield from scene.template(ref(workload), each["name"], "image")


def divided(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`workload.same_revision_runs`: of one template one pod crashes and another runs."""
    groups: dict[str, list[Json]] = {}
    for pod in scene.pods_of(ref(workload)):
        if not is_terminating(pod) and not is_finished(pod):
            groups.setdefault(str(dig(pod, "metadata", "labels", HASH_LABEL, default="")), []).append(pod)
    for name, pods in groups.items():
        fine = [each for each in pods if is_ready(each)]
        bad = [each for each in pods if any(is_looping(c, scene) for c in containers(each))]
        if name and fine and bad:
            old, new = min(fine, key=started), min(bad, key=started)
            yield make(
                "workload.same_revision_runs",
                workload,
                ref(workload),
                f"{workload['kind']} {workload['metadata']['name']}: of one template, pod "
                f"{old['metadata']['name']} (started {ago(started(old), scene.now)}) runs, pod "
                f"{new['metadata']['name']} (started {ago(started(new), scene.now)}) crashes: look for what "
                "changed in between outside of the template",
                [
                    quote_at(old, "metadata", "labels", HASH_LABEL),
                    quote_at(new, "metadata", "labels", HASH_LABEL),
                ],
                at=started(new),
                data={
                    "runs": str(ref(old)),
                    "crashes": str(ref(new)),
                    "running_since": started(old).isoformat(),
                },
            )


def troubled(scene: Scene) -> dict[Ref, list[Json]]:
    """Events of trouble by the workload they fall to; a pod that is gone is told by its ReplicaSet's name."""
    found: dict[Ref, list[Json]] = {}
    makers = [(ref(each), scene.owner(each)) for each in scene.of("ReplicaSet", *KINDS)]
    for subject, events in scene.events.items():
        bad = [each for each in events if _is_trouble(each)]
        if bad and (answers := _answers(subject, scene, makers)):
            found.setdefault(answers, []).extend(bad)
    return found


def _is_trouble(event: Json) -> bool:
    """What the kubelet tries again by itself, and that failed once or twice, is a pod that took its time."""
    reason = event.get("reason")
    return reason in TROUBLE and (reason not in TRIED_AGAIN or event_count(event) >= 3)


def _answers(subject: Ref, scene: Scene, makers: list[tuple[Ref, Ref]]) -> Ref | None:
    if obj := scene.get(subject):
        return scene.owner(obj)
    mine = [
        (maker, answers)
        for maker, answers in makers
        if maker.namespace == subject.namespace and subject.name.startswith(f"{maker.name}-")
    ]
    return max(mine, key=lambda each: len(each[0].name))[1] if mine else None
