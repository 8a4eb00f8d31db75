"""Where the lines of a conversation come from when nobody types them live: a pipe, or a script that is typed
visibly. The live prompt is in `prompt`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from opssquad.cli.clean import Clean
from opssquad.cli.render.screen import MUTED, STRONG, Screen
from opssquad.cli.text import visible
from opssquad.events import Event


@dataclass
class Mood:
    """What a source may want to show: whether a card waits, what runs, and the line at the bottom."""

    card: bool = False
    busy: str = ""
    status: str = ""


class Lines(Protocol):
    """A source of lines. `live`: lines come while a run goes on (a prompt); else only when it is over."""

    live: bool

    async def next(self, mood: Mood) -> str:
        """The next line. Raises EOFError at the end, KeyboardInterrupt for Ctrl-C."""
        ...

    def see(self, event: Event) -> None:
        """What happens on screen, for completion."""


def asked(mood: Mood) -> str:
    """What stands before a typed line."""
    return "approve? " if mood.card else "you> "


class Pipe:
    """One line of a stream is one utterance; it is echoed, so that the output reads as a conversation."""

    live = False

    def __init__(self, stream: TextIO, screen: Screen, clean: Clean) -> None:
        self._stream, self._screen, self._clean = stream, screen, clean

    async def next(self, mood: Mood) -> str:
        """The next line that is not empty. Raises EOFError at the end of the stream."""
        while True:
            line = await asyncio.to_thread(self._stream.readline)
            if not line:
                raise EOFError
            if line.strip():
                break
        self._screen.gap()
        self._screen.line((asked(mood), MUTED), (visible(self._clean(line.strip())), STRONG))
        return line.strip()

    def see(self, event: Event) -> None:
        """Nothing is completed here."""


@dataclass(frozen=True)
class Line:
    """A line of a script: what to type, whether it answers a card, and a word to the onlooker before it."""

    text: str
    answers_card: bool = False
    note: str = ""


class Script:
    """Types the lines of a script visibly. `pace` is in seconds per character; 0 types at once.

    A line that answers a card is typed only when a card is up, and a card is answered by no other line.
    """

    live = False

    def __init__(self, lines: Sequence[Line], screen: Screen, pace: float) -> None:
        self._lines, self._screen, self._pace = list(lines), screen, pace

    async def next(self, mood: Mood) -> str:
        """Type the next line that fits. Raises EOFError at the end, or when a card has no answer here."""
        while self._lines and self._lines[0].answers_card and not mood.card:
            self._lines.pop(0)
        if not self._lines or self._lines[0].answers_card != mood.card:
            raise EOFError
        line = self._lines.pop(0)
        await asyncio.sleep(self._pace * 25)
        self._screen.gap()
        if line.note:
            self._screen.line((line.note, MUTED))
        await self._type(asked(mood), line.text)
        await asyncio.sleep(self._pace * 10)
        return line.text

    def see(self, event: Event) -> None:
        """Nothing is completed here."""

    async def _type(self, before: str, text: str) -> None:
        if not self._pace or not self._screen.interactive:
            self._screen.line((before, MUTED), (text, STRONG))
            return
        self._screen.console.print(before, end="", style=MUTED)
        for char in text:
            self._screen.console.print(char, end="", style=STRONG, soft_wrap=True)
            await asyncio.sleep(self._pace)
        self._screen.gap()
