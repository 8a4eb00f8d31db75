"""The Job controller, as far as a plain Job needs it: pods until enough succeeded or too many failed.

Indexed and suspended Jobs, deadlines and CronJobs stand still.
"""

from collections.abc import Iterable
from typing import Any

from opssquad.worlds.kube.apiserver.status import ApiStatus
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming, podspec
from opssquad.worlds.kube.controllers.meta import (
    condition,
    controller_of,
    copy,
    drop_zeros,
    is_deleted,
    is_ready,
    key_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

Json = dict[str, Any]
COMPONENT = "job-controller"
MET = ("SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods")
LOST = (
    "FailureTarget",
    "Failed",
    "BackoffLimitExceeded",
    "Job has reached the specified backoff limit",
)


class JobController:
    """Keeps the pods of Jobs that have not finished."""

    latency = 0.02

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The Job itself, and the owner of a pod."""
        if change.resource == kinds.JOBS and change.type != "DELETED":
            yield key_of(change.object)
        elif change.resource == kinds.PODS:
            owner = controller_of(change.object)
            if owner and owner["kind"] == "Job":
                yield namespace_of(change.object), owner["name"]

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a Job."""
        job = self._plane.get(kinds.JOBS, *key)
        if job is None or is_deleted(job) or job["spec"].get("suspend") or _finished(job):
            return
        pods = self._plane.owned(kinds.PODS, job)
        phases = [status_of(pod).get("phase") for pod in pods]
        succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
        active = [pod for pod in pods if status_of(pod).get("phase") in ("Pending", "Running")]
        wanted = job["spec"].get("completions") or 1
        end = LOST if failed > job["spec"].get("backoffLimit", 6) else MET if succeeded >= wanted else None
        missing = 0 if end else min(job["spec"].get("parallelism", 1), wanted - succeeded) - len(active)
        for number in range(missing):
            self._create(job, number)
        counts = {"active": len(active) + max(0, missing), "ready": sum(map(is_ready, active))}
        self._write(job, {**counts, "succeeded": succeeded, "failed": failed}, end)

    def _create(self, job: Json, number: int) -> None:
        prefix = f"{name_of(job)}-"
        name = prefix + naming.suffix(self._plane.seed, prefix, self._plane.store.revision, number)
        try:
            pod = podspec.from_template(self._plane, job, job["spec"]["template"], name)
        except ApiStatus as error:
            message = f"Error creating: {error.message}"
            self._plane.events.say(job, "FailedCreate", message, COMPONENT, warning=True)
            return
        pod["metadata"]["generateName"] = prefix
        self._plane.create(kinds.PODS, pod)
        self._plane.events.say(job, "SuccessfulCreate", f"Created pod: {name}", COMPONENT)

    def _write(self, job: Json, counts: Json, end: tuple[str, ...] | None) -> None:
        old = status_of(job)
        numbers = drop_zeros({**counts, "terminating": 0}, frozenset({"ready", "terminating"}))
        status = {
            **numbers,
            "startTime": old.get("startTime", self._plane.stamp),
            "uncountedTerminatedPods": {},
        }
        if end:
            target, kind, reason, message = end
            status["conditions"] = [self._condition(word, reason, message) for word in (target, kind)]
            if end is MET:
                status["completionTime"] = self._plane.stamp
                self._plane.events.say(job, "Completed", "Job completed", COMPONENT)
            else:
                self._plane.events.say(job, reason, message, COMPONENT, warning=True)
        if status != old:
            self._plane.update(kinds.JOBS, {**copy(job), "status": status}, subresource="status")

    def _condition(self, kind: str, reason: str, message: str) -> Json:
        stamp = self._plane.stamp
        times = {"lastProbeTime": stamp, "lastTransitionTime": stamp}
        return {"type": kind, "status": "True", **times, "reason": reason, "message": message}


def _finished(job: Json) -> bool:
    return any(condition(status_of(job), kind) for kind in ("Complete", "Failed"))
