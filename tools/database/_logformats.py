"""The formats that a PostgreSQL server writes its log in: lines with a prefix, CSV, and JSON. Pure."""

import csv
import json
import re
from collections.abc import Iterator, Sequence

from opssquad import Json

from ._loglines import Entry, entries
from ._logprefix import instant

CSV = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,\s]+,")
"""How a line of a log in CSV begins."""
COLUMNS = (
    "timestamp", "user", "dbname", "pid", "remote_host", "session_id", "line_num", "ps", "session_start",
    "vxid", "txid", "error_severity", "state_code", "message", "detail", "hint", "internal_query",
    "internal_position", "context", "statement", "cursor_position", "location", "application_name",
)  # fmt: skip
"""The columns of such a line, under the names that they have in JSON."""
PARTS = {"DETAIL": "detail", "HINT": "hint", "CONTEXT": "context", "STATEMENT": "statement"}


def messages(lines: Sequence[str], form: str = "", zone: str = "") -> list[Entry]:
    """The messages of a log in order, in whichever format it is."""
    first = next((line for line in lines[:200] if CSV.match(line) or line.startswith("{")), "")
    if first.startswith("{"):
        return [_entry(row, [line], zone) for line in lines if (row := _object(line))]
    if first:
        return [_entry(row, part, zone) for part, row in _records(lines)]
    return entries(lines, form, zone)


def _object(line: str) -> Json:
    """The object of a line; nothing where the line is no whole one."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "message" in found else {}


def _records(lines: Sequence[str]) -> Iterator[tuple[list[str], Json]]:
    """The records of a log in CSV, each with its lines: a value may have several."""
    part: list[str] = []
    quotes = 0
    for line in lines:
        # What was cut off before the first whole record is none.
        if not part and not CSV.match(line):
            continue
        part.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            row = next(csv.reader([f"{each}\n" for each in part]), [])
            if len(row) >= len(COLUMNS):
                yield part, dict(zip(COLUMNS, row, strict=False))
            part, quotes = [], 0


def _entry(row: Json, lines: list[str], zone: str) -> Entry:
    host = re.sub(r":\d+$", "", str(row.get("remote_host") or ""))
    said = {name: " ".join(str(row[key]).split()) for name, key in PARTS.items() if row.get(key)}
    return Entry(
        line=lines[0],
        level=str(row.get("error_severity") or "LOG"),
        message=" ".join(str(row.get("message") or "").split()),
        at=instant(str(row.get("timestamp") or ""), zone),
        pid=str(row.get("pid") or ""),
        user=str(row.get("user") or ""),
        database=str(row.get("dbname") or ""),
        application=str(row.get("application_name") or ""),
        host="" if host == "[local]" else host,
        parts=said,
        lines=lines,
    )
