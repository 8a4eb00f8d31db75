"""Patterns of names: `*` is any text, `?` one character, everything else itself; case matters. Pure."""

from collections import deque
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from opssquad.gate.rules.fits import Fit

MOST_STATES = 5000
"""How far `covers` looks before it gives up."""


def plain(pattern: str) -> str:
    """The pattern, if it can be meant. Raises ValueError: a set such as `[ab]` would match nothing here."""
    if "[" in pattern:
        raise ValueError(f"{pattern!r}: only * and ? mean more than themselves; list what you mean instead")
    return pattern


def listed(given: object) -> object:
    """One text stands for a list of one."""
    return [given] if isinstance(given, str) else given


Patterns = Annotated[
    tuple[Annotated[str, AfterValidator(plain)], ...], BeforeValidator(listed), Field(min_length=1)
]


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is like the pattern, in time that grows with their lengths alone."""
    at = here = mark = 0
    star = -1
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            mark += 1
            at, here = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")


def anything(patterns: Sequence[str]) -> bool:
    """Whether one of them is nothing but stars: it matches whatever is not known, too."""
    return any(pattern and not pattern.strip("*") for pattern in patterns)


def fit(patterns: Sequence[str], text: str) -> Fit:
    """How a text fits any of the patterns; an empty text is one that is not known."""
    if anything(patterns):
        return Fit.YES
    if not text:
        return Fit.MAYBE
    return Fit.YES if any(matches(each, text) for each in patterns) else Fit.NO


def covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Whether certainly every text that fits one of `narrow` fits one of `wide`, the unknown text included.

    False where it is not so, and where finding out would take too long.
    """
    if anything(narrow) and not anything(wide):
        return False
    return all(includes(wide, each) for each in narrow)


def includes(wide: Sequence[str], narrow: str) -> bool:
    """Whether every text that is like `narrow` is like one of `wide`; False where it would take too long."""
    letters = sorted({char for pattern in (*wide, narrow) for char in pattern} - {"*", "?"})
    # One letter that stands in no pattern speaks for all the others.
    other = next(chr(code) for code in range(97, 97 + len(letters) + 1) if chr(code) not in letters)
    first = (_rest(narrow, {0}), tuple(_rest(each, {0}) for each in wide))
    seen, todo = {first}, deque([first])
    while todo:
        inner, outer = todo.popleft()
        if len(narrow) in inner and not any(len(w) in at for w, at in zip(wide, outer, strict=True)):
            return False
        if len(seen) > MOST_STATES:
            return False
        for letter in (*letters, other):
            into = _step(narrow, inner, letter)
            after = (into, tuple(_step(w, at, letter) for w, at in zip(wide, outer, strict=True)))
            if into and after not in seen:
                seen.add(after)
                todo.append(after)
    return True


def _rest(pattern: str, places: set[int]) -> frozenset[int]:
    """The places, and those behind stars that stand there: a star may be no text at all."""
    found = set(places)
    for at in sorted(places):
        while at < len(pattern) and pattern[at] == "*":
            at += 1
            found.add(at)
    return frozenset(found)


def _step(pattern: str, places: frozenset[int], letter: str) -> frozenset[int]:
    """Where one may stand in the pattern after one more letter of a text."""
    into: set[int] = set()
    for at in places:
        if at < len(pattern) and pattern[at] == "*":
            into.add(at)
        elif at < len(pattern) and pattern[at] in ("?", letter):
            into.add(at + 1)
    return _rest(pattern, into)
