"""The screen: a few primitives over a rich console that wrap at the width, write any encoding, and never
interpret what they print. What is drawn with them lives in the other modules of this package.
"""

import re
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO, cast

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from opssquad.cli import text as plain

LABEL = 9
"""Columns that the label of a field has."""
READABLE = 100
"""Columns past which lines get hard to read; a wider terminal is not filled."""

_BULLET = re.compile(r"^ *(?:[-*•]|\d+[.)]|\d\d:\d\d(?: -)?)? +")
_LABEL = re.compile(r"^ *[A-Za-z]\w{0,9} {2,}(?=\S)")
_MARKS = re.compile(r"\[e\d+(?: e\d+)+\]")
MUTED, STRONG, GOOD, BAD, WARN, MARK = "dim", "bold", "green", "red", "yellow", "cyan"


class Outlet:
    """Standard output as it is now (a prompt may have put itself in between), any encoding."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file

    @property
    def _now(self) -> TextIO:
        return self._file or sys.stdout

    @property
    def encoding(self) -> str:
        """The encoding that the text must fit in."""
        return getattr(self._now, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write, with ASCII stand-ins for what the encoding lacks."""
        self._now.write(plain.in_encoding(text, self.encoding))
        return len(text)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._now.flush()

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._now.isatty()

    def fileno(self) -> int:
        """The descriptor, where there is one."""
        return self._now.fileno()


class Screen:
    """Where everything is printed. `width` is in columns; 0 takes the terminal's, 80 in a pipe."""

    def __init__(self, *, no_color: bool = False, width: int = 0, file: TextIO | None = None) -> None:
        self.console = Console(
            file=cast(TextIO, Outlet(file)),
            no_color=no_color or None,
            width=width or None,
            markup=False,
            emoji=False,
            highlight=False,
        )

    @property
    def width(self) -> int:
        """Columns to use now; a terminal may be resized."""
        return min(self.console.width, READABLE)

    @property
    def interactive(self) -> bool:
        """Whether a person looks at it."""
        return self.console.is_terminal

    def line(self, *parts: str | tuple[str, str]) -> None:
        """One line of parts, each text or (text, style); the parts are ours or already made visible. What is
        wider than the screen is left to the terminal to fold."""
        self.console.print(Text.assemble(*parts), soft_wrap=True)

    def gap(self) -> None:
        """An empty line."""
        self.console.print()

    def rule(self, title: str = "", style: str = MUTED) -> None:
        """A line across, with a title at its left."""
        head = f"── {title} " if title else ""
        self.line((head + "─" * max(self.width - cell_len(head), 2), style))

    def flow(self, text: str, *, indent: int = 0, first: str = "", style: str = "") -> None:
        """Text from outside, word by word into the width; `first` stands before the first line. Lines that
        look laid out (a table, an indented block) are kept as they are."""
        margin = " " * indent
        head = first or margin
        for line in plain.lines(text):
            for piece in self._wrapped(line, indent):
                self.line((head + piece if piece else head.rstrip(), style))
                head = margin

    def block(self, lines: Iterable[str], *, indent: int = 0, style: str = "") -> None:
        """Laid-out lines, already made visible. The indent gives way where that makes a table fit; a line
        wider than the screen goes on below, indented."""
        lines = list(lines)
        # A line too wide for any indent is folded below; the others are not to be torn for its sake.
        widest = max((n for n in map(cell_len, lines) if n <= self.width), default=0)
        indent = min(indent, self.width - widest)
        room = max(self.width - indent, 20)
        for line in lines:
            for number, piece in enumerate(chop(line, room)):
                self.line((" " * (indent + (2 if number else 0)) + piece, style))

    def command(self, command: str, *, indent: int = 0, style: str = "") -> None:
        """A command line, whole."""
        head = " " * indent + "$ "
        for line in plain.fold_command(command, self.width - len(head)):
            self.line((head + line, style))
            head = " " * len(head)

    def field(self, label: str, text: str, *, style: str = "") -> None:
        """A labelled paragraph from outside, wrapped beside its label."""
        margin = LABEL + 4
        head = f"  {label:<{LABEL}}  "
        for line in plain.lines(text):
            for piece in self._wrapped(line, margin):
                self.line((head, MUTED), (piece, style))
                head = " " * margin

    def _wrapped(self, line: str, indent: int) -> list[str]:
        room = max(self.width - indent, 20)
        if cell_len(line) <= room:
            return [line]
        bullet = _LABEL.match(line) or _BULLET.match(line)
        if "   " in line[bullet.end() if bullet else 0 :].strip():
            return chop(line, room)
        hang = " " * min(len(bullet[0]), 12) if bullet else ""
        # Evidence marks stay whole: a wrapped `[e1 e2]` cannot be read at a glance.
        glued = _MARKS.sub(lambda m: m[0].replace(" ", "\0"), line)
        wrapped = textwrap.wrap(glued, room, subsequent_indent=hang, break_on_hyphens=False)
        return [piece.replace("\0", " ") for piece in wrapped] or [""]


def chop(line: str, room: int) -> list[str]:
    """Pieces of at most `room` columns, parted at a blank where one is near; the rest of a line is narrower
    by two, for the indent that shows it goes on."""
    pieces: list[str] = []
    while cell_len(line) > room:
        cut = room
        while cell_len(line[:cut]) > room:
            cut -= 1
        blank = line.rfind(" ", room // 2, cut + 1)
        cut = blank if blank > 0 else cut
        pieces.append(line[:cut].rstrip())
        line = line[cut:].lstrip(" ")
        room = room if len(pieces) > 1 else room - 2
    return [*pieces, line]
