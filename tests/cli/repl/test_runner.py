"""One run at a time: followed, stopped, and honest about how it ended."""

import asyncio
from collections.abc import AsyncIterator

from opssquad.cli.repl.runner import Runner
from opssquad.errors import ToolError
from opssquad.events import Event
from tests.cli.replay import recorded


async def endless() -> AsyncIterator[Event]:
    yield recorded("ask")[0]
    await asyncio.Event().wait()


async def broken() -> AsyncIterator[Event]:
    yield recorded("ask")[0]
    raise ToolError("the server hung up")


class Notes:
    """Keeps what a runner reports."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ends: list[BaseException | None] = []
        self.runner = Runner(self.events.append, self.ends.append)


async def test_a_stopped_run_is_over_when_stop_returns() -> None:
    notes = Notes()
    notes.runner.begin(endless())
    await asyncio.sleep(0.01)
    assert notes.runner.running
    await notes.runner.stop()
    assert not notes.runner.running
    assert [type(e) for e in notes.ends] == [asyncio.CancelledError]
    assert len(notes.events) == 1


async def test_an_error_is_handed_over_and_the_next_run_may_begin() -> None:
    notes = Notes()
    notes.runner.begin(broken())
    await notes.runner.finish()
    assert str(notes.ends[0]) == "the server hung up"
    notes.runner.begin(broken())
    await notes.runner.finish()
    assert len(notes.ends) == 2
