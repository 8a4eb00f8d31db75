"""What stands before a message in a server's log: read by the server's own `log_line_prefix`, else as well as
can be. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from opssquad import parse_time

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
ESCAPES = {
    "a": r"(?P<application>.*?)", "u": r"(?P<user>.*?)", "d": r"(?P<database>.*?)",
    "r": r"(?P<remote>\S*?)", "h": r"(?P<host>\S*?)", "L": r"\S*?",
    "p": r"(?P<pid>\d+)", "P": r"\d*", "b": r".*?", "i": r".*?", "e": r"[0-9A-Z]{5}", "c": r"[0-9a-f.]+",
    "t": rf"(?P<time>{TIME} \S+)", "m": rf"(?P<milli>{TIME}\.\d{{3}} \S+)", "n": r"(?P<epoch>\d+\.\d{3})",
    "s": rf"{TIME} \S+", "l": r"\d+", "v": r"[\d/]*", "x": r"\d+", "Q": r"-?\d+",
}  # fmt: skip
"""What each escape of the setting writes."""
STAMP = re.compile(
    rf"(?P<time>{TIME.replace(' ', '[ T]')}(?:\.\d+)?(?: ?(?:[A-Z]{{2,5}}|[+-]\d\d(?::?\d\d)?))?)"
)
PID = re.compile(r"\[(\d+)(?:-\d+)?\]")
WHO = re.compile(r"(?P<user>[^\s@=,\[\]]+)@(?P<database>[^\s@=,\[\]]+)(?:\s+(?P<application>[^\n]*?))?\s*$")
UNKNOWN = "[unknown]"
"""What the server writes for a name that it does not know yet."""
ZONED = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?) ?(?P<zone>\S*)")


@dataclass(kw_only=True)
class Prefix:
    """What it told of a message: when, by which process, whose, from where; empty where it does not, and `at`
    is None where no time could be read."""

    at: datetime | None = None
    pid: str = ""
    user: str = ""
    database: str = ""
    application: str = ""
    host: str = ""


def prefix_of(text: str, form: str, zone: str) -> Prefix:
    """What the text before a message's level tells. `form` is `log_line_prefix`, `zone` is `log_timezone`;
    either may be empty."""
    found = _pattern(form).fullmatch(text) if form else None
    if found is None:
        return _guessed(text, zone)
    said = {name: value for name, value in found.groupdict().items() if value and value != UNKNOWN}
    at = instant(said.get("milli") or said.get("time") or "", zone)
    if at is None and "epoch" in said:
        at = datetime.fromtimestamp(float(said["epoch"]), UTC)
    host = said.get("host") or re.sub(r"\(\d+\)$", "", said.get("remote", ""))
    names = {key: said.get(key, "") for key in ("pid", "user", "database", "application")}
    return Prefix(at=at, host="" if host == "[local]" else host, **names)


def _guessed(text: str, zone: str) -> Prefix:
    """By what most prefixes look like: a time, a process in brackets, `user@database application`."""
    stamp, pid, who = STAMP.search(text), PID.search(text), WHO.search(text.rstrip(" :"))
    named = {key: value for key, value in (who.groupdict() if who else {}).items() if value}
    names = {key: str(value).strip() for key, value in named.items() if value != UNKNOWN}
    return Prefix(at=instant(stamp["time"], zone) if stamp else None, pid=pid[1] if pid else "", **names)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """The setting as a pattern. What follows `%q` is written for sessions only."""
    parts, named, optional = [], set(), False
    for literal, escape in re.findall(r"([^%]+)|%-?\d*([a-zA-Z%])", form):
        if escape == "q":
            parts.append("(?:")
            optional = True
            continue
        text = ESCAPES.get(escape, "%" if escape == "%" else "") if escape else re.escape(literal)
        name = re.match(r"\(\?P<(\w+)>", text)
        if name and name[1] in named:
            text = text.replace(name[0], "(?:", 1)
        named |= {name[1]} if name else set()
        # Fields may be padded to a width.
        parts.append(rf"\s*{text}\s*" if escape and escape != "%" else text)
    return re.compile("".join(parts) + (")?" if optional else "") + r"\s*")


def instant(text: str, zone: str) -> datetime | None:
    """A time as the log writes it, with the abbreviation of a zone or an offset; None where it is none."""
    found = ZONED.match(text)
    if not found:
        return None
    stamp, said = found["time"].replace(" ", "T"), found["zone"]
    try:
        if said[:1] in ("+", "-"):
            return parse_time(stamp + said).astimezone(UTC)
        bare = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    utc = said in ("UTC", "GMT", "Z", "")
    return bare.replace(tzinfo=UTC if utc else _zone(zone)).astimezone(UTC)


@cache
def _zone(name: str) -> tzinfo:
    """The zone of that name; UTC where it is none that is known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        return UTC
