"""Instants and durations as people read them; every age in the product is computed here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""A source of "now"; worlds own one each, live or recorded."""


def parse_time(text: str) -> datetime:
    """An RFC 3339 instant, always with a zone; a missing zone means UTC. Raises ValueError."""
    stamp = datetime.fromisoformat(text)
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """UTC with whole seconds, as the Kubernetes API writes it: `2026-03-08T14:37:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(span: timedelta | float) -> str:
    """The two largest units, rounded down: `47 min`, `1 h 5 min`, `3 d 4 h`, `12 s`; below zero is `0 s`."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    units = (("d", 86400), ("h", 3600), ("min", 60))
    for index, (name, size) in enumerate(units):
        if seconds >= size:
            rest, (lower, low) = seconds % size, units[min(index + 1, 2)]
            tail = f" {rest // low} {lower}" if low < size and rest >= low else ""
            return f"{seconds // size} {name}{tail}"
    raise AssertionError("unreachable: a minute or more has a unit")


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now`: `47 min ago`."""
    return f"{duration(now - moment)} ago"


def clock_time(moment: datetime) -> str:
    """Hour and minute in UTC, as a timeline prints them: `13:45`."""
    return moment.astimezone(UTC).strftime("%H:%M")


def wall_clock() -> datetime:
    """The real time, in UTC: for approvals, records and expiry, never for the ages of things in a world."""
    return datetime.now(UTC)
