"""What the Job controller does to Jobs and their pods, and when. What a Job amounts to is in `counting`.

Indexed and suspended Jobs, deadlines and CronJobs stand still.
"""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import ApiStatus
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming, podspec
from opssquad.worlds.kube.controllers.admission import Admission
from opssquad.worlds.kube.controllers.job.counting import FINALIZER, MET, End, Tally, is_tracked, released
from opssquad.worlds.kube.controllers.meta import (
    condition,
    controller_of,
    copy,
    drop_zeros,
    is_deleted,
    key_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

COMPONENT = "job-controller"
BATCH = 1.0
"""Seconds that changes of pods are gathered before a Job is looked at."""
RETRY = 10.0
"""Seconds until a refused creation is tried again; the real back-off grows to minutes."""
KEPT = frozenset({"ready", "terminating"})


class JobController:
    """Keeps the pods of Jobs that have not finished."""

    latency = 0.02

    def __init__(self, plane: Plane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission
        self._gathering: set[tuple[str, str]] = set()

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The Job itself at once; the owner of a pod a little later."""
        if change.resource == kinds.JOBS:
            yield key_of(change.object)
        elif change.resource == kinds.PODS and change.type != "DELETED":
            owner = controller_of(change.object)
            if owner and owner["kind"] == "Job":
                self._gather((namespace_of(change.object), owner["name"]))

    def _gather(self, key: tuple[str, str]) -> None:
        if key in self._gathering:
            return
        self._gathering.add(key)

        def look() -> None:
            self._gathering.discard(key)
            self.sync(key)

        self._plane.kernel.after(BATCH, look)

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a Job."""
        job = self._plane.get(kinds.JOBS, *key)
        self._let_go(*key, job["metadata"]["uid"] if job else "")
        if job is None:
            return
        pods = self._plane.owned(kinds.PODS, job)
        if _finished(job) or is_deleted(job):
            for pod in pods:
                self._release(pod)
            return
        if job["spec"].get("suspend"):
            return
        tally = Tally(job, pods)
        end = tally.end()
        if end:
            for pod in tally.active:
                self._plane.delete_pod(pod)
            created, tally = 0, Tally(job, self._plane.owned(kinds.PODS, job))
        else:
            created = self._create_missing(job, tally)
        self._write(job, tally, end, created)

    def _let_go(self, namespace: str, name: str, uid: str) -> None:
        """The pods of a Job that is gone wait for nobody, even if there is a new one of its name."""
        for pod in self._plane.all(kinds.PODS, namespace):
            owner = controller_of(pod)
            if owner and (owner["kind"], owner["name"]) == ("Job", name) and owner["uid"] != uid:
                self._release(pod)

    def _release(self, pod: Json) -> None:
        if is_tracked(pod):
            stored = self._plane.update(kinds.PODS, released(pod))
            if not stored["metadata"].get("deletionGracePeriodSeconds"):
                self._plane.finish(kinds.PODS, stored)

    def _create_missing(self, job: Json, tally: Tally) -> int:
        """Create the pods that are missing; how many."""
        moment = tally.replaced_at()
        if tally.missing() and moment and moment > self._plane.now:
            self._plane.kernel.at(moment, lambda: self._plane.kernel.look(self, key_of(job)))
            return 0
        return sum(self._create(job, number) for number in range(tally.missing()))

    def _create(self, job: Json, number: int) -> bool:
        prefix = f"{name_of(job)}-"
        name = prefix + naming.suffix(self._plane.seed, prefix, self._plane.store.revision, number)
        try:
            pod = podspec.from_template(self._plane, job, job["spec"]["template"], name)
            self._admission.admit(pod)
        except ApiStatus as error:
            message = f"Error creating: {error.message}"
            self._plane.events.say(job, "FailedCreate", message, COMPONENT, warning=True)
            self._plane.kernel.look_in(RETRY, self, key_of(job))
            return False
        pod["metadata"] |= {"generateName": prefix, "finalizers": [FINALIZER]}
        self._plane.create(kinds.PODS, pod)
        self._plane.events.say(job, "SuccessfulCreate", f"Created pod: {name}", COMPONENT)
        return True

    def _write(self, job: Json, tally: Tally, end: End | None, created: int) -> None:
        """Note which pods end, let them go, and only then count them: three steps, none lost between."""
        old = status_of(job)
        uncounted = {"succeeded": tally.new_successes, "failed": tally.new_failures}
        numbers = {
            "active": len(tally.active) + created,
            "ready": tally.ready,
            "terminating": len(tally.terminating),
            "succeeded": old.get("succeeded", 0),
            "failed": old.get("failed", 0),
        }
        status = {
            **drop_zeros(numbers, KEPT),
            "startTime": old.get("startTime", self._plane.stamp),
            "uncountedTerminatedPods": {kind: uids for kind, uids in uncounted.items() if uids},
        }
        conditions = list(old.get("conditions") or ())
        if end and not condition(old, end.decided):
            conditions.append(self._condition(end.decided, end))
        job = self._put(job, status, conditions)
        for pod in tally.uncounted:
            self._release(pod)
        counted = drop_zeros({**numbers, "succeeded": tally.succeeded, "failed": tally.failed}, KEPT)
        status = {**status, **counted, "uncountedTerminatedPods": {}}
        if end and not tally.active and not tally.terminating:
            conditions = [*conditions, self._condition(end.over, end)]
            if end is MET:
                status["completionTime"] = self._plane.stamp
            self._put(job, status, conditions)
            text = ("Completed", "Job completed") if end is MET else (end.reason, end.message)
            self._plane.events.say(job, *text, COMPONENT, warning=end is not MET)
        else:
            self._put(job, status, conditions)

    def _put(self, job: Json, status: Json, conditions: list[Json]) -> Json:
        whole = {**({"conditions": conditions} if conditions else {}), **status}
        if whole == status_of(job):
            return job
        return self._plane.update(kinds.JOBS, {**copy(job), "status": whole}, subresource="status")

    def _condition(self, kind: str, end: End) -> Json:
        stamp = self._plane.stamp
        times = {"lastProbeTime": stamp, "lastTransitionTime": stamp}
        return {"type": kind, "status": "True", **times, "reason": end.reason, "message": end.message}


def _finished(job: Json) -> bool:
    return any(condition(status_of(job), kind) for kind in ("Complete", "Failed"))
