"""Entering a network namespace, for the thread that asks: Python has `os.setns` only from 3.12 on."""

import asyncio
import ctypes
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
FOLDER = Path("/run/netns")
NEW_NET = 0x40000000


def enter(namespace: str) -> None:
    """Have the calling thread, and threads that it starts, live in a namespace. There is no way back."""
    libc = ctypes.CDLL(None, use_errno=True)
    with (FOLDER / namespace).open() as file:
        if libc.setns(file.fileno(), NEW_NET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)


def inside(namespace: str, work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine in a namespace, by an event loop in a thread of its own that ends with it."""

    async def wait() -> T:
        return await work()

    def main() -> T:
        enter(namespace)
        return asyncio.run(wait())

    # An executor for the one thread: it hands on what that returns or raises.
    with ThreadPoolExecutor(1, f"in {namespace}") as thread:
        return thread.submit(main).result()
