"""Milestones and durations of an incident."""

from datetime import timedelta

import pytest

from opssquad.errors import UsageError
from opssquad.incident.record import Incident, Milestones
from tests.incident.stories import asked, at, concluded, looked, requested, signal, started, verified


@pytest.mark.parametrize(
    ("start", "mitigated", "resolved", "minutes"),
    [("14:15", "14:52", "14:55", (37, 40)), ("14:23", "14:42", "14:50", (19, 27))],
)
def test_durations_are_differences_of_milestones(
    start: str, mitigated: str, resolved: str, minutes: tuple[int, int]
) -> None:
    milestones = Milestones(impact_started=at(start), mitigated=at(mitigated), resolved=at(resolved))
    ttm, ttr = (timedelta(minutes=m) for m in minutes)
    assert milestones.metrics() == {"TTM": ttm, "TTR": ttr}


def test_people_may_set_milestones_but_none_before_the_impact() -> None:
    milestones = Milestones(impact_started=at("14:15")).with_(detected=at("14:16"))
    assert milestones.metrics() == {"TTD": timedelta(minutes=1)}
    with pytest.raises(UsageError, match="milestones: detected is before impact_started"):
        milestones.with_(impact_started=at("14:20"))


def test_milestones_are_read_off_the_events() -> None:
    story = [
        asked("14:32"),
        looked(
            "14:33",
            signal("container.crash_loop", "crash loops", "13:47"),
            signal("rollout.recent", "revision 8", "13:45"),
            signal("probe.failed", "later", "14:33"),
        ),
        concluded("14:35"),
        requested("14:36"),
        started("14:38"),
        verified("14:39", "same"),
        verified("14:40"),
        concluded("14:41"),
    ]
    incident = Incident.of(story)
    assert (incident.id, incident.title, incident.state) == ("t1", "logins fail, why?", "monitoring")
    assert incident.milestones == Milestones(
        impact_started=at("13:47"),
        acknowledged=at("14:32"),
        identified=at("14:35"),
        mitigated=at("14:40"),
    )


def test_the_state_follows_what_happened_last() -> None:
    story = [asked("14:32"), looked("14:33"), concluded("14:34", causes=(), status="inconclusive")]
    assert Incident.of(story).state == "investigating"
    assert Incident.of([*story, started("14:35")]).state == "investigating"
    story += [concluded("14:35"), requested("14:36")]
    assert Incident.of(story).state == "identified"
    assert Incident.of([*story, started("14:38")]).state == "fixing"
    assert Incident.of([*story, started("14:38"), verified("14:39", "worse")]).state == "identified"


def test_a_thread_in_which_nothing_was_asked_is_no_incident() -> None:
    with pytest.raises(UsageError, match="nothing was asked"):
        Incident.of([])
