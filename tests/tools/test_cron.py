"""When a schedule was due last."""

import pytest
from tools._cron import last_due

from opssquad import parse_time

# A Thursday.
NOW = parse_time("2026-01-01T12:34:56Z")


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-01-01T12:34:00Z"),
        ("*/15 * * * *", "2026-01-01T12:30:00Z"),
        ("5-20/5 * * * *", "2026-01-01T12:20:00Z"),
        ("0 2 * * *", "2026-01-01T02:00:00Z"),
        ("0 23 * * *", "2025-12-31T23:00:00Z"),
        ("0 3 * * mon", "2025-12-29T03:00:00Z"),
        ("0 3 * * 7", "2025-12-28T03:00:00Z"),
        ("0 3 * * 1-5", "2026-01-01T03:00:00Z"),
        ("0 0 1 JAN ?", "2026-01-01T00:00:00Z"),
        ("30 4 1,15 * 5", "2026-01-01T04:30:00Z"),
        ("30 4 2 * 5", "2025-12-26T04:30:00Z"),
        ("@hourly", "2026-01-01T12:00:00Z"),
        ("@weekly", "2025-12-28T00:00:00Z"),
        ("34 12 * * *", "2026-01-01T12:34:00Z"),
    ],
)
def test_a_schedule_was_due_last_at(schedule: str, due: str) -> None:
    assert last_due(schedule, NOW) == parse_time(due)


def test_a_time_zone_moves_the_schedule() -> None:
    assert last_due("0 2 * * *", NOW, "Europe/Berlin") == parse_time("2026-01-01T01:00:00Z")
    assert last_due("0 13 * * *", NOW, "Europe/Berlin") == parse_time("2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    "schedule",
    ["", "@every 5m", "61 * * * *", "* * * *", "a b c d e", "*/0 * * * *", "9-3 * * * *", "0 0 30 2 *"],
)
def test_what_is_no_schedule_or_never_due_gives_none(schedule: str) -> None:
    assert last_due(schedule, NOW) is None


def test_an_unknown_time_zone_gives_none() -> None:
    assert last_due("* * * * *", NOW, "Mars/Olympus") is None
    assert last_due("* * * * *", NOW, "../etc") is None
