"""The lines of a PostgreSQL server's log as entries: time, who, how grave, message and parts. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opssquad import parse_time

LEVELS = "DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC"
LEVEL = re.compile(rf"(?:^|\s|:)(?P<level>{LEVELS}|DETAIL|HINT|STATEMENT|CONTEXT|QUERY):\s{{1,4}}")
STAMP = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?(?P<zone>[A-Z]{2,5}|[+-]\d\d(?::?\d\d)?))?"
)
PID = re.compile(r"\[(\d+)(?:-\d+)?\]")
WHO = re.compile(r"(?P<user>[^\s@=,\[\]]+)@(?P<database>[^\s@=,\[\]]+)(?:\s+(?P<application>[^\n]*?))?\s*$")
UNKNOWN = "[unknown]"
"""What stands for the application of who was not let in yet."""
PARTS = ("DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY")
"""Levels of lines that belong to the message before them."""


@dataclass
class Entry:
    """One message of the log. `line` is its line as it stands there, `lines` those of its parts too; `parts`
    are DETAIL and the like; `at` is None where no time could be read."""

    line: str
    level: str
    message: str
    at: datetime | None = None
    pid: str = ""
    user: str = ""
    database: str = ""
    application: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def entries(lines: Sequence[str]) -> list[Entry]:
    """The messages in order; a line without a level goes on with the one before."""
    found: list[Entry] = []
    last: dict[str, Entry] = {}
    now: Entry | None = None
    part = ""
    for line in lines:
        match = LEVEL.search(line)
        if match is None:
            if now and line[:1] in ("\t", " "):
                _goes_on(now, part, line)
            continue
        level, text = match["level"], line[match.end() :]
        if level in PARTS:
            # Lines of several processes stand in between one another.
            now, part = last.get(_pid(line), now), level
            if now:
                now.parts[level] = text
                now.lines.append(line)
            continue
        now, part = _entry(line, line[: match.start()], level, text), ""
        last[now.pid] = now
        found.append(now)
    return found


def _goes_on(entry: Entry, part: str, line: str) -> None:
    if part:
        entry.parts[part] += f" {line.strip()}"
    else:
        entry.message += f" {line.strip()}"


def _entry(line: str, prefix: str, level: str, message: str) -> Entry:
    who = WHO.search(prefix.rstrip(" :"))
    return Entry(
        line=line,
        level=level,
        message=message,
        at=_time(prefix),
        pid=_pid(prefix),
        user=who["user"] if who else "",
        database=who["database"] if who else "",
        application=(who["application"] or "").strip().replace(UNKNOWN, "") if who else "",
        lines=[line],
    )


def _pid(prefix: str) -> str:
    found = PID.search(prefix)
    return found[1] if found else ""


def _time(prefix: str) -> datetime | None:
    found = STAMP.search(prefix)
    if not found:
        return None
    zone = found["zone"] or ""
    text = found["time"].replace(" ", "T")
    try:
        moment = parse_time(text + zone) if zone[:1] in ("+", "-") else parse_time(text)
    except ValueError:
        return None
    return moment.astimezone(UTC)
