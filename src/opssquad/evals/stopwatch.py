"""The clock that a case's world runs by: real time, run faster where a squad only waits, and set forward."""

from datetime import datetime, timedelta

from opssquad.times import Clock, wall_clock


class Stopwatch:
    """A Clock that begins with the real one and never runs backwards."""

    def __init__(self, real: Clock = wall_clock) -> None:
        self._real = real
        begun = real()
        # Each stretch: from which real moment on, what was shown then, how fast it runs.
        self._stretches: list[tuple[datetime, datetime, float]] = [(begun, begun, 1.0)]

    def __call__(self) -> datetime:
        """What it shows now."""
        return self.at(self._real())

    def at(self, moment: datetime) -> datetime:
        """What it showed, or will show, at a real moment."""
        since, shown, rate = next(
            (each for each in reversed(self._stretches) if each[0] <= moment), self._stretches[0]
        )
        return shown + (moment - since) * rate

    def run(self, rate: float) -> None:
        """Go on at that many seconds for each real one."""
        self._begin(timedelta(), rate)

    def skip(self, span: timedelta) -> None:
        """Be that much later at once."""
        self._begin(span, self._stretches[-1][2])

    def _begin(self, span: timedelta, rate: float) -> None:
        moment = self._real()
        self._stretches.append((moment, self.at(moment) + span, rate))
