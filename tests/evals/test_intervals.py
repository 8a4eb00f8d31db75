"""Statistics against values from textbooks and by hand, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.evals.intervals import (
    bootstrap,
    effective,
    mcnemar,
    pairs_needed,
    pass_all,
    pass_at,
    percentile,
    share_interval,
    wilson,
)

GROUPS = st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=20)


def test_wilson_of_eight_in_ten_is_that_of_the_textbook() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)


def test_wilson_of_none_and_of_all_has_a_width() -> None:
    # By hand: z^2 / (n + z^2) with z = 1.96 is 3.8416 / 13.8416.
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)
    assert wilson(10, 10) == pytest.approx((0.7225, 1), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_between_none_and_all(counts: tuple[int, int]) -> None:
    right, of = counts
    low, high = wilson(right, of)
    assert 0 <= low <= right / of <= high <= 1


@given(GROUPS)
def test_an_interval_of_groups_holds_the_share_of_all_values(groups: list[list[bool]]) -> None:
    low, high = share_interval(groups)
    share = sum(map(sum, groups)) / sum(map(len, groups))
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


@given(GROUPS)
def test_values_are_worth_one_at_least_and_never_more_than_they_are(groups: list[list[bool]]) -> None:
    assert 1 <= effective(groups) <= sum(map(len, groups))


def test_runs_that_always_agree_are_worth_one_a_group() -> None:
    assert effective([[n < 4] * 5 for n in range(8)]) == pytest.approx(8)
    assert effective([[True] * 5] * 8) == 8


def test_single_values_are_worth_what_they_count() -> None:
    assert effective([[True], [False], [True], [True]]) == pytest.approx(4)
    assert share_interval([[n < 8] for n in range(10)]) == pytest.approx(wilson(8, 10))


def test_runs_that_do_not_care_for_their_case_count_each() -> None:
    assert effective([[True, False]] * 6) == 12


def test_at_least_one_of_three_of_five_runs_with_two_right() -> None:
    assert pass_at(3, 2, 5) == pytest.approx(0.9)  # 1 - C(3,3) / C(5,3)


def test_all_three_of_five_runs_with_four_right() -> None:
    assert pass_all(3, 4, 5) == pytest.approx(0.4)  # C(4,3) / C(5,3)


@given(st.integers(1, 12).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_one_run_passes_as_often_as_runs_are_right(counts: tuple[int, int]) -> None:
    right, of = counts
    assert pass_at(1, right, of) == pytest.approx(right / of)
    assert pass_all(1, right, of) == pytest.approx(right / of)
    assert pass_all(of, right, of) <= pass_at(of, right, of)


def test_mcnemar_of_one_against_nine() -> None:
    assert mcnemar(9, 1) == mcnemar(1, 9) == 22 / 1024


def test_mcnemar_without_a_difference_says_nothing() -> None:
    assert mcnemar(0, 0) == mcnemar(4, 4) == 1


def test_pairs_that_tell_ten_points_where_three_in_ten_differ() -> None:
    # (1.95996 sqrt 0.3 + 0.84162 sqrt 0.29)^2 / 0.01 = (1.07352 + 0.45322)^2 / 0.01 = 233.09
    assert pairs_needed(0.1, 0.3) == pairs_needed(-0.1, 0.3) == 234


def test_a_bootstrap_is_the_same_every_time_and_spreads_about_the_mean() -> None:
    values = [float(n) for n in range(101)]
    first = bootstrap(values, lambda drawn: sum(drawn) / len(drawn))
    assert first == bootstrap(values, lambda drawn: sum(drawn) / len(drawn))
    assert first is not None
    # The standard error of the mean is sqrt(850 / 101) = 2.9: about 5.7 to each side of 50.
    assert first == pytest.approx((44.3, 55.7), abs=0.8)


def test_a_figure_that_most_draws_lack_has_no_interval() -> None:
    assert bootstrap([1.0], lambda drawn: None) is None
    assert bootstrap([], lambda drawn: 1.0) is None


def test_nine_of_ten_values_are_within_the_ninth() -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9) == 9
    assert percentile([5], 0.9) == 5
