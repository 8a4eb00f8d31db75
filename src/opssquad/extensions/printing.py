"""What a tool prints, kept from our screen: stdout carries answers and, served to agents, a protocol."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

MOST = 2_000
"""Characters that are kept of what is printed; the rest is counted."""


class Printed:
    """What one call has printed so far."""

    def __init__(self) -> None:
        self._kept, self._more = io.StringIO(), 0

    def write(self, text: str) -> None:
        """Keep it, as far as there is room."""
        room = max(MOST - self._kept.tell(), 0)
        self._kept.write(text[:room])
        self._more += max(len(text) - room, 0)

    def text(self) -> str:
        """The text, and how much more there was."""
        return self._kept.getvalue().rstrip() + (f"\n… {self._more:,} characters more" if self._more else "")


_PRINTED: ContextVar[Printed | None] = ContextVar("printed", default=None)


class _Diverting:
    """A stream that gives what a tool prints to its call, and all else to the stream that it stands for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if printed := _PRINTED.get():
            printed.write(text)
            return len(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def diverted(printed: Printed) -> Iterator[None]:
    """What this task and the threads that it starts print goes there."""
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), _Diverting):
            # For good: other tasks print at the same time, and each must reach its own.
            setattr(sys, name, _Diverting(getattr(sys, name)))
    token = _PRINTED.set(printed)
    try:
        yield
    finally:
        _PRINTED.reset(token)
