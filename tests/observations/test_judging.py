"""What looks at a revision prove, case by case: made-up looks, no cluster."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opssquad.observations import Known, Observation, PodSeen, Stretch, begun, extended, judged, replaced
from opssquad.observations.judging import MOST_GAP, PROVEN, STARTING
from opssquad.types import Ref

DAWN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
API = Ref(kind="Deployment", namespace="shop", name="api")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def pod(name: str = "a", ready: timedelta | None = timedelta(), **over: Any) -> PodSeen:
    """A pod that started at dawn; `ready` says how long after it was ready, None: it is not."""
    values = {"uid": f"uid-{name}", "name": name, "started": DAWN}
    return PodSeen(**{**values, "ready_since": None if ready is None else DAWN + ready, **over})


def look(after: timedelta, *pods: PodSeen, **over: Any) -> Observation:
    values = {"workload": API, "uid": "w1", "revision": "5d4f", "number": 2, "current": True}
    return Observation(**{**values, "desired": len(pods), "pods": pods, "at": DAWN + after, **over})


def kept(looks: Sequence[Observation]) -> list[Stretch]:
    """Looks as the store keeps them."""
    found: list[Stretch] = []
    for each in looks:
        if found and (longer := extended(found[-1], each)):
            found[-1] = longer
        else:
            found.append(begun(each))
    return found


def known(*looks: Observation, until: timedelta | None = None) -> Known:
    found = judged(kept(looks), None if until is None else DAWN + until)
    assert found
    return found


def test_without_a_look_nothing_is_known() -> None:
    assert judged([]) is None


def test_looks_in_which_nothing_changes_are_one_stretch() -> None:
    (stretch,) = kept([look(n * MINUTE, pod(), pod("b")) for n in range(100)])
    assert (stretch.looks, stretch.gap) == (100, 60.0)
    assert stretch.ended - stretch.begun == 99 * MINUTE


@pytest.mark.parametrize(
    "then",
    [
        pod(restarts=1),
        pod(ready=None),
        pod(ready=HOUR),
        pod("b"),
        pod(leaving=True),
    ],
    ids=["restarted", "not ready", "ready again", "another", "leaving"],
)
def test_whatever_happens_to_a_pod_begins_a_stretch(then: PodSeen) -> None:
    assert len(kept([look(2 * HOUR, pod()), look(2 * HOUR + MINUTE, then)])) == 2


def test_what_is_asked_of_a_revision_begins_a_stretch() -> None:
    assert extended(begun(look(MINUTE, pod())), look(HOUR, pod(), desired=2)) is None
    assert extended(begun(look(MINUTE, pod())), look(HOUR, pod(), current=False)) is None


def test_a_look_that_comes_late_makes_no_stretch_shorter() -> None:
    stretch = begun(look(HOUR, pod()))
    longer = extended(stretch, look(2 * HOUR, pod()))
    assert longer
    again = extended(longer, look(90 * MINUTE, pod()))
    assert again
    assert (again.ended, again.looks, again.gap) == (DAWN + 2 * HOUR, 3, 3600.0)
    before = extended(longer, look(30 * MINUTE, pod()))
    assert before
    assert (before.begun, before.ended) == (DAWN + 30 * MINUTE, DAWN + 2 * HOUR)


def test_a_look_that_does_not_read_the_number_does_not_lose_it() -> None:
    longer = extended(begun(look(HOUR, pod())), look(2 * HOUR, pod(), number=0))
    assert longer
    assert longer.number == 2


def test_five_days_without_a_restart_are_well() -> None:
    found = known(*(look(n * HOUR, pod(), pod("b")) for n in range(1, 121)), until=121 * HOUR - 55 * MINUTE)
    assert (found.verdict, found.restarts, found.looks) == ("ok", 0, 120)
    assert found.text == (
        "healthy from 2026-03-02 06:00 to 2026-03-07 06:00 (5 d), 0 restarts; looks at 2 pods"
        " from 2026-03-02 07:00 on, at most 1 h apart, with the same pods before and after,"
        " whose counts cover that"
    )


def test_one_look_tells_all_that_its_pods_have_lived_through() -> None:
    found = known(look(3 * DAY, pod()))
    assert (found.verdict, found.steady_since) == ("ok", DAWN)
    assert found.text.endswith("; one look at 1 pod, whose counts go back to their start")


def test_the_run_is_as_long_as_the_youngest_of_the_pods_that_were_there_first() -> None:
    assert known(look(DAY, pod(), pod("b", ready=DAY - 20 * MINUTE))).verdict == "unknown"


@pytest.mark.parametrize(("ran", "verdict"), [(PROVEN, "ok"), (PROVEN - MINUTE, "unknown")])
def test_less_than_is_proof_is_not_known(ran: timedelta, verdict: str) -> None:
    assert known(look(MINUTE, pod()), look(ran, pod())).verdict == verdict


def test_restarts_speak_against_it_with_how_and_when_the_last_one_came() -> None:
    fell = {"fell": "exit code 137 (OOMKilled)", "fell_at": DAWN + 2 * DAY}
    found = known(look(DAY, pod(), pod("b")), look(3 * DAY, pod(restarts=2, **fell), pod("b")))
    assert (found.verdict, found.restarts) == ("risk", 2)
    assert found.text == (
        "2 restarts of its pods seen by looks from 2026-03-03 06:00 to 2026-03-05 06:00, the last"
        " 2026-03-04 06:00: exit code 137 (OOMKilled)"
    )


def test_restarts_of_pods_that_are_gone_count_too() -> None:
    found = known(
        look(DAY, pod(restarts=1)), look(DAY + MINUTE, pod("b", ready=DAY)), look(9 * DAY, pod("b"))
    )
    assert (found.verdict, found.restarts) == ("risk", 1)


def test_restarts_of_a_pod_that_is_being_taken_away_count_too() -> None:
    found = known(look(DAY, pod()), look(DAY + MINUTE, pod(restarts=3, leaving=True), desired=0))
    assert (found.verdict, found.restarts) == ("risk", 3)


def test_restarts_are_counted_once_whatever_order_looks_come_in() -> None:
    late, early = look(2 * DAY, pod(restarts=5)), look(DAY, pod(restarts=4))
    assert known(late, early).restarts == known(early, late).restarts == 5


@pytest.mark.parametrize(("apart", "verdict"), [(MOST_GAP, "ok"), (MOST_GAP + MINUTE, "unknown")])
def test_pods_that_changed_unseen_end_the_run_unless_it_was_but_a_moment(
    apart: timedelta, verdict: str
) -> None:
    new = pod("b", ready=2 * HOUR + MINUTE)
    found = known(look(HOUR, pod()), look(2 * HOUR, pod()), look(2 * HOUR + apart, new))
    assert found.verdict == verdict
    assert found.blind == (apart.total_seconds() if verdict == "unknown" else 0.0)


def test_pods_that_are_added_leave_no_gap() -> None:
    grown = look(DAY, pod(), pod("b", ready=DAY - HOUR))
    found = known(look(HOUR, pod()), grown)
    assert (found.verdict, found.steady_since, found.blind) == ("ok", DAWN, 0.0)


def test_a_pod_that_was_not_ready_for_a_while_between_two_looks_begins_the_run_anew() -> None:
    found = known(look(HOUR, pod()), look(DAY, pod(ready=DAY - 2 * HOUR)))
    assert found.steady_since == DAWN + DAY - 2 * HOUR
    assert known(look(HOUR, pod()), look(DAY, pod(ready=DAY - 30 * MINUTE))).verdict == "unknown"


def test_pods_that_are_not_ready_at_the_last_look_speak_against_it() -> None:
    found = known(look(DAY, pod(), pod("b")), look(DAY + MINUTE, pod(), pod("b", ready=None)))
    assert (found.verdict, found.steady_since) == ("risk", None)
    assert found.text == "1 of 2 pods were ready when it was last looked at, 2026-03-03 06:01"


def test_a_pod_may_take_its_time_to_start_and_no_longer() -> None:
    assert known(look(STARTING, pod(ready=None))).verdict == "unknown"
    assert known(look(STARTING + MINUTE, pod(ready=None))).verdict == "risk"


def test_pods_that_are_missing_for_long_speak_against_it() -> None:
    found = known(look(HOUR, pod(), desired=3), look(2 * HOUR, pod(), desired=3))
    assert found.text.startswith("1 of 3 pods were ready")
    assert known(look(HOUR, pod(), desired=3), look(HOUR + MINUTE, pod(), desired=3)).verdict == "ok"


def test_being_taken_away_at_the_end_is_no_fault() -> None:
    found = known(look(MINUTE, pod()), look(DAY, pod()), look(DAY + MINUTE, pod(leaving=True), desired=0))
    assert (found.verdict, found.ended) == ("ok", DAWN + DAY)


@pytest.mark.parametrize(("tail", "verdict"), [(MOST_GAP, "ok"), (MOST_GAP + MINUTE, "unknown")])
def test_time_before_its_end_in_which_nobody_looked_is_not_known(tail: timedelta, verdict: str) -> None:
    assert known(look(MINUTE, pod()), look(DAY, pod()), until=DAY + tail).verdict == verdict


def test_when_it_was_replaced_follows_from_the_looks_at_the_other() -> None:
    old = kept([look(HOUR, pod()), look(DAY, pod())])
    new = kept([look(DAY + MINUTE, pod("n", ready=DAY), revision="77aa")])
    assert replaced(old, new) == DAWN + DAY + MINUTE
    assert replaced(new, old) is None
    assert replaced([], new) is None


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "revision 2: 1 of 1 ready, 0 restarts"),
        ({"number": 0}, "revision 5d4f: 1 of 1 ready, 0 restarts"),
        ({"desired": 3}, "revision 2: 1 of 3 ready, 0 restarts"),
    ],
)
def test_a_look_in_words(over: dict[str, Any], words: str) -> None:
    assert look(HOUR, pod(), **over).words() == words
    assert look(HOUR, pod(restarts=1)).words() == "revision 2: 1 of 1 ready, 1 restart"
