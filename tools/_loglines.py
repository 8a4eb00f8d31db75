"""Lines of a container's log as entries: when, how grave, what it says, which request it answered.

Plain text, logfmt and JSON are read; stack traces join the entry above them. Pure; counting and grouping is
`_digest`'s, what an entry proves `_log_signals`'.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opssquad import Json, parse_time

from ._access import Access, in_fields, in_text

LEVELS = ("fatal", "error", "warn", "info", "debug")
"""Gravest first; an entry that does not say is "info"."""

_NAMES = {
    **dict.fromkeys(("fatal", "panic", "dpanic", "critical", "crit", "emerg", "emergency", "alert"), "fatal"),
    **dict.fromkeys(("error", "err", "severe", "eror", "fail"), "error"),
    **dict.fromkeys(("warn", "warning"), "warn"),
    **dict.fromkeys(("info", "information", "notice", "log"), "info"),
    **dict.fromkeys(("debug", "trace", "fine", "verbose", "dbug", "trce"), "debug"),
}
_WORDS = "FATAL|PANIC|CRITICAL|CRIT|EMERG|ALERT|ERROR|ERR|SEVERE|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE|LOG"
_LEVEL = re.compile(
    rf"(?<![\w.])(?:{_WORDS})(?![\w.])|\[(?:{_WORDS.lower()})\]|\blevel=\"?(?P<key>[a-zA-Z]+)"
)
_DOTNET = re.compile(r"(crit|fail|warn|info|dbug|trce): (?=[\w.`+<>]+\[\d+\])")
_CATEGORY = re.compile(r"[\w.`+<>]+\[\d+\]")
"""The first line of a .NET console entry; what it says stands in the next."""
_MONOLOG = re.compile(rf"[\w-]+\.({_WORDS}|EMERGENCY): ")
"""A channel and the level, as Laravel and Symfony write them."""
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_KLOG_LEVELS = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}
_HEAD = 160
"""The level stands in the first characters of a line, or the line has none."""

_FATAL_START = re.compile(
    r"thread '[^']*' (?:\(\d+\) )?panicked at |panic: |fatal error: |Fatal |runtime error: "
)
_ERROR_START = re.compile(
    r"Traceback \(most recent|Exception in thread |[\w.$]+(?:Exception|Error): |error: "
)
_MORE = re.compile(
    r"\s|Caused by: |Suppressed: |goroutine \d|\.\.\. \d+ "
    r"|[\w.$]+(?:Exception|Error|Throwable)\b|[\w$]+(?:\.[\w$]+){2,}: "
)
_OWN_TIME = re.compile(
    r"(?:[DIWEFA], )?\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?(?: #\d+)?\]?\s*"
)
_SPRING = re.compile(r"\s*[A-Z]+\s+\d+ --- (?:\[[^\]]*\]\s*){0,8}\S+\s+: ")
_LEAD = re.compile(
    rf"\s*\[?(?:{_WORDS})\]?:?\s+(?:-- \S*: )?|\s*\[(?:{_WORDS.lower()})\]\s+(?:\d+#\d+: )?(?:\*\d+ )?"
)
_NOISE = re.compile(
    r"(?<!\s)\s++(?:trace|span|request|correlation)[_-]?id=\S+|, (?:client|server|host|referrer): [^,]+",
    re.IGNORECASE,
)
_LOGFMT = re.compile(r"(?<![\w.])\.*+(\w[\w.]*+)=(\"(?:[^\"\\]|\\.)*\"|\S+)")
_IN_KEYS = re.compile(r"(?:level|lvl|severity|time|timestamp|ts|t|at)=")
_MESSAGE_KEYS = ("msg", "message", "event", "log", "text", "@m", "@mt", "Message", "RenderedMessage")
_TARGET_KEYS = ("target", "upstream")
_ERROR_KEYS = ("error", "err", "exception", "reason", "cause", "@x", "Exception")
_LEVEL_KEYS = (
    *("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "Level", "LogLevel"),
    *("severity_text", "SeverityText"),
)


@dataclass(slots=True)
class Entry:
    """One thing that a log says. `lines` are its lines as read, without line ends; `origin` says which of the
    logs that were read together it stands in."""

    stamp: str
    level: str
    message: str
    lines: list[str]
    origin: int = 0
    access: Access | None = None

    @property
    def at(self) -> datetime | None:
        """When it was written; None where its line has no time."""
        return moment_of(self.stamp)

    @property
    def text(self) -> str:
        """All its lines."""
        return "\n".join(self.lines)


def entries(log: str, origin: int = 0) -> list[Entry]:
    """The entries of a log whose lines are headed by their time, in the order they were written."""
    return list(_entries(log.splitlines(), origin))


def _entries(lines: Iterable[str], origin: int) -> Iterator[Entry]:
    current: Entry | None = None
    for line in lines:
        stamp, body = split_stamp(line)
        if current and not body.startswith("{") and _MORE.match(body):
            current.lines.append(line)
            if _CATEGORY.fullmatch(current.message):
                current.message += f" {body.strip()}"
        elif body:
            if current:
                yield current
            current = _entry(stamp, body, line, origin)
    if current:
        yield current


def split_stamp(line: str) -> tuple[str, str]:
    """The time at the head of a line and the rest; an empty time where there is none."""
    head, space, rest = line.partition(" ")
    if len(head) >= 20 and head[4] == "-" and head[10] == "T":
        return head, rest
    return ("", line) if space or not head else ("", head)


def moment_of(stamp: str) -> datetime | None:
    """The instant of a line's time stamp, to the microsecond; None where it is none."""
    if not stamp:
        return None
    whole, dot, rest = stamp.partition(".")
    digits = rest.rstrip("Zz") if dot else ""
    try:
        return parse_time(f"{whole}.{digits[:6]}+00:00") if digits.isdigit() else parse_time(stamp)
    except ValueError:
        return None


def _entry(stamp: str, body: str, line: str, origin: int) -> Entry:
    if body.startswith("{") and (said := _json(body)) is not None:
        access = in_fields(said)
        return Entry(stamp, _grave(level_of(said), access), _message(said, access), [line], origin, access)
    access = in_text(body)
    return Entry(stamp, _grave(_plain_level(body), access), _plain_message(body), [line], origin, access)


def _json(body: str) -> Json | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def level_of(said: Json) -> str:
    """The level that a structured line names: in words, or the numbers of bunyan and pino."""
    for key in _LEVEL_KEYS:
        value = said.get(key)
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            return LEVELS[max(0, min(4, 6 - value // 10))] if value >= 10 else ""
        if isinstance(value, str) and value.lower() in _NAMES:
            return _NAMES[value.lower()]
    return ""


def _plain_level(body: str) -> str:
    if found := _LEVEL.search(body, 0, _HEAD):
        word = found["key"] or found[0].strip("[]")
        return _NAMES.get(word.lower(), "")
    if dotnet := _DOTNET.match(body, _own_time(body)):
        return _NAMES[dotnet[1]]
    if monolog := _MONOLOG.match(body, _own_time(body)):
        return _NAMES[monolog[1].lower()]
    if klog := _KLOG.match(body):
        return _KLOG_LEVELS[klog[1]]
    if _FATAL_START.match(body):
        return "fatal"
    return "error" if _ERROR_START.match(body) else ""


def _grave(level: str, access: Access | None) -> str:
    """A request answered with a server error is worth a warning, whatever level it was logged at."""
    if access and access.status >= 500 and level in {"", "info", "debug"}:
        return "warn"
    return level or "info"


def _text(said: Json, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = said.get(key)
        if isinstance(value, str):
            return value
    return ""


def _message(said: Json, access: Access | None = None) -> str:
    """What a structured line says, with the error it carries; one that tells of a request alone: that."""
    main = _text(said, _MESSAGE_KEYS)
    parts = [part for part in (main, _text(said, _TARGET_KEYS)) if part]
    for key in _ERROR_KEYS:
        if key in said and (error := _error(said[key], main)):
            parts.append(error)
            break
    if access and not parts:
        return f"{access.method} {access.path} {access.status}".strip()
    return ": ".join(parts) or json.dumps(said, ensure_ascii=False)


def _error(value: Any, main: str) -> str:
    """An error in one line: the text itself, or the first line of its stack where that says more."""
    if isinstance(value, dict):
        texts = [value.get("message"), value.get("stack"), value.get("type")]
        lines = [text.splitlines()[0] for text in texts if isinstance(text, str) and text.strip()]
        return next((line for line in lines if line != main), "")
    if not isinstance(value, str) or not value.strip():
        return ""
    lines = value.strip().splitlines()
    # Python says what went wrong below its frames, everybody else above them.
    return lines[-1] if lines[0].startswith("Traceback ") else lines[0]


def _own_time(body: str) -> int:
    """Where what a program writes begins, behind a time of its own."""
    return found.end() if (found := _OWN_TIME.match(body)) else 0


def _plain_message(body: str) -> str:
    start = _own_time(body)
    if dotnet := _DOTNET.match(body, start):
        start = dotnet.end()
    if (found := _SPRING.match(body, start)) or (found := _LEAD.match(body, start)):
        start = found.end()
    text = body[start:].strip()
    if _IN_KEYS.match(text):
        said = {key: value.strip('"') for key, value in _LOGFMT.findall(text)}
        if any(key in said for key in _MESSAGE_KEYS):
            return _message(said)
    return _NOISE.sub("", text)
