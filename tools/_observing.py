"""Looks at the revisions of workloads, made of what was read; pure. What is made of them is `_past`'s."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from opssquad import Json, Observation, PodSeen

from ._kube import HASH_LABEL, condition, dig, moment, ref, uid
from ._pods import Past, containers, is_finished, is_ready, is_terminating, restarts, started
from ._revisions import number, owned
from .signals._scene import Scene

REVISION_LABEL = "controller-revision-hash"
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
NEEDED = ("Pod", *KINDS, "ReplicaSet")
"""Kinds that must have been read whole: a pod that was left out would count as gone."""


def seen_in(scene: Scene) -> list[Observation]:
    """The looks that a scene holds; none where it leaves out pods, or what tells whose they are."""
    if not scene.complete.issuperset(NEEDED):
        return []
    return observations(scene.of(*KINDS), scene.of("ReplicaSet"), scene.of("Pod"), scene.now)


def observations(
    workloads: Iterable[Json], keepers: Iterable[Json], pods: Iterable[Json], now: datetime
) -> list[Observation]:
    """One look at every revision that has pods, or is to have some. `keepers` are ReplicaSets and, for the
    numbers of the others' revisions, ControllerRevisions."""
    by_owner: dict[str, list[Json]] = defaultdict(list)
    for pod in pods:
        by_owner[_owner(pod)].append(pod)
    kept: dict[str, list[Json]] = defaultdict(list)
    for keeper in keepers:
        kept[_owner(keeper)].append(keeper)
    return [
        look
        for each in workloads
        if uid(each)
        for look in (_of_deployment if each["kind"] == "Deployment" else _of_others)(
            each, owned(each, kept[uid(each)]), by_owner, now
        )
    ]


def _owner(obj: Json) -> str:
    owners = dig(obj, "metadata", "ownerReferences", default=())
    return next((str(each.get("uid", "")) for each in owners if each.get("controller")), "")


def revision_of(keeper: Json) -> str:
    """What tells the template that a ReplicaSet or ControllerRevision holds from others of the workload."""
    label = HASH_LABEL if keeper["kind"] == "ReplicaSet" else REVISION_LABEL
    return str(dig(keeper, "metadata", "labels", label) or keeper["metadata"]["name"])


def _of_deployment(
    workload: Json, keepers: list[Json], pods: Mapping[str, list[Json]], now: datetime
) -> Iterator[Observation]:
    for keeper in keepers:
        mine, desired = pods.get(uid(keeper), []), int(dig(keeper, "spec", "replicas", default=0))
        if mine or desired:
            yield Observation(
                workload=ref(workload),
                uid=uid(workload),
                revision=revision_of(keeper),
                number=number(keeper),
                desired=desired,
                current=bool(number(keeper)) and number(keeper) == number(workload),
                pods=tuple(map(_pod, mine)),
                at=now,
            )


def _of_others(
    workload: Json, keepers: list[Json], pods: Mapping[str, list[Json]], now: datetime
) -> Iterator[Observation]:
    by_revision: dict[str, list[Json]] = defaultdict(list)
    for pod in pods.get(uid(workload), ()):
        if label := dig(pod, "metadata", "labels", REVISION_LABEL):
            by_revision[str(label)].append(pod)
    numbers = {revision_of(each): int(each.get("revision") or 0) for each in keepers}
    for revision, mine in by_revision.items():
        yield Observation(
            workload=ref(workload),
            uid=uid(workload),
            revision=revision,
            number=numbers.get(revision, 0),
            # While two revisions run, how many of each are wanted stands nowhere.
            desired=_desired(workload) if len(by_revision) == 1 else len(mine),
            current=_is_current(workload, revision, mine, numbers),
            pods=tuple(map(_pod, mine)),
            at=now,
        )


def _desired(workload: Json) -> int:
    if workload["kind"] == "DaemonSet":
        return int(dig(workload, "status", "desiredNumberScheduled", default=0))
    return int(dig(workload, "spec", "replicas", default=1))


def _is_current(workload: Json, revision: str, pods: list[Json], numbers: Mapping[str, int]) -> bool:
    if workload["kind"] == "StatefulSet":
        return bool(dig(workload, "status", "updateRevision") == revision)
    # The label is written by the DaemonSet's controller; it is the generation of the template.
    template = dig(workload, "metadata", "annotations", "deprecated.daemonset.template.generation")
    generations = {dig(each, "metadata", "labels", "pod-template-generation") for each in pods}
    return template in generations


def _pod(pod: Json) -> PodSeen:
    ready = condition(pod, "Ready")
    fell = _fall(pod)
    return PodSeen(
        uid=uid(pod),
        name=pod["metadata"]["name"],
        started=started(pod),
        # A condition that tells no time began, for all that is known, with the pod.
        ready_since=(moment(ready.get("lastTransitionTime")) or started(pod)) if is_ready(pod) else None,
        restarts=restarts(pod),
        leaving=is_terminating(pod) or is_finished(pod),
        fell=f"exit code {fell.exit_code}{f' ({fell.reason})' if fell.reason else ''}" if fell else "",
        fell_at=fell.finished if fell else None,
    )


def _fall(pod: Json) -> Past | None:
    """The newest end of a container that was started again after it."""
    ends = [each.last for each in containers(pod) if each.last and each.last.finished]
    return max(ends, key=lambda each: each.finished or started(pod), default=None)
