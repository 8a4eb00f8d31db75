"""Finds again what was recognised once, wherever else it stands. The time grows with the text, not with how
many such values there are: a log may hold a new token in each of its lines.
"""

from collections.abc import Iterable, Iterator

Place = tuple[int, int]
"""Begin and end of a value."""

BEGINNING = 8
"""Characters by which values are looked up."""
FEW = 32
"""Values that are searched for one by one, which is faster where they are few."""
LONGEST = 256
"""Characters by which a value is compared at once; what is left of it is compared behind that."""

Begun = dict[int, dict[str, list[str]]]
"""Values with one beginning, by their length and by themselves, both up to `LONGEST`."""


def again(text: str, values: Iterable[str]) -> Iterator[Place]:
    """Every place of the values in the text."""
    wanted = set(values) - {""}
    if len(wanted) <= FEW:
        for value in wanted:
            yield from _each(text, value)
        return
    known: dict[int, dict[str, Begun]] = {}
    for value in wanted:
        alike = known.setdefault(min(len(value), BEGINNING), {}).setdefault(value[:BEGINNING], {})
        alike.setdefault(min(len(value), LONGEST), {}).setdefault(value[:LONGEST], []).append(value)
    for first, begun in known.items():
        for at in range(len(text)):
            if alike := begun.get(text[at : at + first], {}):
                yield from _from(text, at, alike)


def _each(text: str, value: str) -> Iterator[Place]:
    at = text.find(value)
    while at >= 0:
        yield at, at + len(value)
        at = text.find(value, at + len(value))


def _from(text: str, at: int, alike: Begun) -> Iterator[Place]:
    for length, values in alike.items():
        for value in values.get(text[at : at + length], ()):
            if text.startswith(value, at):
                yield at, at + len(value)
