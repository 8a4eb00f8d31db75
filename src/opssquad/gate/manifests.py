"""Finds the data of Secrets that are written out in a text: manifests in JSON or YAML, as annotations and
ConfigMaps hold them. Every value is one, whatever its key is called.
"""

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

Place = tuple[int, int]
"""Begin and end of a value."""

_QUOTE = r"\\*\""
_SECRET = re.compile(rf"\bkind(?:{_QUOTE})?\s*:\s*(?:{_QUOTE})?Secret(?![\w-])")
_BRACE = re.compile(r"[{}]")
_MAP = re.compile(rf"(?<!\\){_QUOTE}(?:data|stringData){_QUOTE}\s*:\s*\{{")
_ENTRY = re.compile(
    r"\s*+,?\s*+(?P<q>\\*\")[^\"\n\\]{1,253}(?P=q)\s*:\s*(?P=q)(?P<value>(?:(?!(?<!\\)(?P=q))[^\n])*)(?P=q)"
)
_YAML = re.compile(r"^(?P<indent>[ ]*)(?:- )?(?:data|stringData):[ \t]*\n", re.MULTILINE)
_LINE = re.compile(
    r"(?P<indent>[ ]+)(?P<key>[^\s:#][^\n:]*):[ \t]+"
    r"(?P<value>(?:[|>][^\n]*\n(?:(?P=indent)[ ]+[^\n]*\n?|[ \t]*\n)*)"
    r"|[^\n]*)\n?"
)


def withheld(text: str) -> Iterator[Place]:
    """Where the values of Secrets stand."""
    if "Secret" not in text or not _SECRET.search(text):
        return
    seen: set[int] = set()
    for found in _in_objects(text):
        yield from _entries(text, found.end(), seen)
    for found in _in_lines(text):
        yield from _lines(text, found.end(), len(found["indent"]))


def _in_objects(text: str) -> Iterator[re.Match[str]]:
    """Where the data of a Secret begins, in JSON. Objects are told apart by their braces, wherever those
    stand."""
    maps = {found.start(): found for found in _MAP.finditer(text)}
    if not maps:
        return
    kinds = [found.start() for found in _SECRET.finditer(text)]
    braces = [found.start() for found in _BRACE.finditer(text)]
    number, around = 0, [0]
    held: dict[int, int] = {}
    secret: set[int] = set()
    for at in heapq.merge(maps, kinds, braces):
        if text[at] == "{":
            number += 1
            around.append(number)
        elif text[at] == "}":
            if len(around) > 1:
                around.pop()
        elif at in maps:
            held[at] = around[-1]
        else:
            secret.add(around[-1])
    yield from (maps[at] for at, holder in held.items() if holder in secret)


def _entries(text: str, at: int, seen: set[int]) -> Iterator[Place]:
    """The values from a place on, up to one that was `seen` from a place before."""
    while at not in seen and (entry := _ENTRY.match(text, at)):
        seen.add(at)
        yield entry.span("value")
        at = entry.end()


@dataclass
class _Siblings:
    """Lines of a YAML document that are indented alike, with none in between that is less so: whether one
    says that this is a Secret, and where the data begins in them. `above`: the line above them says so behind
    a dash, which stands left of its item's keys."""

    indent: int
    secret: bool
    above: bool
    data: list[re.Match[str]] = field(default_factory=list)


def _in_lines(text: str) -> Iterator[re.Match[str]]:
    """Where the data of a Secret begins, in YAML."""
    maps = {found.start(): found for found in _YAML.finditer(text)}
    if not maps:
        return
    around: list[_Siblings] = []
    held: list[_Siblings] = []
    at, before = 0, False
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        if bare:
            indent = len(line) - len(bare)
            says = _SECRET.search(bare) is not None
            item = says and bare.startswith("- ")
            above = before
            while around and (around[-1].indent > indent or line.startswith("---")):
                closed = around.pop()
                closed.secret |= item
                above = closed.above
            if line.startswith("---"):
                before = False
            else:
                if not around or around[-1].indent < indent:
                    around.append(_Siblings(indent, above, above))
                    held.append(around[-1])
                around[-1].secret |= says
                before = item
            if at in maps:
                around[-1].data.append(maps[at])
        at += len(line) + 1
    yield from (found for each in held if each.secret for found in each.data)


def _lines(text: str, at: int, indent: int) -> Iterator[Place]:
    while (line := _LINE.match(text, at)) and len(line["indent"]) > indent:
        start, end = line.span("value")
        yield start, start + len(text[start:end].rstrip())
        at = line.end()
