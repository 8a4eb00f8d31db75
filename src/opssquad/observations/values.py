"""A look at a revision of a workload, and the stretch of looks in which nothing about it changed."""

from datetime import datetime, timedelta

from opssquad.types import Ref, Value


class PodSeen(Value):
    """A pod at one look. `restarts` counts since the pod started, over all its containers. `ready_since` is
    None while it is not ready; `leaving` it is deleted or has ended. `fell` says how a container of it ended
    last, `fell_at` when."""

    uid: str
    name: str
    started: datetime | None = None
    ready_since: datetime | None = None
    restarts: int = 0
    leaving: bool = False
    fell: str = ""
    fell_at: datetime | None = None

    @property
    def state(self) -> tuple[object, ...]:
        """What must be equal at two looks for nothing to have happened to it in between: one that has been
        ready since before, and has not restarted, was ready all the time."""
        return self.uid, self.ready_since, self.restarts, self.leaving


class Standing(Value):
    """How a revision of a workload stands. `uid` is the workload's own: one made anew under its name is
    another. `revision` is the hash of its template, which stays when a rollback gives it a new `number` (0
    where that was not read). `desired` are the pods that it should have; `current`: it is asked for now."""

    workload: Ref
    uid: str
    revision: str
    number: int = 0
    desired: int = 0
    current: bool = False
    pods: tuple[PodSeen, ...] = ()

    @property
    def staying(self) -> tuple[PodSeen, ...]:
        """Its pods that are not on their way out."""
        return tuple(each for each in self.pods if not each.leaving)

    @property
    def ready(self) -> int:
        """How many of those are ready."""
        return sum(each.ready_since is not None for each in self.staying)

    @property
    def restarts(self) -> int:
        """Restarts of all its pods, each since it started."""
        return sum(each.restarts for each in self.pods)

    @property
    def state(self) -> tuple[object, ...]:
        """What must be equal at two looks for nothing to have happened in between."""
        return self.desired, self.current, frozenset(each.state for each in self.pods)

    def words(self) -> str:
        """`revision 3: 0 of 3 ready, 15 restarts`."""
        name = f"revision {self.number}" if self.number else f"revision {self.revision}"
        restarts = f"{self.restarts} restart{'s' * (self.restarts != 1)}"
        return f"{name}: {self.ready} of {max(self.desired, len(self.staying))} ready, {restarts}"


class Observation(Standing):
    """One look at a revision, `at` the cluster's own time."""

    at: datetime


class Stretch(Standing):
    """Looks at a revision, one after another, between which nothing about it changed. `begun` and `ended` are
    the first and the last of them, `gap` the longest time between two, in seconds."""

    begun: datetime
    ended: datetime
    looks: int = 1
    gap: float = 0.0


def begun(seen: Observation) -> Stretch:
    """The stretch that a look begins."""
    return Stretch(**seen.model_dump(exclude={"at"}), begun=seen.at, ended=seen.at)


def extended(stretch: Stretch, seen: Observation) -> Stretch | None:
    """The stretch with one look more; None where something has changed. Of two processes that look at once
    one is late, so the look may be of before it."""
    if seen.state != stretch.state:
        return None
    apart = max(seen.at - stretch.ended, stretch.begun - seen.at, timedelta()).total_seconds()
    return stretch.model_copy(
        update={
            "begun": min(stretch.begun, seen.at),
            "ended": max(stretch.ended, seen.at),
            "looks": stretch.looks + 1,
            "gap": max(stretch.gap, apart),
            # Not every look reads what holds the number.
            "number": seen.number or stretch.number,
        }
    )
