"""Runs a command's coroutine to its end, or until the process is told to go: then it is cancelled like by
Ctrl-C, so that requests are closed, programs are ended and the thread stays resumable.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from opssquad.cli.failures import Told

T = TypeVar("T")
STOPS = (signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. Raises Told after SIGTERM or SIGHUP, when all has been cleared up."""
    told: list[int] = []

    async def until_told() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: int) -> None:
            told.append(number)
            if task:
                task.cancel()

        for each in STOPS:
            loop.add_signal_handler(each, stop, int(each))
        return await work

    try:
        return asyncio.run(until_told())
    except asyncio.CancelledError:
        if told:
            raise Told(told[0]) from None
        raise
