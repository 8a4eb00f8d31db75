"""Moving every date in a text by whole weeks, in all the forms that objects and logs write them.

Whole weeks keep what words say true: the hours in a sentence, "yesterday morning", a cron schedule and its
weekday. Only the date changes, so a form is known by its date alone and every interval stays.
"""

import re
from datetime import date, datetime, timedelta

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MONTH = "|".join(MONTHS)
FORMS = re.compile(
    # 2026-04-12 and 2026/04/12, alone or before a time of day
    r"(?<![0-9A-Za-z.])(?P<year>20\d\d)(?P<mark>[-/])(?P<month>0[1-9]|1[0-2])(?P=mark)(?P<day>[0-3]\d)(?!\d)"
    # 12/Apr/2026 and 12 Apr 2026
    rf"|(?<![0-9A-Za-z])(?P<day_>[0-3]\d)(?P<mark_>[ /])(?P<name>{MONTH})(?P=mark_)(?P<year_>20\d\d)(?!\d)"
    # seconds or milliseconds since 1970, alone or with a fraction
    r"|(?<![\w.-])(?P<epoch>1\d{9}(?:\d{3})?)(?![\w-])"
    # an event's name ends in the nanoseconds since 1970, in hexadecimal
    r"|(?<=\.)(?P<nanos>1[0-9a-f]{15})(?![0-9a-f])"
)
RANGE = timedelta(days=3 * 366)
"""A bare number is a time when it lies so near before the recording's clock."""


class Moved:
    """Texts moved by so many weeks; bare numbers are taken for times near `clock` only."""

    def __init__(self, weeks: int, clock: datetime) -> None:
        self.span, self.clock = timedelta(weeks=weeks), clock
        # A log says the same day on every line.
        self._seen: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The text with every date in it moved."""
        return FORMS.sub(lambda hit: self._seen.get(hit[0]) or self._hit(hit), text)

    def minutes(self, number: str) -> str:
        """Minutes since 1970, as a CronJob's runs carry them in their names, moved."""
        return str(int(number) + self.span // timedelta(minutes=1))

    def near(self, seconds: float) -> bool:
        """Whether that many seconds since 1970 lie in the years before the clock."""
        now = self.clock.timestamp()
        return now - RANGE.total_seconds() <= seconds <= now + 86400

    def _hit(self, hit: re.Match[str]) -> str:
        return self._seen.setdefault(hit[0], self._moved(hit))

    def _moved(self, hit: re.Match[str]) -> str:
        text, seconds = hit[0], int(self.span.total_seconds())
        if epoch := hit["epoch"]:
            scale = 1000 if len(epoch) == 13 else 1
            return str(int(epoch) + seconds * scale) if self.near(int(epoch) / scale) else text
        if nanos := hit["nanos"]:
            number = int(nanos, 16)
            return f"{number + seconds * 10**9:x}" if self.near(number / 10**9) else text
        named = hit["name"] is not None
        month = MONTHS.index(hit["name"]) + 1 if named else int(hit["month"])
        moved = self._date(int(hit["year_"] or hit["year"]), month, int(hit["day_"] or hit["day"]))
        if moved is None:
            return text
        if named:
            return hit["mark_"].join((f"{moved.day:02}", MONTHS[moved.month - 1], str(moved.year)))
        return moved.strftime(hit["mark"].join(("%Y", "%m", "%d")))

    def _date(self, year: int, month: int, day: int) -> date | None:
        """The date moved; None for a day that its month has not, which is no date."""
        following = date(year + month // 12, month % 12 + 1, 1)
        last = (following - timedelta(days=1)).day
        return date(year, month, day) + self.span if 1 <= day <= last else None
