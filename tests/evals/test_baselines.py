"""Trivial ways to answer stay low, and are scored like a squad."""

import pytest

from opssquad import content
from opssquad.evals.baselines import WAYS, baselines
from opssquad.evals.oracle import Kin
from opssquad.evals.plan import cases_of
from opssquad.evals.suite import read_suite
from opssquad.evals.suspects import suspects
from opssquad.worlds.kube.recording import load

CASES = cases_of([read_suite("train"), read_suite("check")])


def test_every_way_is_scored_over_every_recording_once() -> None:
    assert len(CASES) > 2 * len(content.recordings())
    found = baselines(CASES)
    assert [b.name for b in found] == list(WAYS)
    assert {b.recordings for b in found} == {len(content.recordings())}


@pytest.mark.parametrize(("way", "most"), [("newest release", 0.35), ("no fault", 0.15)])
def test_the_recordings_do_not_let_a_trivial_way_look_good(way: str, most: float) -> None:
    (found,) = (b for b in baselines(CASES) if b.name == way)
    assert found.action <= most, "recordings where this is right are too many"


def test_what_restarts_or_names_everything_is_never_right() -> None:
    by_name = {b.name: b for b in baselines(CASES)}
    assert by_name["restart all"].action == 0.0
    assert by_name["blame all"].joint == 0.0


def test_the_newest_release_is_the_one_that_went_out_last() -> None:
    # 10:02 checkout, 18 minutes after catalog: the truth of shop-0412 says so in words.
    _, newest = WAYS["newest release"]
    recording = load(content.recordings()["shop-0412"])
    said = newest(suspects(recording, Kin(recording.objects)))
    assert [str(cause.component) for cause in said.causes] == ["Deployment/shop/checkout"]
    assert [(o.action, o.target) for o in said.options] == [("rollback", "Deployment/shop/checkout")]


def test_where_nothing_can_be_found_out_no_way_is_scored() -> None:
    unknown = [case.model_copy(update={"expect": "unknown"}) for case in CASES]
    assert baselines(unknown) == ()
