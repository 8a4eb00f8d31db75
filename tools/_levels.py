"""How grave a line of a log is: by the level it names in one of many ways, else by what it says.

Pure. Levels stand in words before the message, in brackets, as one letter, as a number of pino, bunyan, GELF
or OpenTelemetry; many programs of Go, C and shell name none, and say "failed" or "cannot" instead.
"""

import re

from opssquad import Json

LEVELS = ("fatal", "error", "warn", "info", "debug")
"""Gravest first; an entry that does not say is "info"."""
NAMES = {
    **dict.fromkeys(("fatal", "panic", "dpanic", "critical", "crit", "emerg", "emergency", "alert"), "fatal"),
    **dict.fromkeys(("error", "err", "severe", "eror", "fail"), "error"),
    **dict.fromkeys(("warn", "warning"), "warn"),
    **dict.fromkeys(("info", "information", "notice", "log"), "info"),
    **dict.fromkeys(("debug", "trace", "fine", "verbose", "dbug", "trce"), "debug"),
}
WORDS = "FATAL|PANIC|CRITICAL|CRIT|EMERG|ALERT|ERROR|ERR|SEVERE|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE|LOG"
_LEVEL = re.compile(
    rf"(?<![\w.])(?:{WORDS}|EROR)(?![\w.])|\[\s*(?i:{WORDS})\s*\]|\b(?:level|lvl|severity)=\"?(?P<key>[a-zA-Z]+)"
)
_FIRST = re.compile(
    r"[\[(<|]?\s*(error|err|warning|warn|info|debug|trace|fatal|notice)\s*[\])>|:\t ]", re.IGNORECASE
)
"""A level as the first word behind the line's own time, in any case: zap, swift-log, katip."""
DOTNET = re.compile(r"(crit|fail|warn|info|dbug|trce): (?=[\w.`+<>]+\[\d+\])")
_MONOLOG = re.compile(rf"[\w-]+\.({WORDS}|EMERGENCY): ")
"""A channel and the level, as Laravel and Symfony write them."""
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_KLOG_LEVELS = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}
_HEAD = 160
"""The level stands in the first characters of a line, or the line has none."""
_FATAL_START = re.compile(
    r"thread '[^']*' (?:\(\d+\) )?panicked at |panic: |fatal error: |Fatal |runtime error: "
)
_ERROR_START = re.compile(
    r"Traceback \(most recent|Exception in thread |[\w.$]*(?:Exception|Error): |error: |\w+: error: "
)
OWN_TIME = re.compile(
    r"(?:[DIWEFA], )?\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?(?: #\d+)?\]?\s*"
)
_SAYS_SO = re.compile(
    r"\b(?:failed|failure|cannot|can't|could not|couldn't|unable to|refused|timed out|timeout|unreachable"
    r"|no such host|not resolve|exception|rejected|giving up|gave up|error)\b",
    re.IGNORECASE,
)
_SAYS_NOT = re.compile(
    r"\b(?:no|0|zero|without|any) (?:errors?|failures?|exceptions?)\b"
    r"|\b0 (?:failed|rejected|refused|timed out)\b"
    r"|\b(?:errors?|failed|failures?|timeouts?|rejected|refused)[=: ]+0\b"
    r"|\btimeout[=: ]+\d|\bon (?:error|failure)\b"
    r"|\berror[ _-]?(?:rate|log|handler|page|reporting)",
    re.IGNORECASE,
)
_KEYS = (
    *(
        "level",
        "severity",
        "lvl",
        "levelname",
        "log.level",
        "loglevel",
        "log_level",
        "@l",
        "Level",
        "LogLevel",
    ),
    *("severity_text", "SeverityText", "severityText", "severityNumber", "severity_number", "sev"),
)
_OTEL = (("fatal", 21), ("error", 17), ("warn", 13), ("info", 9), ("debug", 1))
_SYSLOG = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")


def level_of(said: Json) -> str:
    """The level that a structured line names: in words, or in numbers; "" where it names none."""
    for key in _KEYS:
        value = said.get(key)
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            return _numbered(key, value)
        if isinstance(value, str) and value.lower() in NAMES:
            return NAMES[value.lower()]
    return ""


def _numbered(key: str, value: int) -> str:
    """Of bunyan and pino from 10 on, of GELF and syslog below; OpenTelemetry has keys of its own."""
    if key.lower().startswith("severityn") or key == "severity_number":
        return next((name for name, least in _OTEL if value >= least), "")
    if value >= 10:
        return LEVELS[max(0, min(4, 6 - value // 10))]
    return _SYSLOG[value] if 0 <= value < len(_SYSLOG) else ""


def plain_level(body: str, spoken: bool = True) -> str:
    """The level that a plain line names; where it names none, and unless that is not asked for (`spoken`), an
    error where it tells of one; else ""."""
    start = own_time(body)
    if dotnet := DOTNET.match(body, start):
        return NAMES[dotnet[1]]
    if monolog := _MONOLOG.match(body, start):
        return NAMES[monolog[1].lower()]
    if first := _FIRST.match(body, start):
        return NAMES[first[1].lower()]
    if found := _LEVEL.search(body, 0, _HEAD):
        return NAMES.get((found["key"] or found[0].strip("[] ")).lower(), "")
    if klog := _KLOG.match(body):
        return _KLOG_LEVELS[klog[1]]
    if _FATAL_START.match(body, start):
        return "fatal"
    said = _ERROR_START.match(body, start) or (spoken and says_so(body[start:]))
    return "error" if said else ""


def says_so(text: str) -> bool:
    """Whether a text without a level tells of something that failed."""
    return bool(_SAYS_SO.search(text)) and not _SAYS_NOT.search(text)


def own_time(body: str) -> int:
    """Where what a program writes begins, behind a time of its own."""
    return found.end() if (found := OWN_TIME.match(body)) else 0
