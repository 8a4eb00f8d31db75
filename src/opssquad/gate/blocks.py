"""Finds values that go past one line or one word: blocks of YAML, texts in quotes, lines and sections of
`kubectl describe`, maps as Go prints them.

A name is known by the caller; here is only where its value begins and ends. Every look is bounded, or goes
over lines that no other look on the same level goes over.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

REACH = 4000
"""Characters in which the other end of a map is looked for."""

LONGEST_HEAD = 300

LONGEST = 100_000
"""Characters in which the lines of a value are looked for, so that blocks within blocks cost no more."""

_TIME = r"(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?"
_HEAD = re.compile(
    rf"""{_TIME}(?P<lead>[ \t]*(?:[+-][ \t]*)*)(?P<title>Annotations:[ \t]+)?"""
    r"""(?:export[ \t]+)?(?P<key>["']?(?:[\w.-]+/)?)"""
)
_LEAD = re.compile(rf"{_TIME}(?P<blank>[ \t]*)")
_SIGNED_LEAD = re.compile(rf"{_TIME}(?P<blank>[ \t]*(?:[+-][ \t]+)?)")
_COLON = re.compile(r"""["']?[ \t]*:(?=\s)[ \t]*""")
_VALUE_BELOW = re.compile(
    rf"""["']?[ \t]*\n(?:[ \t]*\n)?{_TIME}(?P<lead>[ \t+-]*)(?P<key>value):(?=\s)[ \t]*"""
)
_BLOCK = re.compile(r"(?:![\w!-]*[ \t]+)?[|>][+-]?\d?[+-]?(?:[ \t]+#.*)?")
_CLOSED = {
    "'": re.compile(r"'(?:[^']|'')*+'"),
    '"': re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL),
}
_ITEM = re.compile(r"""["']?[\w./ -]{1,60}["']?:(?:\s|\Z)|-[ \t]|[\[\]{}#)]""")
_RULED = r"[ \t]*\n(?:[ \t]*\n)?[ \t]*"
"""The end of a line above a rule; YAML doubles the line breaks of a text in quotes."""
_SECTION = re.compile(rf":{_RULED}----[ \t]*$", re.MULTILINE)
_NEXT_SECTION = re.compile(
    rf"^[ \t]*(?:[\w.-]+:{_RULED}----[ \t]*$|BinaryData{_RULED}====|Events:[ \t]|Name:[ \t]{{3}})",
    re.MULTILINE,
)
_NEXT_TITLE = re.compile(r"^[ \t]*\n[A-Za-z][\w. -]{0,60}:(?:[ \t]|$)", re.MULTILINE)
_NAMED = re.compile(r"[\[\s]name:\Z")
_VALUE_BESIDE = re.compile(r"\s+value:")
_BRACKET = re.compile(r"[\[\]]")
_ENTRY_END = re.compile(r"(?P<next>\][ ]map\[|map\[name:|\sname:)|(?P<sign>[\[\]])")
_VALUE_END = re.compile(r"(?P<next>\s[A-Za-z][\w./-]{0,80}:(?!//))|(?P<sign>[\[\]])")
_AFTER_MAP = re.compile(r"""[\]\s,;"'\\)}]|\Z""")


class Block(NamedTuple):
    """Begin and end of a value; `loose` if words of a sentence may stand there as well."""

    start: int
    end: int
    loose: bool = False


class _Key(NamedTuple):
    """Where a key stands: what is before it on its line, its column, and whether the lines around it may be
    signed as in a difference."""

    lead: str
    column: int
    signed: bool


class _Line(NamedTuple):
    """Where a line and what it says begin, its end, and the column of what it says."""

    begin: int
    start: int
    end: int
    column: int


def blocks(text: str, start: int, end: int) -> Iterator[Block]:
    """Where the value of the name `text[start:end]` stands, if it is of several lines or in a map of Go."""
    for found in (
        _under_key(text, start, end),
        _under_name(text, end),
        _section(text, start, end),
        _beside_name(text, start, end),
        _in_map(text, start, end),
    ):
        if found and found.start < found.end:
            yield found


def _under_key(text: str, start: int, end: int) -> Block | None:
    colon = _COLON.match(text, end)
    if not colon:
        return None
    first = max(0, start - LONGEST_HEAD)
    begin = text.rfind("\n", first, start) + 1
    if not begin and first:
        return None
    head = _HEAD.fullmatch(text, begin, start)
    return _scalar(text, colon, _key(head)) if head else None


def _under_name(text: str, end: int) -> Block | None:
    value = _VALUE_BELOW.match(text, end)
    return _scalar(text, value, _key(value)) if value else None


def _key(head: re.Match[str]) -> _Key:
    lead = head["lead"]
    return _Key(lead, head.start("key") - head.start("lead"), "+" in lead or "-" in lead)


def _scalar(text: str, colon: re.Match[str], key: _Key) -> Block | None:
    """The value behind a key's colon, where it goes on below."""
    start, stop = colon.end(), _stop(text, colon.end())
    said = text[start:stop].rstrip()
    if _BLOCK.fullmatch(said):
        first = next((line.start for line in _lines(text, stop + 1, signed=key.signed)), stop)
        return _trimmed(text, first, max(first, _indented(text, stop, key)))
    if said[:1] in ("'", '"'):
        last = _indented(text, stop, key)
        if closed := _CLOSED[said[0]].match(text, start, last):
            last = closed.end() - 1
        return _trimmed(text, start + 1, last) if last > stop else None
    if said[:1] in ("{", "[", "&", "*", "!"):
        return None
    last, loose = _continued(text, colon, key) if said else _hanging(text, colon, key)
    return _trimmed(text, start, last, loose=loose) if last > stop else None


def _indented(text: str, stop: int, key: _Key) -> int:
    """The end of the lines below that are deeper than the key; in a difference they may be signed where the
    key is not."""
    last = stop
    for line in _lines(text, stop + 1, signed=key.signed or key.column > 1):
        if line.column <= key.column:
            break
        last = line.end
    return last


def _continued(text: str, colon: re.Match[str], key: _Key) -> tuple[int, bool]:
    """The end of the lines that go on with a bare value: those that stand below it, or, as YAML folds it,
    those that are deeper than the key and no keys themselves. And whether there are any of the latter."""
    last, loose = _stop(text, colon.end()), False
    column = colon.end() - (text.rfind("\n", max(0, colon.end() - LONGEST_HEAD), colon.end()) + 1)
    for line in _lines(text, last + 1, signed=key.signed):
        below = line.column >= column or _tabbed(text, line, colon, key)
        folded = line.begin == last + 1 and not _ITEM.match(text, line.start, line.end)
        if line.column <= key.column or not (below or folded):
            break
        last, loose = line.end, loose or not below
    return last, loose


def _hanging(text: str, colon: re.Match[str], key: _Key) -> tuple[int, bool]:
    """The end of the words that stand alone on the lines below a key without a value on its own line. And
    whether there are any."""
    last, loose = _stop(text, colon.end()), False
    for line in _lines(text, last + 1, signed=key.signed):
        word = line.begin == last + 1 and not re.search(r"\s", text[line.start : line.end].rstrip())
        alone = word and not _ITEM.match(text, line.start, line.end)
        tabbed = _tabbed(text, line, colon, key)
        if line.column <= key.column or not (alone or tabbed):
            break
        last, loose = line.end, loose or not tabbed
    return last, loose


def _tabbed(text: str, line: _Line, colon: re.Match[str], key: _Key) -> bool:
    """Whether a tab stands in the line where the key stands in its own."""
    blank = text[line.begin : line.start]
    return "\t" in colon[0] and blank.startswith(key.lead) and "\t" in blank[len(key.lead) :]


def _lines(text: str, at: int, *, signed: bool) -> Iterator[_Line]:
    """The lines that are not blank."""
    pattern = _SIGNED_LEAD if signed else _LEAD
    limit = min(len(text), at + LONGEST)
    while at < limit:
        stop = _stop(text, at)
        lead = pattern.match(text, at, stop)
        if lead and lead.end() < stop:
            yield _Line(at, lead.end(), stop, lead.end() - lead.start("blank"))
        at = stop + 1


def _section(text: str, start: int, end: int) -> Block | None:
    """What `kubectl describe configmap` prints below a key: up to the next key, or what follows the data."""
    rule = _SECTION.match(text, end)
    begin = text.rfind("\n", max(0, start - LONGEST_HEAD), start) + 1
    if not rule or not re.fullmatch(r"[ \t]*", text[begin:start]):
        return None
    after = _NEXT_SECTION.search(text, rule.end()) or _NEXT_TITLE.search(text, rule.end())
    last = after.start() if after else len(text)
    if begin < start:
        last = min(last, _indented(text, rule.end(), _Key("", start - begin - 1, signed=False)))
    return _trimmed(text, rule.end(), last)


def _beside_name(text: str, start: int, end: int) -> Block | None:
    """`map[name:N value:V]`: the last key of its map, so that its value ends with it."""
    beside = _VALUE_BESIDE.match(text, end)
    if not beside or not _NAMED.search(text, max(0, start - 6), start):
        return None
    return _trimmed(text, beside.end(), _map_end(text, beside.end(), _ENTRY_END))


def _in_map(text: str, start: int, end: int) -> Block | None:
    """`map[N:V other:W]`: up to the next key."""
    if text[end : end + 1] != ":" or text[start - 1 : start] not in ("[", " ") or not _inside(text, start):
        return None
    if text.startswith(("map[", "["), end + 1) or text[end + 1 : end + 2].isspace():
        return None
    return _trimmed(text, end + 1, _map_end(text, end + 1, _VALUE_END))


def _inside(text: str, at: int) -> bool:
    """Whether the innermost bracket that is open is that of a map."""
    first = max(0, at - REACH)
    if text.rfind("map[", first, at) < 0:
        return False
    depth = 0
    for sign in reversed([*_BRACKET.finditer(text, first, at)]):
        depth += 1 if sign[0] == "]" else -1
        if depth < 0:
            return text.endswith("map", first, sign.start())
    return False


def _map_end(text: str, at: int, pattern: re.Pattern[str]) -> int:
    """Where the value of a map ends; with its line if nothing ends it."""
    depth = 0
    for found in pattern.finditer(text, at, at + REACH):
        depth += {"[": 1, "]": -1}.get(found["sign"] or "", 0)
        closes = depth < 0 and _AFTER_MAP.match(text, found.end())
        if found["next"] or closes:
            return found.start()
        depth = max(depth, 0)
    return _stop(text, at)


def _stop(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _trimmed(text: str, start: int, end: int, *, loose: bool = False) -> Block:
    said = text[start:end]
    return Block(start + len(said) - len(said.lstrip()), start + len(said.rstrip()), loose)
