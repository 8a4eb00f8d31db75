"""Definitions of indexes, taken apart; pure. The server writes them, so their form is known."""

from collections.abc import Iterator
from typing import NamedTuple

from opssquad import Json


class Definition(NamedTuple):
    """An index: its method, keys as they are written (`lower(name)`, `at DESC`), what is included besides,
    and the rest (`NULLS NOT DISTINCT`, `WITH ...`, the condition of a partial one)."""

    method: str
    keys: tuple[str, ...]
    included: tuple[str, ...]
    options: str
    condition: str

    @property
    def leading(self) -> str:
        """The column that it begins with; empty for an expression."""
        return column_of(self.keys[0]) if self.keys else ""


def definition(row: Json) -> Definition | None:
    """The index of a row of the look `indexes`; None where it could not be read (its table is locked)."""
    _, found, rest = _outside(str(row.get("definition") or ""), " USING ")
    method, opened, rest = rest.partition(" (")
    if not found or not opened:
        return None
    keys, rest = _listed(rest)
    included: tuple[str, ...] = ()
    if rest.startswith(" INCLUDE ("):
        included, rest = _listed(rest.removeprefix(" INCLUDE ("))
    options, _, condition = _outside(rest, " WHERE ")
    return Definition(method, keys, included, options.strip(), condition)


def column_of(key: str) -> str:
    """The column of a key, its order and operator class left out; empty for an expression."""
    if key.startswith('"'):
        end = key.replace('""', "  ").find('"', 1)
        return key[1:end].replace('""', '"')
    word = key.split(" ", 1)[0]
    return "" if "(" in word else word


def _listed(text: str) -> tuple[tuple[str, ...], str]:
    """The parts up to the parenthesis that closes, split at commas outside of any; and what follows."""
    depth, start, parts = 0, 0, []
    for at, char in _bare(text):
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif not depth and char in ",)":
            parts.append(text[start:at].strip())
            start = at + 1
            if char == ")":
                break
    return tuple(parts), text[start:]


def _outside(text: str, mark: str) -> tuple[str, str, str]:
    """`partition` at the first mark outside of quotes."""
    for at, char in _bare(text):
        if char == mark[0] and text.startswith(mark, at):
            return text[:at], mark, text[at + len(mark) :]
    return text, "", ""


def _bare(text: str) -> Iterator[tuple[int, str]]:
    """Characters outside of quotes."""
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
            yield at, char
        else:
            yield at, char
