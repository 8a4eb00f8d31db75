"""Pods and their containers in words: the state as kubectl prints it, restarts, when things happened.

Pure functions over Pod objects. Which states are faults is for `signals`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad import Json, duration

from ._kube import UNDATED, condition, created, dig, moment

LISTS = (("initContainerStatuses", True), ("containerStatuses", False))


@dataclass(frozen=True)
class Past:
    """A container instance that ended."""

    exit_code: int
    reason: str
    message: str = ""
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True)
class Container:
    """One container of a pod as its status tells it. `where` is the path of the status in the object."""

    name: str
    init: bool
    where: tuple[str, int]
    ready: bool
    restarts: int
    image: str
    waiting: str = ""
    message: str = ""
    running_since: datetime | None = None
    ended: Past | None = None
    last: Past | None = None

    @property
    def final(self) -> Past | None:
        """The newest end of it: of this instance, else of the one before."""
        return self.ended or self.last


def containers(pod: Json) -> list[Container]:
    """Init containers first, then the others, as far as the kubelet has reported on them."""
    return [
        _container(status, init, (field, index))
        for field, init in LISTS
        for index, status in enumerate(dig(pod, "status", field, default=()))
    ]


def _container(status: Json, init: bool, where: tuple[str, int]) -> Container:
    waiting = dig(status, "state", "waiting", default={})
    return Container(
        name=status["name"],
        init=init,
        where=where,
        ready=bool(status.get("ready")),
        restarts=int(status.get("restartCount") or 0),
        image=status.get("image") or "",
        waiting=waiting.get("reason") or "",
        message=waiting.get("message") or "",
        running_since=moment(dig(status, "state", "running", "startedAt")),
        ended=_past(dig(status, "state", "terminated")),
        last=_past(dig(status, "lastState", "terminated")),
    )


def _past(terminated: Json | None) -> Past | None:
    if terminated is None:
        return None
    return Past(
        exit_code=int(terminated.get("exitCode") or 0),
        reason=terminated.get("reason") or "",
        message=terminated.get("message") or "",
        started=moment(terminated.get("startedAt")),
        finished=moment(terminated.get("finishedAt")),
    )


def started(pod: Json) -> datetime:
    """When the pod started on its node (status.startTime), else when it was created; `UNDATED` if neither is
    told."""
    return moment(dig(pod, "status", "startTime")) or created(pod) or UNDATED


def lived(pod: Json, now: datetime) -> str:
    """How long ago it started: `47 min`; `?` where that is not told."""
    return duration(now - start) if (start := started(pod)) != UNDATED else "?"


def restarts(pod: Json) -> int:
    """Restarts of all its containers, since the pod started: the API knows no other window."""
    return sum(each.restarts for each in containers(pod))


def ready_count(pod: Json) -> str:
    """`1/2`: ready containers of all that are not init containers."""
    ready = sum(each.ready for each in containers(pod) if not each.init)
    return f"{ready}/{len(dig(pod, 'spec', 'containers', default=()))}"


def is_ready(pod: Json) -> bool:
    """Whether the Ready condition holds."""
    return condition(pod, "Ready").get("status") == "True"


def pod_addresses(pod: Json) -> tuple[str, ...]:
    """Its addresses of both families, the main one first."""
    more = (each.get("ip") for each in dig(pod, "status", "podIPs", default=()))
    return tuple(dict.fromkeys(each for each in (dig(pod, "status", "podIP"), *more) if each))


def is_finished(pod: Json) -> bool:
    """Whether the pod ran to its end: Succeeded or Failed."""
    return dig(pod, "status", "phase") in {"Succeeded", "Failed"}


def is_terminating(pod: Json) -> bool:
    """Whether its deletion was asked for."""
    return bool(dig(pod, "metadata", "deletionTimestamp"))


def overdue(pod: Json, now: datetime) -> timedelta | None:
    """How long past its deletion deadline a terminating pod still exists; None while in time.

    The deletion timestamp already holds the grace period.
    """
    deadline = moment(dig(pod, "metadata", "deletionTimestamp"))
    return now - deadline if deadline and now > deadline else None


def state(pod: Json) -> str:
    """The STATUS column of `kubectl get pods`: `CrashLoopBackOff`, `Init:0/1`, `Terminating` ..."""
    base = dig(pod, "status", "reason") or dig(pod, "status", "phase", default="Unknown")
    for condition_ in dig(pod, "status", "conditions", default=()):
        if condition_.get("type") == "PodScheduled" and condition_.get("reason") == "SchedulingGated":
            base = "SchedulingGated"
    words = next(_init_words(pod), "") or _main_words(pod, base)
    if is_terminating(pod):
        return "Unknown" if dig(pod, "status", "reason") == "NodeLost" else "Terminating"
    return words


def _init_words(pod: Json) -> Iterator[str]:
    total = len(dig(pod, "spec", "initContainers", default=()))
    done = 0
    for each in (c for c in containers(pod) if c.init):
        sidecar = is_sidecar(pod, each.name) and (each.ready or each.running_since)
        if (each.ended and each.ended.exit_code == 0) or sidecar:
            done += 1
        elif each.ended:
            yield f"Init:{each.ended.reason or f'ExitCode:{each.ended.exit_code}'}"
        elif each.waiting and each.waiting != "PodInitializing":
            yield f"Init:{each.waiting}"
        else:
            yield f"Init:{done}/{total}"


def is_sidecar(pod: Json, name: str) -> bool:
    """Whether it is an init container that runs on beside the others."""
    return any(
        each["name"] == name and each.get("restartPolicy") == "Always"
        for each in dig(pod, "spec", "initContainers", default=())
    )


def _main_words(pod: Json, base: str) -> str:
    words, running = base, False
    for each in reversed([c for c in containers(pod) if not c.init]):
        if each.waiting:
            words = each.waiting
        elif each.ended:
            words = each.ended.reason or f"ExitCode:{each.ended.exit_code}"
        elif each.ready and each.running_since:
            running = True
    if words == "Completed" and running:
        return "Running" if is_ready(pod) else "NotReady"
    return words
