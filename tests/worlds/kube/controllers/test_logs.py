"""What new containers write: recorded lines, moved in time, with the new template's version and settings."""

from datetime import timedelta

from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.world import LogLine
from opssquad.worlds.kube.controllers.kubelet.logs import adapted, opening, restamped, span

BEGIN = parse_time("2026-05-01T10:00:00Z")
LINES = [
    LogLine("2026-05-01T10:00:00.100000000Z", "2026-05-01T10:00:00.099Z INFO api v1.2.0 starting, POOL=20"),
    LogLine(
        "2026-05-01T10:00:01.000000000Z", '{"time": "2026-05-01 10:00:00,999", "msg": "listening v1.2.01"}'
    ),
    LogLine("2026-05-01T10:00:02.500000000Z", "2026-05-01T10:00:02Z WARN slow"),
    LogLine("2026-05-01T10:00:03.000000000Z", "2026-05-01T10:00:03Z INFO later"),
]


def test_stamps_move_along_inside_and_out_and_keep_their_form() -> None:
    moved = restamped(LINES, BEGIN + timedelta(hours=1, milliseconds=100))
    assert moved[0] == LogLine(
        "2026-05-01T11:00:00.100000000Z", "2026-05-01T11:00:00.099Z INFO api v1.2.0 starting, POOL=20"
    )
    assert moved[1].text == '{"time": "2026-05-01 11:00:00,999", "msg": "listening v1.2.01"}'
    assert span(moved) == span(LINES) == 2.9


def test_the_opening_ends_at_the_first_sign_of_trouble() -> None:
    assert opening(LINES, BEGIN) == LINES[:2]


def test_a_log_that_does_not_go_back_to_the_start_has_no_opening() -> None:
    assert opening(LINES, BEGIN - timedelta(minutes=1)) == []


def test_version_and_settings_are_those_of_the_new_template_and_only_whole_words() -> None:
    before = {"image": "r/api:v1.2.0", "env": [{"name": "POOL", "value": "20"}]}
    after = {"image": "r/api:v1.3.0", "env": [{"name": "POOL", "value": "50"}]}
    texts = [line.text for line in adapted(LINES[:2], before, after)]
    assert texts[0].endswith("api v1.3.0 starting, POOL=50")
    assert "v1.2.01" in texts[1]


def test_nothing_comes_from_nothing() -> None:
    assert restamped([], BEGIN) == []
    assert opening([], BEGIN) == []
    assert span([]) == 0.0
