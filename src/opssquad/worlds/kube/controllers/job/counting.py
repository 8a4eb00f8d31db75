"""What a Job's pods amount to: which are to be counted, how the Job ends, when a failed pod is replaced.

Pure functions on objects. A pod carries a finalizer until it is counted, so that none is counted twice and
none is lost, even if it is deleted meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.controllers.meta import (
    condition,
    copy,
    is_active,
    is_deleted,
    is_finished,
    is_ready,
    status_of,
)

FINALIZER = "batch.kubernetes.io/job-tracking"
FIRST_PAUSE, LONGEST_PAUSE = 10, 600  # seconds until a failed pod is replaced, doubled after each failure
BACKOFF_LIMIT = 6


@dataclass(frozen=True)
class End:
    """How a Job ends: the condition that says it is decided, the one that says it is over, and why."""

    decided: str
    over: str
    reason: str
    message: str


MET = End("SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods")
LOST = End("FailureTarget", "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


@dataclass(frozen=True)
class Tally:
    """The pods of a Job as they are, and those that end now and were never counted."""

    job: Json
    pods: Sequence[Json]

    @property
    def active(self) -> list[Json]:
        """Pods that are at work or will be."""
        return [pod for pod in self.pods if is_active(pod)]

    @property
    def terminating(self) -> list[Json]:
        """Pods that were deleted and have not ended yet."""
        return [pod for pod in self.pods if is_deleted(pod) and not is_finished(pod)]

    @property
    def uncounted(self) -> list[Json]:
        """Pods that count now: finished, or deleted before they could."""
        return [pod for pod in self.pods if is_tracked(pod) and (is_finished(pod) or is_deleted(pod))]

    @property
    def new_successes(self) -> list[str]:
        """The uids of uncounted pods that did what they were for."""
        return [uid(pod) for pod in self.uncounted if _phase(pod) == "Succeeded"]

    @property
    def new_failures(self) -> list[str]:
        """The uids of uncounted pods that did not."""
        return [uid(pod) for pod in self.uncounted if _phase(pod) != "Succeeded"]

    @property
    def succeeded(self) -> int:
        """All that succeeded so far."""
        return int(status_of(self.job).get("succeeded", 0)) + len(self.new_successes)

    @property
    def failed(self) -> int:
        """All that failed so far."""
        return int(status_of(self.job).get("failed", 0)) + len(self.new_failures)

    @property
    def ready(self) -> int:
        """Active pods that are ready."""
        return sum(map(is_ready, self.active))

    def end(self) -> End | None:
        """How the Job ends, once that is decided."""
        status, spec = status_of(self.job), self.job["spec"]
        for end in (LOST, MET):
            if condition(status, end.decided):
                return end
        if self.failed > spec.get("backoffLimit", BACKOFF_LIMIT):
            return LOST
        return MET if self.succeeded >= self.completions() and not self._any_enough() else None

    def completions(self) -> int:
        """How many must succeed; without a number, one is enough."""
        return int(self.job["spec"].get("completions") or 1)

    def missing(self) -> int:
        """How many pods more should be at work."""
        spec = self.job["spec"]
        if spec.get("completions") is None and self.succeeded:
            return 0
        left = spec.get("parallelism", 1)
        if spec.get("completions") is not None:
            left = min(left, spec["completions"] - self.succeeded)
        return max(0, int(left) - len(self.active))

    def replaced_at(self) -> datetime | None:
        """Not before when a pod may be created; None if no failure stands in the way."""
        ends = sorted(_ended_at(pod) for pod in self.pods if _phase(pod) == "Failed" and _ended_at(pod))
        wins = [_ended_at(pod) for pod in self.pods if _phase(pod) == "Succeeded" and _ended_at(pod)]
        since = [end for end in ends if not wins or end > max(wins)]
        if not since:
            return None
        pause = min(FIRST_PAUSE << min(len(since) - 1, 10), LONGEST_PAUSE)
        return parse_time(since[-1]) + timedelta(seconds=pause)

    def _any_enough(self) -> bool:
        """A Job without a number of completions is over when its last pod is."""
        return self.job["spec"].get("completions") is None and bool(self.active)


def is_tracked(pod: Json) -> bool:
    """Whether a pod was not counted yet."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def released(pod: Json) -> Json:
    """A copy of a pod that was counted."""
    changed: Json = copy(pod)
    left = [name for name in pod["metadata"]["finalizers"] if name != FINALIZER]
    if left:
        changed["metadata"]["finalizers"] = left
    else:
        del changed["metadata"]["finalizers"]
    return changed


def uid(pod: Json) -> str:
    """metadata.uid."""
    return str(pod["metadata"]["uid"])


def _phase(pod: Json) -> str:
    return str(status_of(pod).get("phase", ""))


def _ended_at(pod: Json) -> str:
    statuses = status_of(pod).get("containerStatuses") or ()
    ends = [(s["state"].get("terminated") or {}).get("finishedAt", "") for s in statuses]
    return max(ends, default="")
