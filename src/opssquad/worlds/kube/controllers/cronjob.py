"""What the CronJob controller notes of the Jobs of a CronJob. It starts none: schedules stand still in a
recorded world.
"""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import (
    annotations_of,
    condition,
    controller_of,
    copy,
    key_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

COMPONENT = "cronjob-controller"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
KEPT = {"Complete": ("successfulJobsHistoryLimit", 3), "Failed": ("failedJobsHistoryLimit", 1)}
"""How many finished Jobs stay: the field that says it, and what holds without it."""


class CronJobController:
    """Keeps the status of CronJobs and the number of their finished Jobs."""

    latency = 0.05

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The CronJob of a Job that was created or has finished."""
        owner = controller_of(change.object) if change.resource == kinds.JOBS else None
        if owner and owner["kind"] == "CronJob":
            yield namespace_of(change.object), owner["name"]

    def sync(self, key: tuple[str, str]) -> None:
        """Note which Jobs run and which have ended; let go of the oldest."""
        cron = self._plane.get(kinds.CRON_JOBS, *key)
        if cron is None:
            return
        old = status_of(cron)
        known = {each["uid"] for each in old.get("active") or ()}
        jobs = sorted(self._plane.owned(kinds.JOBS, cron), key=_born)
        running = [job for job in jobs if not _end(job)]
        status = {**old, "active": [_reference(job) for job in running]}
        for job in jobs:
            self._noted(cron, status, job, known)
        if not status["active"]:
            del status["active"]
        if status != old:
            self._plane.update(kinds.CRON_JOBS, {**copy(cron), "status": status}, subresource="status")
        for end, (field, usual) in KEPT.items():
            ended = [job for job in jobs if _end(job) == end]
            for job in ended[: max(0, len(ended) - cron["spec"].get(field, usual))]:
                self._plane.remove(kinds.JOBS, job)
                self._plane.events.say(cron, "SuccessfulDelete", f"Deleted job {name_of(job)}", COMPONENT)

    def _noted(self, cron: Json, status: Json, job: Json, known: set[str]) -> None:
        end, uid = _end(job), job["metadata"]["uid"]
        if not end and uid not in known:
            status["lastScheduleTime"] = annotations_of(job).get(SCHEDULED, _born(job))
            self._plane.events.say(cron, "SuccessfulCreate", f"Created job {name_of(job)}", COMPONENT)
        elif end and uid in known:
            text = f"Saw completed job: {name_of(job)}, condition: {end}"
            self._plane.events.say(cron, "SawCompletedJob", text, COMPONENT)
            if end == "Complete":
                status["lastSuccessfulTime"] = status_of(job)["completionTime"]


def _born(job: Json) -> str:
    return str(job["metadata"]["creationTimestamp"])


def _end(job: Json) -> str:
    return next((kind for kind in KEPT if condition(status_of(job), kind)), "")


def _reference(job: Json) -> Json:
    namespace, name = key_of(job)
    meta = job["metadata"]
    return {
        "kind": "Job",
        "namespace": namespace,
        "name": name,
        "uid": meta["uid"],
        "apiVersion": "batch/v1",
        "resourceVersion": meta["resourceVersion"],
    }
