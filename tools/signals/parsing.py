"""Values that a program could not read, as the errors of common languages and libraries tell it."""

import re
from typing import NamedTuple

_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        r"NumberFormatException: For input string: \"(?P<value>[^\"\n]*)\"",
        r"NumberFormatException: .*?\"(?P<value>[^\"\n]*)\"",
        r"DateTimeParseException: Text '(?P<value>[^'\n]*)' could not be parsed",
        r"No enum constant (?P<value>[\w.$]+)",
        r"invalid literal for int\(\) with base \d+: '(?P<value>[^'\n]*)'",
        r"could not convert string to \w+: '(?P<value>[^'\n]*)'",
        r"strconv\.\w+: parsing \\?\"(?P<value>[^\"\\\n]*)\\?\": [\w ]+",
        r"time: (?:invalid duration|unknown unit|missing unit in duration)"
        r"[^\n]*?\\?\"(?P<value>[^\"\\\n]+)\\?\"",
        r"cannot unmarshal (?:!!\w+ )?[`\"]?(?P<value>[^`\"\n]*?)[`\"]? into (?:Go [^\n\"]*|\w+)",
        # Spelt out: a form that begins with letters of either case is tried at every place of a line.
        r"(?:could not|couldn't|cannot|can't|failed to|unable to"
        r"|Could not|Couldn't|Cannot|Can't|Failed to|Unable to) parse [\w -]{0,40}?[:=]? ?"
        r"[\"'`](?P<value>[^\"'`\n]*)[\"'`]",
        r"invalid (?:value|digit|integer|number|boolean|duration|URL|port)[^\"'`\n]{0,40}"
        r"[\"'`](?P<value>[^\"'`\n]*)[\"'`]",
        r"[\"'](?P<value>[^\"'\n]*)[\"'] is not a valid [\w ]+",
    )
)
_KEYS = (
    re.compile(
        r"\b(?:property|key|variable|env(?:ironment variable)?|setting|option|parameter|field)"
        r" [\"'`]?(?P<key>[A-Za-z_][\w.-]*)"
    ),
    re.compile(r"\b(?P<key>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b"),
    re.compile(r"\b(?P<key>[a-z][\w-]*(?:\.[a-z][\w-]*)+)\s*[:=]"),
)


class Unparsed(NamedTuple):
    """A value that could not be read: the setting it belongs to ("" if the text does not say), the value, and
    the words that tell it."""

    key: str
    value: str
    words: str


def unparsed(text: str) -> Unparsed | None:
    """What a log entry, stack trace included, tells of a value that could not be read."""
    for form in _FORMS:
        if found := form.search(text):
            return Unparsed(_key(text), found["value"] or "", found[0])
    return None


def _key(text: str) -> str:
    return next((found["key"] for each in _KEYS if (found := each.search(text))), "")
