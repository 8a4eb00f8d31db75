"""Reads side by side, so many at a time, and the list of those that failed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from opssquad.errors import ToolError
from opssquad.worlds.kube.recording.notes import Missing

T = TypeVar("T")
AT_ONCE = 8
"""Reads in flight: enough to hide the way to the server, too few to be a load for it."""
LONGEST = 300
"""Characters of a reason."""


class Turns:
    """Lets `AT_ONCE` reads run. `missing` is what could not be read so far."""

    def __init__(self) -> None:
        self.missing: list[Missing] = []
        self._free = asyncio.Semaphore(AT_ONCE)

    async def take(self, kind: str, where: str, read: Callable[[], Awaitable[T]]) -> T | None:
        """What the read gives; None, and a line in `missing`, where it fails."""
        async with self._free:
            try:
                return await read()
            except ToolError as error:
                self.lacks(kind, where, str(error))
                return None

    def lacks(self, kind: str, where: str, reason: str) -> None:
        """Note that something is not there."""
        said = " ".join(reason.split())[:LONGEST] or "no reason was given"
        self.missing.append(Missing(kind=kind, where=where, reason=said))
