"""Times that a rule is about: weekdays, hours and dates of a zone. Pure: what time it is, is passed in.

A window that goes past midnight belongs to the day on which it begins. A time that comes twice (the clocks
are put back) is its first; one that is skipped (they are put forward) is the moment of the change.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from opssquad.types import Value

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
"""Minutes."""
FARTHEST = 800
"""Stretches after which the end of a time is no longer looked for."""


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of that name. Raises ValueError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone {name!r} on this machine; such as Europe/Berlin or UTC") from None


def _minutes(given: object) -> int:
    """Minutes since midnight of `09:30`; `24:00` is the end of the day. Raises ValueError."""
    if isinstance(given, int) and not isinstance(given, bool):
        raise ValueError("a time is written like 09:30")
    try:
        hours, _, minutes = str(given).partition(":")
        if given == "24:00":
            return DAY
        if len(hours) != 2 or len(minutes) != 2:
            raise ValueError
        told = time(int(hours), int(minutes))
    except ValueError:
        raise ValueError(f"{given!r} is no time; it is written like 09:30") from None
    return told.hour * 60 + told.minute


def _weekdays(given: object) -> object:
    """`mon-fri`, `sat`, or a list of these, as names of days. Raises ValueError."""
    if not isinstance(given, str | list | tuple):
        raise ValueError(f"give days such as mon-fri or [sat, sun], not {given!r}")
    found: list[str] = []
    for each in [given] if isinstance(given, str) else given:
        first, _, last = str(each).lower().partition("-")
        last = last or first
        if first not in DAYS or last not in DAYS:
            raise ValueError(f"{each!r} is no day; there is: {', '.join(DAYS)}")
        at, end = DAYS.index(first), DAYS.index(last)
        found += [DAYS[n % 7] for n in range(at, end + 1 if end >= at else end + 8)]
    return tuple(dict.fromkeys(found))


class Dates(Value):
    """Days from the first to the last, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"the first day {self.first} is after the last, {self.last}")
        return self

    def has(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.first <= day <= self.last


def _dates(given: object) -> object:
    """One range or a list of ranges; a single day is a range of one."""
    several = given if isinstance(given, list) else [given]
    return [each if isinstance(each, dict | Dates) else {"first": each, "last": each} for each in several]


class Window(Value):
    """Hours of days. What is not given does not restrict; `until` is not included, and lies on the next day
    where it is not after `from`."""

    zone: str = "UTC"
    weekdays: Annotated[tuple[str, ...], BeforeValidator(_weekdays), Field(min_length=1)] = DAYS
    begins: Annotated[int, BeforeValidator(_minutes), Field(alias="from")] = 0
    ends: Annotated[int, BeforeValidator(_minutes), Field(alias="until")] = DAY
    dates: Annotated[tuple[Dates, ...], BeforeValidator(_dates)] = ()

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        zone_of(name)
        return name

    @model_validator(mode="after")
    def _restricts(self) -> Self:
        if self.begins == self.ends or self.begins == DAY:
            raise ValueError("from and until are the same; leave both out for a whole day")
        if not self.model_fields_set & {"weekdays", "begins", "ends", "dates"}:
            raise ValueError("give weekdays, from, until or dates")
        return self

    @property
    def length(self) -> int:
        """Minutes from the midnight before it to its end: more than a day's where it goes past midnight."""
        return self.ends if self.ends > self.begins else self.ends + DAY

    def on(self, day: date) -> bool:
        """Whether it begins on that day."""
        right = not self.dates or any(each.has(day) for each in self.dates)
        return right and DAYS[day.weekday()] in self.weekdays

    def end(self, at: datetime) -> datetime | None:
        """When the stretch that `at` lies in is over; None if it lies in none."""
        zone = zone_of(self.zone)
        today = at.astimezone(zone).date()
        for day in (today, today - timedelta(days=1)):
            if self.on(day) and _reached(day, self.begins, zone) <= at < _reached(day, self.length, zone):
                return _reached(day, self.length, zone)
        return None

    def within(self, other: "Window") -> bool:
        """Whether every moment of it certainly lies in the other one too."""
        days = set(self.weekdays) <= set(other.weekdays) and (
            not other.dates
            or bool(self.dates)
            and all(any(o.has(d.first) and o.has(d.last) for o in other.dates) for d in self.dates)
        )
        return (
            days and self.zone == other.zone and self.begins >= other.begins and self.length <= other.length
        )

    @property
    def never(self) -> bool:
        """Whether none of its dates is one of its weekdays."""
        return bool(self.dates) and not any(self.on(day) for each in self.dates for day in _week(each))


def _week(dates: Dates) -> Iterator[date]:
    """The days of a range, seven at most: later ones are the same weekdays again."""
    for ahead in range(min((dates.last - dates.first).days, 6) + 1):
        yield dates.first + timedelta(days=ahead)


def _reached(day: date, minutes: int, zone: tzinfo) -> datetime:
    """The first moment at which the clocks of the zone show that time of that day, or are past it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    moment = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return moment


def _windows(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


Windows = Annotated[tuple[Window, ...], BeforeValidator(_windows), Field(min_length=1)]


def hold(windows: Sequence[Window], at: datetime) -> bool:
    """Whether it is the time of one of them; of none where there are none."""
    return any(each.end(at) for each in windows)


def over(windows: Sequence[Window], at: datetime) -> str:
    """When a time that `at` lies in is over, windows that follow upon each other being one:
    `2027-01-04 00:00 Europe/Berlin`; empty where no end is near."""
    moment, zone = at, ""
    for _ in range(FARTHEST):
        ends = [(end, each.zone) for each in windows if (end := each.end(moment))]
        if not ends:
            return f"{moment.astimezone(zone_of(zone)):%Y-%m-%d %H:%M} {zone}" if zone else ""
        moment, zone = max(ends)
    return ""


def covers(wide: Sequence[Window], narrow: Sequence[Window]) -> bool:
    """Whether certainly every time of `narrow` is one of `wide`; no windows are all times."""
    return not wide or bool(narrow) and all(any(n.within(w) for w in wide) for n in narrow)
