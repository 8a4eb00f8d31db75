"""Times that rules are about: days, hours, dates, zones, and the nights in which clocks are changed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from opssquad.gate.rules.windows import Window, hold, over
from opssquad.times import parse_time
from tests.gate.rules.made import TIMES, WINDOWS, facts, rule


def windows(*given: dict[str, Any]) -> list[Window]:
    return [Window.model_validate(each) for each in given]


FRIDAY = {"weekdays": "fri", "from": "16:00"}
NIGHT = {"weekdays": "fri", "from": "22:00", "until": "06:00"}
BERLIN = {"zone": "Europe/Berlin"}
HOLIDAYS = {**BERLIN, "dates": {"first": "2026-12-21", "last": "2027-01-03"}}


@pytest.mark.parametrize(
    ("window", "at", "inside"),
    [
        # 2026-11-27 is a Friday.
        (FRIDAY, "2026-11-27T15:59:59.999999Z", False),
        (FRIDAY, "2026-11-27T16:00:00Z", True),
        (FRIDAY, "2026-11-27T23:59:59Z", True),
        (FRIDAY, "2026-11-28T00:00:00Z", False),
        (FRIDAY, "2026-11-26T17:00:00Z", False),
        ({"until": "08:00"}, "2026-11-27T07:59:00Z", True),
        ({"until": "08:00"}, "2026-11-27T08:00:00Z", False),
        ({"from": "09:00", "until": "24:00"}, "2026-11-27T23:59:59Z", True),
        ({"from": "22:00", "until": "00:00"}, "2026-11-27T23:59:59Z", True),
        ({"from": "22:00", "until": "00:00"}, "2026-11-27T00:00:00Z", False),
        # A night belongs to the day on which it begins.
        (NIGHT, "2026-11-27T21:59:59Z", False),
        (NIGHT, "2026-11-28T05:59:59Z", True),
        (NIGHT, "2026-11-28T06:00:00Z", False),
        (NIGHT, "2026-11-27T05:00:00Z", False),
        ({"weekdays": ["mon-wed", "SUN"]}, "2026-11-29T12:00:00Z", True),
        ({"weekdays": "fri-mon"}, "2026-11-30T12:00:00Z", True),
        ({"weekdays": "fri-mon"}, "2026-12-01T12:00:00Z", False),
        # The zone's own midnight.
        (HOLIDAYS, "2026-12-20T22:59:59Z", False),
        (HOLIDAYS, "2026-12-20T23:00:00Z", True),
        (HOLIDAYS, "2027-01-03T22:59:59Z", True),
        (HOLIDAYS, "2027-01-03T23:00:00Z", False),
        ({**BERLIN, "dates": "2026-12-24"}, "2026-12-24T12:00:00+01:00", True),
        ({**BERLIN, "dates": ["2026-12-24", "2026-12-31"]}, "2026-12-31T12:00:00+01:00", True),
        ({**BERLIN, "dates": ["2026-12-24", "2026-12-31"]}, "2026-12-30T12:00:00+01:00", False),
        ({"zone": "America/New_York", "weekdays": "fri"}, "2026-11-28T04:59:00Z", True),
        ({"zone": "Pacific/Auckland", "weekdays": "fri"}, "2026-11-26T11:00:00Z", True),
        # 2026-03-29 in Berlin: 02:00 becomes 03:00 at 01:00Z.
        ({**BERLIN, "from": "02:30", "until": "04:00"}, "2026-03-29T00:59:59Z", False),
        ({**BERLIN, "from": "02:30", "until": "04:00"}, "2026-03-29T01:00:00Z", True),
        ({**BERLIN, "from": "01:00", "until": "02:30"}, "2026-03-29T00:59:59Z", True),
        ({**BERLIN, "from": "01:00", "until": "02:30"}, "2026-03-29T01:00:00Z", False),
        # 2026-10-25 in Berlin: 03:00 becomes 02:00 at 01:00Z; 02:30 is at 00:30Z and again at 01:30Z.
        ({**BERLIN, "from": "02:30", "until": "04:00"}, "2026-10-25T00:29:59Z", False),
        ({**BERLIN, "from": "02:30", "until": "04:00"}, "2026-10-25T00:30:00Z", True),
        ({**BERLIN, "from": "02:30", "until": "04:00"}, "2026-10-25T01:10:00Z", True),
        ({**BERLIN, "from": "01:00", "until": "02:30"}, "2026-10-25T00:29:59Z", True),
        ({**BERLIN, "from": "01:00", "until": "02:30"}, "2026-10-25T01:10:00Z", False),
    ],
)
def test_a_moment_lies_in_a_window_or_not(window: dict[str, Any], at: str, inside: bool) -> None:
    assert hold(windows(window), parse_time(at)) is inside


@pytest.mark.parametrize(
    ("several", "at", "said"),
    [
        ([FRIDAY], "2026-11-27T17:00:00Z", "2026-11-28 00:00 UTC"),
        ([FRIDAY, {"weekdays": "sat-sun"}, {"weekdays": "mon", "until": "08:00"}],
         "2026-11-27T17:00:00Z", "2026-11-30 08:00 UTC"),
        ([HOLIDAYS], "2026-12-24T12:00:00Z", "2027-01-04 00:00 Europe/Berlin"),
        ([NIGHT], "2026-11-28T01:00:00Z", "2026-11-28 06:00 UTC"),
        ([{**BERLIN, "from": "01:00", "until": "02:30"}],
         "2026-03-29T00:30:00Z", "2026-03-29 03:00 Europe/Berlin"),
        ([{"weekdays": "mon-sun"}], "2026-11-27T17:00:00Z", ""),
        ([FRIDAY], "2026-11-26T17:00:00Z", ""),
    ],
)  # fmt: skip
def test_the_end_of_a_freeze_is_told(several: list[dict[str, Any]], at: str, said: str) -> None:
    assert over(windows(*several), parse_time(at)) == said


def test_the_reason_says_until_when_and_a_rule_that_allows_has_nothing_to_say() -> None:
    at = parse_time("2026-12-24T12:00:00Z")
    frozen = rule("refuse", when=HOLIDAYS, reason="change freeze").says(facts(at=at))
    assert frozen.reason == "change freeze; until 2027-01-04 00:00 Europe/Berlin"
    assert rule("allow", when=HOLIDAYS).says(facts(at=at)).reason == ""


@settings(max_examples=50)
@given(st.lists(WINDOWS, min_size=1, max_size=3), TIMES)
def test_at_the_end_that_is_told_it_is_over_and_never_before(
    given_windows: list[dict[str, Any]], at: datetime
) -> None:
    several = windows(*given_windows)
    said = over(several, at)
    if not said:
        return
    day, time, zone = said.split()
    end = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert hold(several, at)
    assert not hold(several, end)
    for part in range(20):
        assert hold(several, at + (end - at) * part / 20)
    assert hold(several, end - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"zone": "Europe/Berlyn", "weekdays": "mon"}, "no time zone 'Europe/Berlyn' on this machine"),
        ({"zone": "../etc/passwd", "weekdays": "mon"}, "no time zone '../etc/passwd'"),
        ({"zone": "Europe", "weekdays": "mon"}, "no time zone 'Europe'"),
        ({"zone": "", "weekdays": "mon"}, "no time zone ''"),
        ({"zone": "UTC"}, "give weekdays, from, until or dates"),
        ({}, "give weekdays, from, until or dates"),
        ({"from": "9:00"}, "'9:00' is no time; it is written like 09:30"),
        ({"from": "25:00"}, "'25:00' is no time"),
        ({"from": "soon"}, "'soon' is no time"),
        ({"from": 1080}, "a time is written like 09:30"),
        ({"from": None}, "None is no time"),
        ({"from": "09:00", "until": "09:00"}, "from and until are the same"),
        ({"from": "24:00"}, "from and until are the same"),
        ({"weekdays": "monday"}, "'monday' is no day; there is: mon, tue"),
        ({"weekdays": []}, "at least 1 item"),
        ({"weekdays": 5}, "give days such as mon-fri"),
        ({"dates": {"first": "2026-12-24", "last": "2026-12-23"}}, "is after the last"),
        ({"dates": "christmas"}, "valid date"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(window: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        rule(when=window)


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ({"weekdays": "mon-fri"}, {"weekdays": "fri"}, True),
        ({"weekdays": "fri"}, {"weekdays": "mon-fri"}, False),
        ({"until": "10:00"}, {"from": "08:00", "until": "09:00"}, True),
        ({"until": "10:00"}, {"from": "08:00", "until": "11:00"}, False),
        ({"from": "20:00", "until": "06:00"}, {"from": "22:00", "until": "05:00"}, True),
        ({"from": "20:00"}, {"from": "22:00", "until": "05:00"}, False),
        ({"dates": {"first": "2026-12-01", "last": "2026-12-31"}}, {"dates": "2026-12-24"}, True),
        ({"dates": "2026-12-24"}, {"weekdays": "mon"}, False),
        ({"weekdays": "mon-fri", **BERLIN}, {"weekdays": "fri"}, False),
    ],
)
def test_a_window_covers_what_lies_within_it(
    wide: dict[str, Any], narrow: dict[str, Any], covered: bool
) -> None:
    assert rule(when=wide).covers(rule(when=narrow)) is covered


def test_all_times_cover_any_and_none_covers_all_times() -> None:
    assert rule().covers(rule(when=FRIDAY))
    assert not rule(when=FRIDAY).covers(rule())
    assert rule(when=[FRIDAY, NIGHT]).covers(rule(when=NIGHT))
