"""The status of a Deployment: counts, conditions, and whether its rollout moves. Pure functions."""

from datetime import datetime, timedelta

from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.controllers.deployment.sizes import max_unavailable, total
from opssquad.worlds.kube.controllers.meta import condition, copy, drop_zeros, name_of

AVAILABLE, FAILED, CREATED = "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "NewReplicaSetCreated"
UPDATED, PAUSED, RESUMED = "ReplicaSetUpdated", "DeploymentPaused", "DeploymentResumed"


def make(kind: str, status: str, reason: str, message: str, now: datetime) -> Json:
    """A new condition, as of now."""
    stamp = rfc3339(now)
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def with_condition(status: Json, new: Json, force: bool = False) -> Json:
    """The status with a condition set; one with the same status and reason stays, unless forced.

    The time of transition moves only with the condition's status. A condition that was set stands last.
    """
    old = condition(status, new["type"])
    if old and old["status"] == new["status"]:
        if old["reason"] == new["reason"] and not force:
            return status
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return {**without(status, new["type"]), "conditions": [*without(status, new["type"])["conditions"], new]}


def without(status: Json, kind: str) -> Json:
    """The status without a type of condition."""
    return {**status, "conditions": [c for c in status.get("conditions") or [] if c["type"] != kind]}


def has_deadline(deployment: Json) -> bool:
    """Whether progressDeadlineSeconds is set to something that can pass."""
    return (deployment["spec"].get("progressDeadlineSeconds") or 2**31 - 1) != 2**31 - 1


def counts(deployment: Json, every: list[Json], current: Json | None, now: datetime) -> Json:
    """The counts and the condition Available, from the ReplicaSets as read; other conditions stay."""
    old = deployment.get("status") or {}
    stated = [rs.get("status") or {} for rs in every]

    def summed(field: str) -> int:
        return sum(status.get(field, 0) for status in stated)

    available = summed("availableReplicas")
    numbers = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": summed("replicas"),
        "updatedReplicas": ((current or {}).get("status") or {}).get("replicas", 0),
        "readyReplicas": summed("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(every) - available),
        "terminatingReplicas": summed("terminatingReplicas"),
        "collisionCount": old.get("collisionCount", 0),
    }
    status = drop_zeros(numbers, frozenset({"observedGeneration", "terminatingReplicas"}))
    status["conditions"] = copy(old.get("conditions") or [])
    if available >= deployment["spec"]["replicas"] - max_unavailable(deployment):
        message = "Deployment has minimum availability."
        return with_condition(status, make("Available", "True", "MinimumReplicasAvailable", message, now))
    message = "Deployment does not have minimum availability."
    return with_condition(status, make("Available", "False", "MinimumReplicasUnavailable", message, now))


def is_complete(deployment: Json, status: Json) -> bool:
    """Whether every replica is new and available, and no old one is left."""
    replicas = deployment["spec"]["replicas"]
    fields = ("updatedReplicas", "replicas", "availableReplicas")
    settled = all(status.get(field, 0) == replicas for field in fields)
    return settled and status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]


def moves(deployment: Json, status: Json) -> bool:
    """Whether counts moved forward since the status that is stored."""
    old = deployment.get("status") or {}

    def leftover(counts: Json) -> int:
        return int(counts.get("replicas", 0) - counts.get("updatedReplicas", 0))

    fields = ("updatedReplicas", "readyReplicas", "availableReplicas")
    grown = any(status.get(field, 0) > old.get(field, 0) for field in fields)
    return grown or leftover(status) < leftover(old)


def deadline(deployment: Json) -> datetime | None:
    """When the rollout will have made no progress for too long; None if no deadline runs."""
    progressing = condition(deployment.get("status") or {}, "Progressing")
    if not has_deadline(deployment) or not progressing or progressing["reason"] in (AVAILABLE, FAILED):
        return None
    seconds = deployment["spec"]["progressDeadlineSeconds"]
    return parse_time(progressing["lastUpdateTime"]) + timedelta(seconds=seconds)


def _timed_out(deployment: Json, status: Json, now: datetime) -> bool:
    progressing = condition(status, "Progressing")
    if progressing and progressing["reason"] == FAILED:
        return True
    end = deadline({**deployment, "status": status})
    return end is not None and end < now


def rollout(deployment: Json, every: list[Json], current: Json | None, now: datetime) -> Json:
    """The status during and after a rollout: counts, then Progressing, then ReplicaFailure."""
    status = counts(deployment, every, current, now)
    if not has_deadline(deployment):
        status = without(status, "Progressing")
    progressing = condition(status, "Progressing")
    settled = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and progressing is not None
        and progressing["reason"] == AVAILABLE
    )
    if has_deadline(deployment) and not settled:
        name = name_of(current) if current else name_of(deployment)
        kind = "ReplicaSet" if current else "Deployment"
        status = _progressing(deployment, status, f'{kind} "{name}"', now)
    failures = [c for rs in every if (c := condition(rs.get("status") or {}, "ReplicaFailure"))]
    if current and (own := condition(current.get("status") or {}, "ReplicaFailure")):
        failures = [own]
    if not failures:
        return without(status, "ReplicaFailure")
    first = failures[0]
    failure = make("ReplicaFailure", first["status"], first["reason"], first["message"], now)
    failure["lastTransitionTime"] = first["lastTransitionTime"]
    return with_condition(status, failure)


def _progressing(deployment: Json, status: Json, what: str, now: datetime) -> Json:
    if is_complete(deployment, status):
        message = f"{what} has successfully progressed."
        return with_condition(status, make("Progressing", "True", AVAILABLE, message, now))
    if moves(deployment, status):
        message = f"{what} is progressing."
        return with_condition(status, make("Progressing", "True", UPDATED, message, now), force=True)
    if _timed_out(deployment, status, now):
        message = f"{what} has timed out progressing."
        return with_condition(status, make("Progressing", "False", FAILED, message, now))
    return status
