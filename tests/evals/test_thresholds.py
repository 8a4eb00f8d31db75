"""`--fail-under`: what is read, what is refused, what fails."""

import pytest

from opssquad.errors import UsageError
from opssquad.evals.figures import figures
from opssquad.evals.thresholds import NAMES, Threshold, failing_under, thresholds
from tests.evals.samples import a_report, a_result, a_score, few

EIGHT_OF_TEN = figures(a_report(few(8, 10)))


def test_a_share_that_is_reached_is_no_failure() -> None:
    assert failing_under(EIGHT_OF_TEN, ["joint=0.8", "component=1", "passed=0"]) == ()


def test_what_is_under_its_threshold_is_told_with_its_counts() -> None:
    (line,) = failing_under(EIGHT_OF_TEN, ["joint=0.9", "component=0.9"])
    assert line == "offline: joint must be at least 0.9 and is 0.800 (8 of 10)"


def test_every_model_is_held_to_every_threshold() -> None:
    both = figures(a_report([*few(8, 10, model="a"), *few(4, 10, model="b")]))
    assert [line.split(":")[0] for line in failing_under(both, ["joint=0.9", "fault=0.5"])] == ["a", "b", "b"]


def test_a_figure_that_no_run_tells_fails() -> None:
    (line,) = failing_under(EIGHT_OF_TEN, ["fixed=0.1"])
    assert line == "offline: fixed must be at least 0.1, and no run tells it"


def test_a_share_that_only_a_float_puts_under_its_threshold_is_reached() -> None:
    third = figures(a_report([a_result(str(n), score=a_score(evidence=0.1 * 3)) for n in range(3)]))
    assert failing_under(third, ["evidence=0.3"]) == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_asked_for(name: str) -> None:
    assert thresholds([f"{name}=0.5"]) == (Threshold(name=name, least=0.5),)
    failing_under(EIGHT_OF_TEN, [f"{name}=0.5"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jiont=0.9", "no figure 'jiont'; did you mean 'joint'?"),
        ("xyz=0.9", "no figure 'xyz'; known: passed, joint"),
        ("joint=90", "write a share from 0 to 1, as joint=0.9"),
        ("joint=-0.1", "write a share from 0 to 1"),
        ("joint=nan", "write a share from 0 to 1"),
        ("joint=much", "write a share from 0 to 1"),
        ("joint", "write a share from 0 to 1"),
        ("=0.5", "no figure ''"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_meant(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        thresholds([text])
    assert said in str(refused.value)
    assert repr(text) in str(refused.value)
