"""When a CronJob's schedule was due last: the five fields of cron as Kubernetes reads them; pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MACROS = {
    **dict.fromkeys(("@yearly", "@annually"), "0 0 1 1 *"),
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    **dict.fromkeys(("@daily", "@midnight"), "0 0 * * *"),
    "@hourly": "0 * * * *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
RANGES = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, DAYS))
BACK = 366
ZONE = re.compile(r"^(?:CRON_)?TZ=\S+\s+")
"""How a schedule named its time zone before there was a field for it."""
EVERY = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+")


def last_due(schedule: str, now: datetime, zone: str = "") -> datetime | None:
    """The last instant, not after `now`, at which the schedule was due, up to a year back; None where there
    is none or the schedule or its time zone cannot be read (`@every` has no fixed instants)."""
    words = MACROS.get(schedule.strip().lower(), schedule).split()
    try:
        where: tzinfo = ZoneInfo(zone) if zone else UTC
        minutes, hours, days, months, weekdays = (
            _field(word, *form) for word, form in zip(words, RANGES, strict=True)
        )
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None
    # A day has to fit both fields where one of them is a star, else either.
    either = words[2][:1] not in "*?" and words[4][:1] not in "*?"
    local = now.astimezone(where)
    for back in range(BACK):
        day = local.date() - timedelta(days=back)
        fits = (day.day in days, day.isoweekday() % 7 in {each % 7 for each in weekdays})
        if day.month not in months or not (any(fits) if either else all(fits)):
            continue
        for hour in sorted(hours, reverse=True):
            for minute in sorted(minutes, reverse=True):
                due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=where)
                if due <= local:
                    return due.astimezone(UTC)
    return None


def readable(schedule: str, zone: str = "") -> bool:
    """Whether Kubernetes can keep such a schedule: five fields or a macro, in a time zone that there is."""
    text = ZONE.sub("", schedule.strip()).lower()
    if text.startswith("@every "):
        return bool(EVERY.fullmatch(text.removeprefix("@every ").strip()))
    words = MACROS.get(text, text).split()
    try:
        ZoneInfo(zone or "UTC")
        for word, form in zip(words, RANGES, strict=True):
            _field(word, *form)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return False
    return True


def _field(text: str, least: int, most: int, names: tuple[str, ...]) -> set[int]:
    """The numbers that a field means. Raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in {"*", "?"}:
            start, end = least, most
        else:
            start = _number(first, least, names)
            end = _number(last, least, names) if dash else most if step else start
        width = int(step) if step else 1
        if not (least <= start <= end <= most and width > 0):
            raise ValueError(f"{text!r} is no field of a schedule")
        found.update(range(start, end + 1, width))
    return found


def _number(text: str, least: int, names: tuple[str, ...]) -> int:
    low = text.lower()[:3]
    return names.index(low) + least if low in names else int(text)
