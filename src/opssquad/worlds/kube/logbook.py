"""The logs of a recorded world: what was recorded, and what containers that started since have written.

A line is there once its time has come, so a followed log grows as the world's clock runs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from opssquad.times import Clock
from opssquad.worlds.kube.apiserver.world import LogLine
from opssquad.worlds.kube.recording import Recording

Where = tuple[str, str, str]
"""Namespace, pod, container."""


class Logbook:
    """Logs by container: of the current instance and the one before."""

    def __init__(self, recording: Recording, now: Clock) -> None:
        self._now = now
        self._recording = recording
        self._current: dict[Where, list[LogLine]] = {}
        self._previous: dict[Where, list[LogLine]] = {}
        self.recorded = cache(lambda where, previous: _recorded(recording, where, previous))

    def read(self, namespace: str, pod: str, container: str, previous: bool) -> Sequence[LogLine] | None:
        """All lines so far of the current (or previous) instance; None if there is no such log."""
        where = (namespace, pod, container)
        if where in self._current:
            lines = self._previous.get(where) if previous else self._current[where]
        else:
            lines = self.recorded(where, previous)
        now = stamp(self._now())
        return None if lines is None else [line for line in lines if line.time <= now]

    def begin(self, where: Where, lines: Iterable[LogLine], fresh: bool) -> None:
        """A container starts and will write these lines. `fresh`: it is the first instance in a new pod."""
        if fresh:
            self._previous.pop(where, None)
        elif where in self._current:
            self._previous[where] = self._current[where]
        elif (recorded := self.recorded(where, False)) is not None:
            self._previous[where] = recorded
        self._current[where] = list(lines)

    def lines(self, path: str) -> list[LogLine]:
        """A recorded log by its path in the recording."""
        return _parsed(self._recording.lines(path))

    def end(self, where: Where, moment: datetime) -> None:
        """The container has ended: what it would have written later is not written."""
        if where in self._current:
            self._current[where] = [line for line in self._current[where] if line.time <= stamp(moment)]


def stamp(moment: datetime) -> str:
    """A moment as the container runtime writes it, with nanoseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _recorded(recording: Recording, where: Where, previous: bool) -> list[LogLine] | None:
    lines = recording.log(*where, previous=previous)
    return None if lines is None else _parsed(lines)


def _parsed(lines: list[str]) -> list[LogLine]:
    return [LogLine(*line.partition(" ")[::2]) for line in lines]
