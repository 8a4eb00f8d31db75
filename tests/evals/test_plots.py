"""Plots as geometry: points stand where their values are, and shapes tell them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.evals.figures import figures
from opssquad.evals.report.plots import (
    BOTTOM,
    HEIGHT,
    LEFT,
    OUTCOMES,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    case_plot,
    height,
    model_plots,
)
from opssquad.evals.report.why import Outcome
from tests.evals.samples import a_report, a_result, a_score, few, not_made


def test_shares_stand_between_the_axis_and_the_top() -> None:
    assert (height(0), height(1)) == (HEIGHT - BOTTOM, TOP)
    assert height(0.5) == (HEIGHT - BOTTOM + TOP) / 2


def test_values_near_each_other_stand_from_zero() -> None:
    axis = Axis([2, 4, 8])
    assert axis.at(0) == LEFT
    assert axis.at(8) - axis.at(4) == pytest.approx(axis.at(4) - axis.at(0))
    assert [tick.label for tick in axis.ticks(lambda v: f"{v:g}")] == ["0", "2", "4", "6", "8"]


def test_values_far_apart_stand_by_their_powers() -> None:
    axis = Axis([1, 100])
    assert axis.at(100) - axis.at(10) == pytest.approx(axis.at(10) - axis.at(1))
    assert [tick.label for tick in axis.ticks(lambda v: f"{v:g}")] == ["1", "3", "10", "30", "100"]


@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e9), max_size=8))
def test_every_value_and_tick_stands_inside(values: list[float]) -> None:
    axis = Axis(values)
    places = [axis.at(v) for v in values] + [tick.at for tick in axis.ticks(str)]
    assert all(LEFT - 0.1 <= place <= WIDTH - RIGHT + 0.1 for place in places)


def test_every_outcome_of_a_run_has_a_shape_of_its_own() -> None:
    shapes = list(OUTCOMES.values())
    assert len(set(shapes)) == len(shapes)
    ran: set[Outcome] = {"passed", "failed", "abstained", "misbehaved", "harm"}
    assert set(OUTCOMES) == ran


def test_a_run_is_a_point_with_its_outcome_and_one_that_was_not_run_is_none() -> None:
    runs = [a_result("a", score=a_score(seconds=2, evidence=0.5)), a_result("b", False), not_made("c")]
    plot = case_plot("offline", [(f"#{r.case}", r) for r in runs])
    assert [(p.kind, p.shape, p.href) for p in plot.points] == [
        ("passed", "circle", "#a"),
        ("failed", "triangle", "#b"),
    ]
    assert plot.points[0].y == pytest.approx(height(0.5), abs=3)
    assert plot.points[0].title == "k8s:a: passed, evidence 50 %, 2.0 s"


def test_each_model_is_a_point_with_the_interval_of_its_share() -> None:
    told = [
        *few(5, 10, model="a"),
        *[a_result(f"case-{n:02}", score=a_score(seconds=4), model="b") for n in range(10)],
    ]
    plots = {plot.title: plot for plot in model_plots(figures(a_report(told)))}
    a, b = plots["joint against seconds"].points
    assert (a.y, b.y) == (height(0.5), height(1))
    assert a.low is not None
    assert a.high is not None
    assert a.low > a.y > a.high
    assert (a.label, a.shape, b.label, b.shape) == ("a", "circle", "b", "square")
    assert a.x < b.x


def test_a_cost_that_nobody_counted_has_no_plot() -> None:
    plots = model_plots(figures(a_report(few(1, 2))))
    assert [plot.title for plot in plots] == ["joint against seconds"]
