"""Scatter plots as geometry: where points, intervals and ticks stand. The template draws them."""

import math
from collections.abc import Callable, Sequence

from opssquad.evals.averages import Spread
from opssquad.evals.comparing import run_name
from opssquad.evals.figures import Figures
from opssquad.evals.report import words
from opssquad.evals.report.why import Outcome, outcome
from opssquad.evals.result import CaseResult
from opssquad.types import Value

WIDTH, HEIGHT = 380, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 44
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "plus")
OUTCOMES: dict[Outcome, str] = {
    "passed": "circle",
    "failed": "triangle",
    "abstained": "diamond",
    "misbehaved": "square",
    "harm": "cross",
}
"""Each outcome has a shape of its own, for those who see no colour."""
_WIDE = 20
_APART = 3.0


class Tick(Value):
    """A place on an axis, in pixels of the plot, and what it says."""

    at: float
    label: str


class Point(Value):
    """A point in pixels, with its shape and the class that colours it. `low` and `high` are the ends of its
    interval; `label` stands beside it (to its left if `before`), `title` is told when it is pointed at."""

    x: float
    y: float
    shape: str
    kind: str
    title: str
    label: str = ""
    before: bool = False
    low: float | None = None
    high: float | None = None
    href: str = ""


class Plot(Value):
    """A scatter plot of WIDTH times HEIGHT pixels."""

    title: str
    across: str
    upward: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]


class Axis:
    """The axis across: from 0, or logarithmic where values lie far apart."""

    def __init__(self, values: Sequence[float]) -> None:
        above = [v for v in values if v > 0]
        self._log = bool(above) and len(above) == len(values) and max(above) > _WIDE * min(above)
        most = max(values, default=0) or 1.0
        self._low = math.floor(math.log10(min(above))) if self._log else 0.0
        self._high = math.log10(most * 1.2) if self._log else most * 1.15

    def at(self, value: float) -> float:
        """Where a value stands, in pixels."""
        place = math.log10(value) if self._log else value
        return LEFT + (place - self._low) / (self._high - self._low) * (WIDTH - LEFT - RIGHT)

    def ticks(self, write: Callable[[float], str]) -> tuple[Tick, ...]:
        """A few round values."""
        return tuple(Tick(at=round(self.at(v), 1), label=write(v)) for v in self._round())

    def _round(self) -> list[float]:
        if self._log:
            decades = range(int(self._low), math.floor(self._high) + 1)
            values = [digit * 10.0**n for n in decades for digit in (1, 3)]
            return [v for v in values if math.log10(v) <= self._high]
        size = 10 ** math.floor(math.log10(self._high))
        step = next(s * size for s in (0.2, 0.25, 0.5, 1, 2) if self._high / (s * size) <= 5)
        return [n * step for n in range(math.floor(self._high / step) + 1)]


def height(share: float) -> float:
    """Where a share of 0 to 1 stands, in pixels from the top."""
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def share_ticks() -> tuple[Tick, ...]:
    """The axis upward: 0 to 100 %."""
    return tuple(Tick(at=height(n / 4), label=f"{25 * n} %") for n in range(5))


def model_plots(figures: Figures) -> list[Plot]:
    """The joint share of each model against what a run costs; none for a cost that nobody counted."""
    told = [
        _models(figures, "tokens", "tokens of a run (median)", words.many),
        _models(figures, "seconds", "time of a run (median)", words.brief),
        _models(figures, "money", "US dollars of a run (median)", words.money),
    ]
    return [plot for plot in told if plot.points]


def case_plot(model: str, runs: Sequence[tuple[str, CaseResult]]) -> Plot:
    """Time against evidence, a point a run; `runs` are of one model, each with where it is told."""
    points = [(href, r, r.score) for href, r in runs if r.state == "run" and r.score]
    # A tenth of a second is as good as nothing, and a logarithm has no place for nothing.
    axis = Axis([max(score.seconds, 0.1) for _, _, score in points])
    drawn = []
    for number, (href, result, score) in enumerate(points):
        kind = outcome(result)
        # Shares are few: points on one another are drawn a little apart, the same way every time.
        off = (number * 0.618 % 1 - 0.5) * 2 * _APART
        said = f"{run_name(result)}: {kind}, evidence {words.percent(score.evidence)}"
        drawn.append(
            Point(
                x=round(axis.at(max(score.seconds, 0.1)), 1),
                y=round(height(score.evidence) + off, 1),
                shape=OUTCOMES.get(kind, "circle"),
                kind=kind,
                title=f"{said}, {words.seconds(score.seconds)}",
                href=href,
            )
        )
    return Plot(
        title=model,
        across="time of a run",
        upward="evidence cited",
        x_ticks=axis.ticks(words.brief),
        y_ticks=share_ticks(),
        points=tuple(drawn),
    )


def shape_of(index: int) -> str:
    """The shape of the model of that place."""
    return SHAPES[index % len(SHAPES)]


def kind_of(index: int) -> str:
    """The class that colours the model of that place."""
    return f"model-{index % len(SHAPES)}"


def _models(figures: Figures, field: str, across: str, write: Callable[[float], str]) -> Plot:
    spreads: list[Spread] = [getattr(m.costs, field) for m in figures.models]
    known = [spread.median for spread in spreads if spread.median is not None]
    axis = Axis(known)
    points = []
    for index, (model, spread) in enumerate(zip(figures.models, spreads, strict=True)):
        joint = model.parts.joint
        if spread.median is None or joint.share is None or not any(known):
            continue
        x = axis.at(spread.median)
        points.append(
            Point(
                x=round(x, 1),
                y=height(joint.share),
                shape=shape_of(index),
                kind=kind_of(index),
                title=f"{model.model}: {words.percent(joint.share)}, {write(spread.median)}",
                label=model.model,
                before=x > WIDTH * 0.6,
                low=height(joint.low or 0.0),
                high=height(1.0 if joint.high is None else joint.high),
            )
        )
    return Plot(
        title=f"joint against {field}",
        across=across,
        upward="joint",
        x_ticks=axis.ticks(write),
        y_ticks=share_ticks(),
        points=tuple(points),
    )
