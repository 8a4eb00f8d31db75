"""Ages in the server's short form, and the edges between its units."""

from datetime import UTC, datetime

import pytest

from opssquad.worlds.kube.apiserver.ages import human, since

DAY = 86400


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (135, "2m15s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (11000, "3h3m"),
        (28800, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 3600, "2d1h"),
        (8 * DAY, "8d"),
        (729 * DAY, "729d"),
        (731 * DAY, "2y1d"),
        (9 * 365 * DAY, "9y"),
    ],
)
def test_a_duration_is_precise_while_it_is_young(seconds: float, said: str) -> None:
    assert human(seconds) == said


def test_no_time_stamp_is_unknown() -> None:
    now = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
    assert since(None, now) == "<unknown>"
    assert since("2026-03-08T14:36:30.5Z", now) == "29s"
