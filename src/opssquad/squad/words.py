"""Words by which tools are looked for: without endings, and with those that are said for one another."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from opssquad.documents import read_yaml
from opssquad.types import Value

ALIKE = 0.5
"""What a word counts for that is said for one of the text, against that one."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Words(Value):
    """`idle` are words that tell nothing, `alike` lines of words that are said for one another."""

    idle: str
    alike: tuple[tuple[str, ...], ...]


def stems(text: str) -> list[str]:
    """The words of a text without their endings, and without those that tell nothing."""
    words = (word.lower() for word in _WORD.findall(text))
    return [stem(word) for word in words if word not in _idle() and (len(word) > 1 or word.isdigit())]


def stem(word: str) -> str:
    """A word without the endings of its forms: `restarted`, `restarts` and `restarting` are `restart`."""
    for end, keep in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        left = word.removesuffix(end)
        if left != word and len(left) > 2 and not word.endswith("ss"):
            word = left + keep
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def looked_for(text: str) -> dict[str, float]:
    """The words of a text, and those that are said for them, with what they count for."""
    wanted = dict.fromkeys(stems(text), 1.0)
    for word in tuple(wanted):
        for other in _alike().get(word, ()):
            wanted.setdefault(other, ALIKE)
    return wanted


@cache
def _words() -> Words:
    return read_yaml(Path(__file__).with_name("words.yaml"), Words)


@cache
def _idle() -> frozenset[str]:
    return frozenset(_words().idle.split())


@cache
def _alike() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for line in _words().alike:
        words = [word for each in line for word in stems(each)]
        for word in words:
            found.setdefault(word, {}).update(dict.fromkeys(words))
    return {word: tuple(others) for word, others in found.items()}
