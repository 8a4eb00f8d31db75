"""The clock of a recorded world: starts at the recording's moment and runs on as real time passes."""

from datetime import UTC, datetime

from opssquad.times import Clock


def real_time() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class WorldClock:
    """A Clock that never runs backwards. At `speed` 20, twenty seconds pass for one of ours.

    It can be pinned to a moment: what a request writes is then stamped with its moment in the journal.
    """

    def __init__(
        self, start: datetime, started_at: datetime | None = None, speed: float = 1.0, real: Clock = real_time
    ) -> None:
        self.started_at = started_at or real()
        self.speed = speed
        self._start, self._real, self._last = start, real, start
        self._pinned: datetime | None = None

    def __call__(self) -> datetime:
        """The pinned moment, or now."""
        if self._pinned:
            return self._pinned
        passed = (self._real() - self.started_at) * self.speed
        self._last = max(self._last, self._start + passed)
        return self._last

    def pin(self, moment: datetime) -> None:
        """Stand still at a moment."""
        self._pinned = moment

    def release(self) -> datetime | None:
        """Run on, not from before the pinned moment; gives that moment, if it was pinned."""
        pinned, self._pinned = self._pinned, None
        if pinned:
            self._last = max(self._last, pinned)
        return pinned
