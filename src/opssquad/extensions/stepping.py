"""Runs functions that may never end: neither the event loop nor the end of the process waits for them."""

import asyncio
import contextlib
import signal
import threading
import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from functools import partial
from types import FrameType
from typing import Any

from opssquad.types import Json

BLOCKED = 10.0
"""Seconds for which an async function may keep all others from running, once: it should await, or not be
async."""


class Blocked(Exception):
    """An async function blocked the event loop."""

    def __init__(self) -> None:
        super().__init__(f"it is async and kept everything else waiting for {BLOCKED:g} s; await, or use def")


async def in_thread(function: Callable[..., Any], given: Json) -> Any:
    """Call it in a thread that the process does not wait for when it ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(value)

    def work() -> None:
        value, failed = None, None
        try:
            value = context.run(function, **given)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            # StopIteration cannot be set on a future, and SystemExit would end only this thread.
            failed = error if isinstance(error, Exception) and not isinstance(error, StopIteration) else None
            failed = failed or RuntimeError(f"{type(error).__name__} {error}".strip())
        # Nobody waits any more where the loop is closed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, value, failed)

    threading.Thread(target=work, daemon=True, name=f"tool {function.__name__}").start()
    return await done


@types.coroutine
def stepped(coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Await a coroutine, each step of which is ended where it blocks the loop. Raises Blocked."""
    step = partial(coroutine.send, None)
    while True:
        try:
            with _bounded():
                awaited = step()
        except StopIteration as done:
            return done.value
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 - it is thrown into the coroutine
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, value)


@contextlib.contextmanager
def _bounded() -> Generator[None]:
    """End what runs inside after a while, by a signal: nothing else interrupts a call that blocks."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Blocked

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, BLOCKED)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
