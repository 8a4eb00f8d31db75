"""Finds the data of Secrets that are written out in a text: manifests in JSON or YAML, as annotations and
ConfigMaps hold them. Every value is one, whatever its key is called.
"""

import re
from collections.abc import Iterator

Place = tuple[int, int]
"""Begin and end of a value."""

_QUOTE = r"\\*\""
_SECRET = re.compile(rf"\bkind(?:{_QUOTE})?\s*:\s*(?:{_QUOTE})?Secret(?![\w-])")
_BRACE = re.compile(r"([{}])")
_MAP = re.compile(rf"{_QUOTE}(?:data|stringData){_QUOTE}\s*:\s*\{{")
_ENTRY = re.compile(
    r"\s*,?\s*(?P<q>\\*\")[^\"\n\\]{1,253}(?P=q)\s*:\s*(?P=q)(?P<value>(?:(?!(?<!\\)(?P=q))[^\n])*)(?P=q)"
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
    for found in _MAP.finditer(text):
        if _SECRET.search(_around(text, found.start())):
            yield from _entries(text, found.end())
    for found in _YAML.finditer(text):
        if _SECRET.search(_siblings(text, found.start(), len(found["indent"]))):
            yield from _lines(text, found.end(), len(found["indent"]))


def _around(text: str, at: int) -> str:
    """The object that encloses a place, without the objects inside it."""
    first = _edge(text, at, -1)
    last = _edge(text, at, 1)
    flat, depth = [], 0
    for piece in _BRACE.split(text[first + 1 : last]):
        depth += (piece == "{") - (piece == "}")
        if depth == 0:
            flat.append(piece)
    return "".join(flat)


def _edge(text: str, at: int, step: int) -> int:
    """Where the brace stands that opens (`step` -1) or closes (1) the object around a place."""
    depth, inward, outward = 0, "}" if step < 0 else "{", "{" if step < 0 else "}"
    while 0 <= at < len(text):
        depth += (text[at] == inward) - (text[at] == outward)
        if depth < 0:
            break
        at += step
    return at


def _entries(text: str, at: int) -> Iterator[Place]:
    while entry := _ENTRY.match(text, at):
        yield entry.span("value")
        at = entry.end()


def _siblings(text: str, at: int, indent: int) -> str:
    """The lines around one that are no less indented, in its YAML document."""
    before, after = text[:at].split("\n"), text[at:].split("\n")
    return "\n".join([*_while(reversed(before[:-1]), indent), *_while(iter(after), indent)])


def _while(lines: Iterator[str], indent: int) -> Iterator[str]:
    for line in lines:
        bare = line.lstrip(" ")
        if bare and (len(line) - len(bare) < indent or line.startswith("---")):
            # A list's dash stands left of its item's keys.
            if bare.startswith("- "):
                yield bare[2:]
            return
        if len(line) - len(bare) == indent:
            yield line


def _lines(text: str, at: int, indent: int) -> Iterator[Place]:
    while (line := _LINE.match(text, at)) and len(line["indent"]) > indent:
        start, end = line.span("value")
        yield start, start + len(text[start:end].rstrip())
        at = line.end()
