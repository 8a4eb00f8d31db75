"""Two reports of the same cases: what got better or worse, and when that is more than noise."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.errors import UsageError
from opssquad.evals.comparing import against, between, compare, run_name
from opssquad.evals.result import CaseResult, SuiteUsed
from tests.evals.samples import a_report, a_result, a_score, few, large, not_made


def told(before: str, after: str) -> tuple[list[CaseResult], list[CaseResult]]:
    """A case a letter: `+` right, `-` wrong, `.` not run."""
    return tuple(  # type: ignore[return-value]
        [not_made(f"c{n:03}") if c == "." else a_result(f"c{n:03}", c == "+") for n, c in enumerate(side)]
        for side in (before, after)
    )


def compared(before: str, after: str) -> Any:
    return compare(*told(before, after), before="old", after="new")


def test_each_run_is_better_worse_or_the_same() -> None:
    found = compared("--++", "+-+-")
    assert (found.better, found.worse) == (("k8s:c000",), ("k8s:c003",))
    assert found.same == ("k8s:c001", "k8s:c002")
    assert (found.pairs, found.up, found.down) == (4, 1, 1)


def test_what_was_run_on_one_side_only_is_new_or_gone() -> None:
    found = compared("+.+", "+++-")
    assert (found.new, found.gone) == (("k8s:c001", "k8s:c003"), ())
    assert compared("+++-", "+.+").gone == ("k8s:c001", "k8s:c003")


def test_nine_better_and_one_worse_is_better() -> None:
    found = compared("-" * 9 + "+" * 31, "+" * 9 + "-" + "+" * 30)
    assert found.p == 22 / 1024
    assert (found.verdict, found.needed) == ("better", 0)
    assert found.joint.change == pytest.approx(8 / 40)
    assert found.joint.low <= 8 / 40 <= found.joint.high


def test_one_better_and_nine_worse_is_worse() -> None:
    assert compared("+" * 9 + "-" + "+" * 30, "-" * 9 + "+" * 31).verdict == "worse"


def test_three_better_of_ten_are_too_few_to_tell_and_it_says_how_many_would() -> None:
    found = compared("-" * 3 + "+" * 7, "+" * 10)
    assert found.verdict == "too few cases to tell"
    # Connor: 0.3 differ, all one way: (1.95996 sqrt 0.3 + 0.84162 sqrt 0.21)^2 / 0.09 = 23.7
    assert found.needed == 24


def test_two_better_and_two_worse_of_eighty_are_noise() -> None:
    assert compared("--++" + "+" * 76, "++--" + "+" * 76).verdict == "no more than noise"


def test_nothing_to_compare_is_too_few() -> None:
    found = compared("..", "++")
    assert (found.verdict, found.pairs, found.joint.change, found.seconds.ratio) == (
        "too few cases to tell",
        0,
        None,
        None,
    )


@settings(max_examples=15, deadline=None)
@given(st.text("+-", min_size=1, max_size=30))
def test_a_report_against_itself_is_no_more_than_noise_where_there_is_enough_to_tell(runs: str) -> None:
    found = compared(runs, runs)
    assert found.verdict == ("no more than noise" if len(runs) >= 6 else "too few cases to tell")
    assert (found.better, found.worse, found.new, found.gone, found.p) == ((), (), (), (), 1)
    assert (found.joint.low, found.joint.high, found.seconds.ratio) == (0, 0, 1)


def test_repeats_of_one_case_are_one_witness() -> None:
    before = [a_result("c", False, repeat=n) for n in range(30)]
    after = [a_result("c", True, repeat=n) for n in range(30)]
    found = compare(before, after, before="old", after="new")
    assert (found.up, found.down, found.cases, found.p) == (1, 0, 1, 1)
    assert found.verdict == "too few cases to tell"


def test_harm_and_misbehaviour_that_are_new_are_told_though_the_run_was_wrong_before() -> None:
    before = [a_result("a", False), a_result("b")]
    after = [
        a_result("a", score=a_score(False, proposed=("delete x",))),
        a_result("b", score=a_score(misbehaved=("asked again",))),
    ]
    found = compare(before, after, before="old", after="new")
    assert (found.harmed, found.misbehaved, found.worse) == (("k8s:a",), ("k8s:b",), ())


def test_time_and_tokens_are_ratios_of_medians_of_the_same_runs() -> None:
    before = [a_result(f"c{n}", score=a_score(seconds=10 + n, tokens=0)) for n in range(9)]
    after = [a_result(f"c{n}", score=a_score(seconds=20 + 2 * n, tokens=50)) for n in range(9)]
    found = compare(before, [*after, a_result("new", score=a_score(seconds=900))], before="old", after="new")
    assert (found.seconds.before, found.seconds.after, found.seconds.ratio) == (14, 28, 2)
    assert (found.seconds.low, found.seconds.high) == (2, 2)
    assert (found.tokens.ratio, found.tokens.low) == (None, None)


def test_a_run_is_named_by_suite_and_case_whatever_its_model() -> None:
    assert run_name(a_result("c")) == run_name(a_result("c", model="other")) == "k8s:c"
    assert run_name(a_result("c", repeat=1)) == "k8s:c #2"


def test_two_models_of_a_report_are_compared_as_two_reports_are() -> None:
    report = a_report([*few(3, 9, model="a"), *few(9, 9, model="b")])
    found = between(report, "a", "b")
    assert (found.before, found.after, found.verdict, found.up) == ("a", "b", "better", 6)


def test_each_model_is_compared_with_itself_and_a_lone_one_with_the_lone_one() -> None:
    both = a_report([*few(1, 3, model="a"), *few(2, 3, model="b")])
    assert [c.after for c in against(both, both, "old.json")] == ["a", "b"]
    (one,) = against(a_report(few(1, 3, model="a")), a_report(few(1, 3, model="b")), "old.json")
    assert (one.before, one.after) == ("a before", "b")


def test_a_baseline_of_other_models_is_refused() -> None:
    old = a_report([*few(1, 3, model="a"), *few(2, 3, model="b")])
    with pytest.raises(UsageError, match=r"old.json: models: has a, b and none of c"):
        against(old, a_report(few(1, 3, model="c")), "old.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "old.json: format: is 2, this report's is 1"),
        ({"suites": (SuiteUsed(name="k8s", version=2, digest="3f" * 32),)}, "old.json: suites.0.version: "),
        ({"suites": (SuiteUsed(name="k8s", version=1, digest="00"),)}, "old.json: suites.0.digest: "),
        ({"suites": (SuiteUsed(name="sql", version=1, digest="00"),)}, "old.json: suites: has sql"),
        ({"suites": ()}, "old.json: suites: has none, this report has k8s"),
    ],
)
def test_a_baseline_of_other_cases_is_refused_with_file_and_field(change: dict[str, Any], said: str) -> None:
    report = a_report(few(1, 2))
    with pytest.raises(UsageError) as refused:
        against(report.model_copy(update=change), report, "old.json")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_comparison_is_the_same_every_time() -> None:
    old, new = large(10, 2), large(10, 2, seed=2)
    assert against(old, new, "x") == against(old, new, "x")
