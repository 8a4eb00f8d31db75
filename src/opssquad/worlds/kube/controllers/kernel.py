"""Virtual time: what is due when, and which controller looks at which object after which change.

A discrete-event loop, pure in (objects, seed, moments of outside changes): how often `advance` is called
changes nothing. What controllers do is in their own modules.
"""

import heapq
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from opssquad.worlds.kube.apiserver.store import Change, Store

Work = Callable[[], None]


class Controller(Protocol):
    """Looks at an object some milliseconds after a change that concerns it."""

    latency: float
    """Seconds from a change to the look."""

    def concerns(self, change: Change) -> Iterable[Hashable]:
        """The keys of what must be looked at because of a change."""

    def sync(self, key: Any) -> None:
        """Bring the world a step nearer to what the object says."""


class Kernel:
    """The queue of everything that is due, and the moment the world has reached."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.now = now
        self.controllers: list[Controller] = []
        self._due: list[tuple[datetime, int, Work]] = []
        self._count = 0
        self._queued: set[tuple[int, Hashable]] = set()
        self._seen = store.revision

    def after(self, seconds: float, work: Work) -> None:
        """Do something `seconds` from now."""
        self.at(self.now + timedelta(seconds=seconds), work)

    def at(self, moment: datetime, work: Work) -> None:
        """Do something at a moment; at once if it has passed. Equal moments keep their order."""
        self._count += 1
        heapq.heappush(self._due, (max(moment, self.now), self._count, work))

    def look(self, controller: Controller, key: Hashable) -> None:
        """Have a controller look at a key after its latency, unless that is queued already."""
        entry = (id(controller), key)
        if entry in self._queued:
            return
        self._queued.add(entry)

        def work() -> None:
            self._queued.discard(entry)
            controller.sync(key)

        self.after(controller.latency, work)

    def look_in(self, seconds: float, controller: Controller, key: Hashable) -> None:
        """Have a controller look at a key later, whatever is queued."""
        self.after(seconds, lambda: self.look(controller, key))

    def observe(self, moment: datetime) -> None:
        """Take notice of changes that were made from outside at a moment not before the last one."""
        self.now = max(self.now, moment)
        self._route()

    def advance(self, moment: datetime) -> None:
        """Do everything that is due up to a moment, each at its own time."""
        self._route()
        while self._due and self._due[0][0] <= moment:
            self.now, _, work = heapq.heappop(self._due)
            work()
            self._route()
        self.now = max(self.now, moment)

    def next_due(self) -> datetime | None:
        """When the next thing is due; None when the world is at rest."""
        return self._due[0][0] if self._due else None

    def _route(self) -> None:
        for change in self.store.since(self._seen):
            for controller in self.controllers:
                for key in controller.concerns(change):
                    self.look(controller, key)
        self._seen = self.store.revision
