"""The lines of a text from outside; an object in JSON is read text by text, each with its place in it."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from opssquad.gate.visible import visible

PATH = 400
"""Characters of a path behind which it goes no deeper, and of a key in it."""


class Line(NamedTuple):
    """A line of a source: where it stands, and whether the next line goes on with it."""

    locator: str
    text: str
    goes_on: bool = False


def lines_of(locator: str, text: str) -> list[Line]:
    """The lines of a source. An object is read text by text, each with its place in it."""
    return [
        Line(f"{locator} {path}" if path else locator, line, goes_on)
        for path, leaf in _leaves(text)
        for line, goes_on in _parted(leaf)
    ]


def _parted(text: str) -> Iterator[tuple[str, bool]]:
    lines = text.split("\n")
    yield from ((line.removesuffix("\r"), number < len(lines)) for number, line in enumerate(lines, 1))


def _leaves(text: str) -> Iterator[tuple[str, str]]:
    """Each text of an object with its path, names of fields included; any other text as it is."""
    if text.startswith('{"'):
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            read = {}
        if "kind" in read:
            yield from _walk(read)
            return
    yield "", text


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    # Not by recursion: an object that could still be read may be too deep for it.
    waiting = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        match inner:
            case str():
                yield path, inner
            case dict():
                held = [(_place(path, key), key, each) for key, each in inner.items()]
                for place, key, each in reversed(held):
                    waiting += [(place, each), (place, key)]
            case list():
                waiting += [(_place(path, n), inner[n]) for n in reversed(range(len(inner)))]


def _place(path: str, key: str | int) -> str:
    """The path of what stands under a key. Each text has one of its own, so none may grow with the object."""
    if len(path) > PATH:
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}{'.' * bool(path)}{key}" if _plain(key) else f"{path}[{visible(key[:PATH])}]"


def _plain(key: str) -> bool:
    return bool(re.fullmatch(r"\w{1,200}", key, re.ASCII))
