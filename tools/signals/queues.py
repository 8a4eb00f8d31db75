"""What a log tells of a consumer: a message that it cannot get past, and how far it is behind. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .._loglines import Entry

GRAVE = frozenset({"fatal", "error", "warn"})
HINTS = ("lag", "backlog", "pending", "queue", "behind", "waiting")
"""One of these, in lower case, stands in all that tells of a count of what waits."""
LONGEST = 1000
"""Characters of an entry that are looked through."""
AGAIN = 4
"""How often the same message has failed at least before it is called stuck."""
LEAST = 20
"""What waits at the end at least before it is called a lag."""
MOST_OTHERS = 0.2
"""The share of other messages among those that fail, up to which one alone is what is stuck."""
_KEYS = (
    r"offset|sequence|seq(?:no|uence[ _-]?(?:no|number))?|stream[ _-]?seq(?:uence)?|jid|lsn"
    r"|(?:message|msg|delivery|event|record|job|task|entry)[ _-]?id"
)
_NAMED = re.compile(
    rf"""\b(?P<key>{_KEYS})["']?(?:\s*[:=#]\s*|\s+)["']?(?P<id>[\w:./-]*\d(?:[\w:./-]*\w)?)""", re.IGNORECASE
)
_OF_A_QUEUE = re.compile(
    r"\b(?:message|msg|event|record|job|task|batch|packet|document|payload)[ _]?(?P<id>#?[\w-]*\d{2,}[\w-]*)"
    r"|\b(?:queue|topic|stream|subscription|partition|consumer|redeliver\w*|requeue\w*|nack\w*)\b[^\n]*?"
    r"\b(?P<other>[a-f0-9-]{8,}|\d{4,})\b(?! ?(?:ms|s|bytes|B|KB|MB|%)\b)",
    re.IGNORECASE,
)
_AT = re.compile(r"\b(?P<key>[\w.]+-\d+)@(?P<id>\d+)\b")
"""Kafka clients write `topic-partition@offset`."""
_LAG = re.compile(
    r"""\b(?:consumer[ _-]?)?(?:lag|backlog|pending|queue[ _-]?(?:depth|length|size))["']?"""
    r"""(?:\s*[:=]\s*|\s+(?:is\s+)?)["']?(?P<n>\d{1,12})\b"""
    r"|\b(?P<m>\d{1,12}) (?:messages|records|events|jobs) (?:behind|pending|waiting|in (?:the )?queue)\b",
    re.IGNORECASE,
)


class Stuck(NamedTuple):
    """A message that fails again and again: what it is called by, and the entries that tell of it."""

    key: str
    id: str
    entries: list[Entry]


class Lag(NamedTuple):
    """How many were waiting at first and at last, and the entries that tell it."""

    before: int
    after: int
    entries: list[Entry]


def stuck(entries: Sequence[Entry]) -> Stuck | None:
    """The one message that nearly all failures of a log are about; None where many messages fail, or none."""
    told: dict[tuple[str, str], list[Entry]] = {}
    for each in entries:
        if each.level in GRAVE and (which := _which(each.text[:LONGEST])):
            told.setdefault(which, []).append(each)
    counts = Counter({which: len(found) for which, found in told.items()})
    if not counts:
        return None
    (which, most), total = counts.most_common(1)[0], counts.total()
    if most < AGAIN or (total - most) / total > MOST_OTHERS:
        return None
    return Stuck(*which, told[which])


def _waiting(text: str) -> int | None:
    lower = text.lower()
    found = _LAG.search(text) if any(hint in lower for hint in HINTS) else None
    return int(found["n"] or found["m"]) if found else None


def _which(text: str) -> tuple[str, str] | None:
    if found := _NAMED.search(text) or _AT.search(text):
        return found["key"], found["id"]
    if found := _OF_A_QUEUE.search(text):
        return "message", found["id"] or found["other"]
    return None


def lag(entries: Sequence[Entry]) -> Lag | None:
    """A count of what waits that has grown by half at least; None where nothing tells of one that has."""
    told = [(count, each) for each in entries if (count := _waiting(each.text[:LONGEST])) is not None]
    if len(told) < 2 or told[-1][0] < LEAST or 2 * told[-1][0] <= 3 * told[0][0]:
        return None
    return Lag(told[0][0], told[-1][0], [each for _, each in told])
