"""What is injected into a tool by type: never given by a model, limited to what the call may do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Self

from opssquad.observations import Observation, Stretch
from opssquad.types import Effect


class Handle:
    """Base of everything that is injected into a tool by type: a cluster, a database, a clock."""

    def limited(self, effect: Effect) -> Self:
        """The handle as a call of that effect may have it: for `read` it must refuse every write."""
        return self


class Clock(Handle):
    """The world's time, which in a recording is that of the incident."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now


class Progress(Handle):
    """Lets a running tool say what it sees, line by line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say


class Record(Handle):
    """What this conversation has on record so far: its timeline, and what that means for a fault or for all
    (`""`)."""

    def __init__(
        self, timeline: Callable[[], Awaitable[str]], differential: Callable[[str], Awaitable[str]]
    ) -> None:
        self.timeline = timeline
        self.differential = differential


async def _kept_nowhere(seen: Sequence[Observation]) -> Sequence[Observation]:
    return ()


async def _nothing_known(uid: str) -> Sequence[Stretch]:
    return ()


class History(Handle):
    """What looks have shown of the revisions of workloads, in this conversation and before it.

    `record` keeps looks and gives those that tell something new; `of` gives what is kept of the workload of
    that uid, in the order it was seen. Where nothing is kept both give nothing. Both raise StoreError.
    """

    def __init__(
        self,
        record: Callable[[Sequence[Observation]], Awaitable[Sequence[Observation]]] = _kept_nowhere,
        of: Callable[[str], Awaitable[Sequence[Stretch]]] = _nothing_known,
    ) -> None:
        self.record = record
        self.of = of


Handles = Mapping[type[Handle], Handle]
