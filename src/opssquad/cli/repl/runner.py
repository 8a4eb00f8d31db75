"""One run at a time, in the background of the prompt: begun, followed, stopped. What an event looks like, and
who answers a card, is known elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from opssquad.events import Event


class Runner:
    """Follows the events of a run. `see` gets each event, `ended` is told how the run ended: None for well,
    the error, or `asyncio.CancelledError` when it was stopped."""

    def __init__(self, see: Callable[[Event], None], ended: Callable[[BaseException | None], None]) -> None:
        self._see, self._ended = see, ended
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._task is not None and not self._task.done()

    def begin(self, events: AsyncIterator[Event]) -> None:
        """Follow these events from now on. The run before must be over."""
        if self.running:
            raise AssertionError("one run at a time")
        self._task = asyncio.create_task(self._follow(events))
        self._task.add_done_callback(self._done)

    async def finish(self) -> None:
        """Wait until nothing runs, also what the end of a run began."""
        while self._task is not None and self.running:
            await asyncio.wait([self._task])
            # A task's callbacks run one step after its end.
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Cancel the run and wait until it is gone."""
        if self._task is not None and self.running:
            self._task.cancel()
            await asyncio.wait([self._task])
            await asyncio.sleep(0)

    async def _follow(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._see(event)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._ended(asyncio.CancelledError() if task.cancelled() else task.exception())
