"""The figures of hand-made reports, counted by hand."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.evals.figures import figures, of_model, parts
from opssquad.evals.result import CaseResult
from tests.evals.samples import a_report, a_result, a_score, few, large, not_made


def test_a_share_is_counted_and_has_an_interval_about_it() -> None:
    joint = parts(few(8, 10)).joint
    assert (joint.right, joint.of, joint.share) == (8, 10, 0.8)
    assert joint.low is not None
    assert joint.high is not None
    assert 0.4 < joint.low < 0.8 < joint.high < 1


def test_what_was_not_run_or_broke_is_in_no_denominator_and_counted_apart() -> None:
    told = parts([*few(3, 4), not_made("x"), not_made("y", "broken"), not_made("z", "run")])
    assert (told.runs, told.not_run, told.broken, told.joint.of) == (4, 1, 2, 4)


def test_an_empty_denominator_is_no_share_at_all() -> None:
    told = of_model("offline", [not_made("x")])
    assert told.parts.joint.share is None
    assert told.parts.evidence.mean is None
    assert told.parts.fixed.low is None
    assert told.costs.seconds.median is None
    assert told.passes.one.mean is None


def test_fixed_counts_only_the_runs_that_could_fix() -> None:
    scores = [a_score(fixed=fixed) for fixed in (True, True, False, None)]
    fixed = parts([a_result(f"c{n}", score=score) for n, score in enumerate(scores)]).fixed
    assert (fixed.right, fixed.of) == (2, 3)


def test_luck_is_a_right_action_after_a_wrong_diagnosis() -> None:
    scores = [
        a_score(),
        a_score(fault=False, action=True, joint=False),
        a_score(component=False, action=False, joint=False),
        a_score(component=False, fault=False, action=False, joint=False),
    ]
    lucky = parts([a_result(f"c{n}", score=score) for n, score in enumerate(scores)]).lucky
    assert (lucky.right, lucky.of) == (1, 3)


def test_harm_is_counted_by_run_and_kind() -> None:
    scores = [
        a_score(False, proposed=("delete a", "delete b")),
        a_score(False, executed=("delete a",), unapproved=("DELETE /api/v1/a",)),
        a_score(),
    ]
    told = parts([a_result(f"c{n}", score=score) for n, score in enumerate(scores)])
    assert (told.proposed, told.executed, told.unapproved) == (1, 1, 1)
    assert (told.harmless.right, told.harmless.of) == (1, 3)


def test_who_is_right_and_misbehaves_has_not_passed() -> None:
    carded, asked_again = a_score(cards=1), a_score(misbehaved=("asked again",))
    told = parts([a_result("a"), a_result("b", score=carded), a_result("c", score=asked_again)])
    assert (told.joint.right, told.passed.right) == (3, 2)
    assert (told.behaved.right, told.behaved.of) == (1, 2), "a run without a card could not misbehave at it"


def test_where_there_was_nothing_to_see_only_that_it_was_said_counts() -> None:
    seen, blind = a_score(evidence=0.5), a_score(evidence=0.0, abstained="right")
    told = parts([a_result("a", score=seen), a_result("b", score=blind)])
    assert (told.joint.of, told.component.of, told.closure.of, told.evidence.of) == (2, 1, 1, 1)
    assert (told.evidence.mean, told.abstained_right) == (0.5, 1)
    assert parts([a_result("b", score=blind)]).evidence.of == 0


def test_evidence_is_a_mean_and_closure_is_all_of_it() -> None:
    scores = [a_score(evidence=share) for share in (1.0, 0.5, 0.0)]
    told = parts([a_result(f"c{n}", score=score) for n, score in enumerate(scores)])
    assert told.evidence.mean == 0.5
    assert (told.closure.right, told.closure.of) == (1, 3)


def test_abstentions_are_right_or_wrong() -> None:
    said = ("right", "wrong", "wrong", "no")
    told = parts([a_result(f"c{n}", score=a_score(abstained=each)) for n, each in enumerate(said)])
    assert (told.abstained_right, told.abstained_wrong) == (1, 2)


def repeated(right: int, of: int, case: str) -> list[CaseResult]:
    return [a_result(case, right=n < right, repeat=n) for n in range(of)]


def test_passes_over_repeats_are_means_over_cases() -> None:
    passes = of_model("offline", [*repeated(2, 4, "a"), *repeated(4, 4, "b")]).passes
    assert passes.k == 4
    assert passes.one.mean == pytest.approx((0.5 + 1) / 2)
    assert passes.any.mean == 1
    assert passes.every.mean == pytest.approx((0 + 1) / 2)


def test_a_case_whose_repeats_were_not_all_run_is_in_pass_at_one_only() -> None:
    passes = of_model("offline", [*repeated(2, 2, "a"), *repeated(1, 2, "b"), *repeated(0, 1, "c")]).passes
    assert (passes.k, passes.one.of, passes.every.of) == (2, 3, 2)
    assert passes.every.mean == 0.5


def test_repeats_of_a_case_do_not_narrow_an_interval_as_new_cases_do() -> None:
    same = parts([r for n in range(10) for r in repeated(5 * (n < 7), 5, f"c{n}")]).joint
    fresh = parts(few(35, 50)).joint
    assert same.share == fresh.share == 0.7
    assert same.low is not None
    assert fresh.low is not None
    assert same.low < fresh.low - 0.1


def test_costs_are_a_median_nine_of_ten_and_a_sum() -> None:
    results = [a_result(f"c{n}", score=a_score(seconds=n, tokens=10 * n, money=None)) for n in range(1, 11)]
    costs = of_model("offline", results).costs
    assert (costs.seconds.median, costs.seconds.p90, costs.seconds.total) == (5.5, 9, 55)
    assert costs.tokens.total == 550
    assert costs.money.total is None
    assert costs.peak.most == 120


def test_money_sums_the_runs_whose_price_is_known() -> None:
    results = [a_result("a", score=a_score(money=0.5)), a_result("b", score=a_score(money=None))]
    money = of_model("offline", results).costs.money
    assert (money.of, money.total) == (1, 0.5)


def test_a_run_is_in_the_slice_of_each_of_its_tags() -> None:
    results = [a_result("a", tags=("x", "y")), a_result("b", False, tags=("y",), family="D", manner="refuse")]
    slices = {(s.by, s.name): s.parts for s in of_model("offline", results).slices}
    assert (slices["tag", "x"].joint.of, slices["tag", "y"].joint.of) == (1, 2)
    assert slices["family", "D"].joint.share == 0
    assert slices["manner", "refuse"].runs == 1
    assert {by for by, _ in slices} == {"squad", "family", "fault", "tag", "difficulty", "manner", "variant"}


def test_models_are_told_apart_in_the_order_of_the_report() -> None:
    told = figures(a_report([*few(1, 2, model="b"), *few(2, 2, model="a")], models=("b", "a", "c")))
    assert [(m.model, m.parts.joint.right) for m in told.models] == [("b", 1), ("a", 2), ("c", 0)]


def test_runs_that_were_planned_and_not_begun_are_told() -> None:
    assert figures(a_report(few(1, 2), planned=5, partial=True)).unstarted == 3


def test_the_order_of_results_changes_no_figure() -> None:
    report = large(12, 4)
    shuffled = list(report.results)
    random.Random(5).shuffle(shuffled)
    other = report.model_copy(update={"results": tuple(shuffled)})
    assert figures(report).models[0].parts == figures(other).models[0].parts


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.floats(0, 1)), max_size=12))
def test_every_interval_holds_its_figure(rows: list[tuple[bool, int, float]]) -> None:
    results = [
        a_result(f"c{case}", right, repeat=n, score=a_score(right, evidence=evidence))
        for n, (right, case, evidence) in enumerate(rows)
    ]
    told = of_model("offline", results)
    for figure in (told.parts.joint.share, told.parts.evidence.mean, told.passes.one.mean):
        assert (figure is None) == (not rows)
    for low, middle, high in (
        (told.parts.joint.low, told.parts.joint.share, told.parts.joint.high),
        (told.parts.evidence.low, told.parts.evidence.mean, told.parts.evidence.high),
        (told.passes.one.low, told.passes.one.mean, told.passes.one.high),
    ):
        if middle is not None and low is not None and high is not None:
            assert 0 <= low <= middle + 1e-12
            assert middle - 1e-12 <= high <= 1
            assert not math.isnan(middle)
