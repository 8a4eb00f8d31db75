"""The lines of a PostgreSQL server's log as entries: time, who, how grave, message and parts. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ._logprefix import Prefix, prefix_of

LEVELS = "DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC"
LEVEL = re.compile(rf"(?<![A-Za-z0-9_])(?P<level>{LEVELS}|DETAIL|HINT|STATEMENT|CONTEXT|QUERY):\s{{1,4}}")
PARTS = ("DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY")
"""Levels of lines that belong to the message before them."""


@dataclass(kw_only=True)
class Entry(Prefix):
    """One message of the log. `line` is its line as it stands there, `lines` those of its parts too; `parts`
    are DETAIL and the like."""

    line: str
    level: str
    message: str
    parts: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def entries(lines: Sequence[str], form: str = "", zone: str = "") -> list[Entry]:
    """The messages in order; a line without a level goes on with the one before. `form` is the server's
    `log_line_prefix`, `zone` its `log_timezone`."""
    found: list[Entry] = []
    last: dict[str, Entry] = {}
    now: Entry | None = None
    part = ""
    for line in lines:
        # Statements have lines of their own, and may hold any words.
        match = None if line[:1] == "\t" else LEVEL.search(line)
        if match is None:
            if now and line[:1] in ("\t", " "):
                _goes_on(now, part, line)
            continue
        level, text = match["level"], line[match.end() :]
        told = prefix_of(line[: match.start()], form, zone)
        if level in PARTS:
            # Lines of several processes stand in between one another.
            now, part = last.get(told.pid, now), level
            if now:
                now.parts[level] = text
                now.lines.append(line)
            continue
        now, part = Entry(line=line, level=level, message=text, lines=[line], **vars(told)), ""
        last[now.pid] = now
        found.append(now)
    return found


def _goes_on(entry: Entry, part: str, line: str) -> None:
    if part:
        entry.parts[part] += f" {line.strip()}"
    else:
        entry.message += f" {line.strip()}"
    entry.lines.append(line)
