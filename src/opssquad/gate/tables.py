"""Finds the cells below a secret column: tables as psql, mysql and Markdown draw them, tabs, CSV, INSERT.

A column's name is known by the caller; here is only where its cells stand.
"""

import re
from collections.abc import Iterator

Place = tuple[int, int]
"""Begin and end of a cell, its blanks left out."""

_PIPES = re.compile(r"\|?[ ]*[\w.-]+[ ]*(?:\|[ ]*[\w.-]+[ ]*)+\|?[ ]*")
_TABS = re.compile(r"[\w.-]+[ ]*(?:\t[\w.-]+[ ]*)+")
_COMMAS = re.compile(r'"?[ ]?[\w-]+"?[ ]?(?:,"?[ ]?[\w-]+"?[ ]?)+')
_LEAD = re.compile(r"[ ]*(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?[ ]*")
"""What may stand before the lines of a table: blanks, or the time at which a container wrote them."""
_RULE = re.compile(r"[-+|: ]{3,}")
_RECORD = re.compile(r"-\[ RECORD \d+ \][^\n]*\n(?:[^\n|]+\|[^\n]*\n|[ ]*\n)*[^\n|]*\Z")
_EXPANDED = re.compile(r"[ ]*\|[ ](?P<cell>[^\n]+)")
_CELLS = {
    "|": re.compile(r"(?:^|(?<=\|))[^|\n]*"),
    "\t": re.compile(r"(?:^|(?<=\t))[^\t\n]*"),
    ",": re.compile(r'(?:^|(?<=,))(?:"(?:[^"\n]|"")*"|[^,\n]*)'),
}
_INSERT = re.compile(r"insert\s+into\s+[^\s()]+\s*\((?P<before>[^()]*)\Z", re.IGNORECASE)
_VALUES = re.compile(r"[^()]*\)\s*values\s*", re.IGNORECASE)
_TUPLE = re.compile(r"\s*,?\s*\((?P<row>(?:'(?:[^']|'')*'|[^()'])*)\)")
_VALUE = re.compile(r"(?:'(?:[^']|'')*'|[^,'])+")


def cells(text: str, start: int, end: int) -> Iterator[Place]:
    """Where the values of the column stand that is called `text[start:end]`; nothing if it is no column."""
    follows = text[end : end + 40].lstrip(' "')[:1]
    if follows not in {"|", "\t", ",", "\n", ")", ""}:
        return
    lead = _LEAD.match(text, text.rfind("\n", 0, start) + 1, start)
    first = lead.end() if lead else start
    stop = text.find("\n", end)
    line = text[first : stop if stop >= 0 else len(text)].rstrip(" \r")
    if follows == "|" and first == start and _RECORD.search(text, max(0, start - 8000), start):
        for record in _EXPANDED.finditer(text, end, stop if stop >= 0 else len(text)):
            yield _trimmed(text, *record.span("cell"))
        return
    if follows in {",", ")"} and (insert := _INSERT.search(text, max(0, start - 400), start)):
        yield from _inserted(text, end, insert["before"].count(","))
    if stop < 0:
        return
    for sign, heading in (("|", _PIPES), ("\t", _TABS), (",", _COMMAS)):
        if sign in line and heading.fullmatch(line):
            yield from _below(text, stop + 1, sign, line, start - first)


def _below(text: str, at: int, sign: str, heading: str, offset: int) -> Iterator[Place]:
    columns = list(_CELLS[sign].finditer(heading))
    index = next((n for n, c in enumerate(columns) if c.start() <= offset < c.end()), None)
    while index is not None and at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        lead = _LEAD.match(text, at, stop)
        first = lead.end() if lead else at
        line = text[first:stop].rstrip(" \r")
        # YAML doubles the line breaks of a text in quotes.
        if line and not _RULE.fullmatch(line):
            row = list(_CELLS[sign].finditer(line))
            if len(row) != len(columns):
                return
            yield _trimmed(text, first + row[index].start(), first + row[index].end())
        at = stop + 1


def _inserted(text: str, end: int, index: int) -> Iterator[Place]:
    values = _VALUES.match(text, end)
    at = values.end() if values else len(text)
    while found := _TUPLE.match(text, at):
        row = list(_VALUE.finditer(text, *found.span("row")))
        if index < len(row):
            yield _trimmed(text, *row[index].span())
        at = found.end()


def _trimmed(text: str, start: int, end: int) -> Place:
    """Without blanks, and without quotes around the whole."""
    while start < end and text[start] in " \r'\"":
        start += 1
    while end > start and text[end - 1] in " \r'\"":
        end -= 1
    return start, end
