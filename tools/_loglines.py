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
from ._levels import DOTNET, WORDS, level_of, own_time, plain_level

_CATEGORY = re.compile(r"[\w.`+<>]+\[\d+\]")
"""The first line of a .NET console entry; what it says stands in the next."""
_MORE = re.compile(
    r"\s|Caused by: |Suppressed: |goroutine \d|\.\.\. \d+ "
    r"|[\w.$]+(?:Exception|Error|Throwable)\b|[\w$]+(?:\.[\w$]+){2,}: "
)
_SPRING = re.compile(r"\s*[A-Z]+\s+\d+ --- (?:\[[^\]]*\]\s*){0,8}\S+\s+: ")
_LEAD = re.compile(
    rf"\s*\[?(?:{WORDS})\]?:?\s+(?:-- \S*: )?|\s*\[(?:{WORDS.lower()})\]\s+(?:\d+#\d+: )?(?:\*\d+ )?"
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
        return Entry(stamp, _grave(_told(said), access), _message(said, access), [line], origin, access)
    access = in_text(body)
    return Entry(
        stamp,
        _grave(plain_level(body, spoken=access is None), access),
        _plain_message(body),
        [line],
        origin,
        access,
    )


def _json(body: str) -> Json | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _told(said: Json) -> str:
    """The level of a structured line; one that names none and carries an error is one."""
    level = level_of(said)
    return level or ("error" if any(said.get(key) for key in ("error", "err", "exception")) else "")


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
    fields = said.get("fields")
    main = _text(said, _MESSAGE_KEYS) or (_text(fields, _MESSAGE_KEYS) if isinstance(fields, dict) else "")
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


def _plain_message(body: str) -> str:
    start = own_time(body)
    if dotnet := DOTNET.match(body, start):
        start = dotnet.end()
    if (found := _SPRING.match(body, start)) or (found := _LEAD.match(body, start)):
        start = found.end()
    text = body[start:].strip()
    if _IN_KEYS.match(text):
        said = {key: value.strip('"') for key, value in _LOGFMT.findall(text)}
        if any(key in said for key in _MESSAGE_KEYS):
            return _message(said)
    return _NOISE.sub("", text)
