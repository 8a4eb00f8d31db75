"""Finds the cells below a secret column: tables as psql, mysql and Markdown draw them, tabs, CSV, INSERT.

A column's name is known by the caller; here is only where its cells stand. A text may be nothing but
headings: its lines are read once, however many of them have the same rows below.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

Place = tuple[int, int]
"""Begin and end of a cell, its blanks left out."""

_HEADINGS = {
    "|": re.compile(r"\|?[ ]*+[\w.-]++[ ]*+(?:\|[ ]*+[\w.-]++[ ]*+)+\|?[ ]*"),
    "\t": re.compile(r"[\w.-]+[ ]*(?:\t[\w.-]+[ ]*)+"),
    ",": re.compile(r'"?[ ]?[\w-]+"?[ ]?(?:,"?[ ]?[\w-]+"?[ ]?)+'),
}
_LEAD = re.compile(r"[ ]*(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?[ ]*")
"""What may stand before the lines of a table: blanks, or the time at which a container wrote them."""
_RULE = re.compile(r"[-+|: ]{3,}")
_RECORD = re.compile(r"-\[ RECORD \d+ \][^\n]*\n")
_FIELDS = re.compile(r"(?:[^\n|]+\|[^\n]*\n|[ ]*\n)*[^\n|]*\Z")
_EXPANDED = re.compile(r"\|[ ](?P<cell>[^\n]+)")
_CELLS = {
    "|": re.compile(r"(?:^|(?<=\|))[^|\n]*"),
    "\t": re.compile(r"(?:^|(?<=\t))[^\t\n]*"),
    ",": re.compile(r'(?:^|(?<=,))(?:"(?:[^"\n]|"")*"|[^,\n]*)'),
}
_INSERT = re.compile(r"insert\s+into\s+[^\s()]+\s*\((?P<before>[^()]*)\Z", re.IGNORECASE)
_VALUES = re.compile(r"[^()]*\)\s*values\s*", re.IGNORECASE)
# A quote that is doubled within a text reads as two texts side by side: there is but one way to read it.
_TUPLE = re.compile(r"\s*+,?\s*+\((?P<row>(?:'[^']*+'|[^()']++)*)\)")
_VALUE = re.compile(r"(?:'[^']*+'|[^,']++)+")


@dataclass
class _Line:
    """A line that has names in it: where it starts, where its words do, where it ends; and its columns'
    begins and ends by the sign that parts them, if it may be a heading."""

    start: int = 0
    first: int = 0
    stop: int = -1
    columns: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)


@dataclass
class _Rows:
    """Rows one below the other that have the same number of cells: where each begins, and the begins and ends
    of all cells in one list."""

    begin: int
    end: int
    count: int
    starts: "array[int]"
    cells: "array[int]"


class Tables:
    """The tables of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = _Line()
        self._rows: dict[str, _Rows] = {}
        self._told: set[Hashable] = set()
        self._record = (-1, -1)

    def cells(self, start: int, end: int, kind: Hashable) -> Iterator[Place]:
        """Where the values of the column stand that is called `text[start:end]`; nothing if it is no column.

        Columns are asked for in their order. `kind`: the same cells are secrets for every name of that kind,
        so each is told once for it.
        """
        text = self._text
        follows = text[end : end + 40].lstrip(' "')[:1]
        if follows not in {"|", "\t", ",", "\n", ")", ""}:
            return
        line = self._line_of(start)
        if follows == "|" and line.first == start and self._in_record(line):
            for record in _EXPANDED.finditer(text, end, line.stop):
                yield _trimmed(text, *record.span("cell"))
            return
        if follows in {",", ")"} and (insert := _INSERT.search(text, max(0, start - 400), start)):
            yield from self._inserted(end, insert["before"].count(","), kind)
        if line.stop == len(text):
            return
        for sign, (starts, ends) in line.columns.items():
            index = bisect_right(starts, start) - 1
            if index >= 0 and start < ends[index]:
                yield from self._below(line.stop + 1, sign, len(starts), index, kind)

    def _line_of(self, at: int) -> _Line:
        line = self._line
        if not line.start <= at <= line.stop:
            start, stop = self._text.rfind("\n", 0, at) + 1, self._text.find("\n", at)
            line = _Line(start, start, stop if stop >= 0 else len(self._text))
            lead = _LEAD.match(self._text, start, line.stop)
            line.first = lead.end() if lead else start
            heading = self._text[line.first : line.stop].rstrip(" \r")
            for sign, pattern in _HEADINGS.items():
                if sign in heading and pattern.fullmatch(heading):
                    found = [cell.span() for cell in _CELLS[sign].finditer(heading)]
                    line.columns[sign] = (
                        [line.first + begin for begin, _ in found],
                        [line.first + end for _, end in found],
                    )
            self._line = line
        return line

    def _in_record(self, line: _Line) -> bool:
        """Whether the line is one of a record that psql writes field by field."""
        before, seen = self._record
        at = self._text.rfind("-[ RECORD ", max(0, line.first - 8000), line.first)
        if at < 0:
            return False
        if at != before:
            record = _RECORD.match(self._text, at, line.first)
            seen = record.end() if record else -1
        if seen < 0 or not _FIELDS.match(self._text, seen, line.first):
            return False
        self._record = (at, line.start)
        return True

    def _below(self, at: int, sign: str, count: int, index: int, kind: Hashable) -> Iterator[Place]:
        rows = self._rows.get(sign)
        if not rows or rows.count != count or not rows.begin <= at <= rows.end:
            rows = self._rows[sign] = _rows(self._text, at, sign, count)
        told = (sign, rows.begin, index, kind)
        if told in self._told:
            # A heading above has told these and more.
            return
        self._told.add(told)
        for row in range(bisect_left(rows.starts, at), len(rows.starts)):
            cell = 2 * (row * count + index)
            yield _trimmed(self._text, rows.cells[cell], rows.cells[cell + 1])

    def _inserted(self, end: int, index: int, kind: Hashable) -> Iterator[Place]:
        values = _VALUES.match(self._text, end)
        at = values.end() if values else len(self._text)
        while (told := (at, index, kind)) not in self._told and (found := _TUPLE.match(self._text, at)):
            self._told.add(told)
            row = list(_VALUE.finditer(self._text, *found.span("row")))
            if index < len(row):
                yield _trimmed(self._text, *row[index].span())
            at = found.end()


def _rows(text: str, at: int, sign: str, count: int) -> _Rows:
    """The rows from there on, up to the first line that has not as many cells."""
    rows = _Rows(at, at, count, array("q"), array("q"))
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        lead = _LEAD.match(text, at, stop)
        first = lead.end() if lead else at
        line = text[first:stop].rstrip(" \r")
        # YAML doubles the line breaks of a text in quotes.
        if line and not _RULE.fullmatch(line):
            row = [first + edge for cell in _CELLS[sign].finditer(line) for edge in cell.span()]
            if len(row) != 2 * count:
                break
            rows.starts.append(at)
            rows.cells.extend(row)
        at = stop + 1
    rows.end = at
    return rows


def _trimmed(text: str, start: int, end: int) -> Place:
    """Without blanks, and without quotes around the whole."""
    while start < end and text[start] in " \r'\"":
        start += 1
    while end > start and text[end - 1] in " \r'\"":
        end -= 1
    return start, end
