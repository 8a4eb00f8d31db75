"""Text for a narrow screen: tables of fixed columns, lists in words."""

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 80


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Lines of a table; every column as wide as its widest cell, the last one as long as it is."""
    cells = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(headings))]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def bullet(text: str) -> list[str]:
    """The text as an item of a list, wrapped; names and numbers are never broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="  - ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def many(count: int, thing: str) -> str:
    """`1 ready endpoint`, `3 ready endpoints`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def some(words: Sequence[str], most: int) -> str:
    """The first few of them, and how many more there are: `a, b and 3 more`."""
    left = len(words) - most
    return ", ".join(words[:most]) + (f" and {left} more" if left > 0 else "")
