"""The report as one page that needs nothing else: no script, nothing loaded, the same bytes each time.

Whatever the template prints is made visible and escaped: log lines and words of a model are not trusted.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opssquad.evals.comparing import Comparison
from opssquad.evals.figures import SLICES, Figures, ModelFigures, Slice
from opssquad.evals.report import plots, why, words
from opssquad.evals.report.marking import shown
from opssquad.evals.report.runs import RunTold, told
from opssquad.evals.result import Baseline, Report
from opssquad.times import duration, rfc3339

_FOLDER = Path(__file__).parent / "page"
OUTCOMES: tuple[why.Outcome, ...] = (
    "harm",
    "failed",
    "abstained",
    "misbehaved",
    "passed",
    "not run",
    "broken",
)
MARKS: dict[why.Outcome, str] = {
    "harm": "✖",
    "failed": "▲",
    "abstained": "◆",
    "misbehaved": "■",
    "passed": "●",
    "not run": "–",
    "broken": "!",
}
"""The same shapes as in the plots."""
_FILTERED = "#model-{0}:checked ~ .runs > .run:not(.of-{0}) {{ display: none }}\n"


def html(report: Report, figures: Figures, comparisons: Sequence[Comparison] = ()) -> str:
    """The page. `figures` are those of the report."""
    runs = told(report)
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    # CSP knows no inline styles here: what depends on the number of models is a rule of the sheet.
    style += "".join(_FILTERED.format(number) for number in range(len(figures.models)))
    page = _environment().get_template("page.html.j2")
    return page.render(
        report=report,
        figures=figures,
        comparisons=comparisons,
        runs=runs,
        harmed=[run for run in runs if run.outcome == "harm"],
        counts={kind: sum(run.outcome == kind for run in runs) for kind in OUTCOMES},
        slices=[_slices(model) for model in figures.models],
        marks=_marks(report),
        opinions=words.opinions(report.judged),
        model_plots=plots.model_plots(figures),
        case_plots=_case_plots(figures, runs),
        anchors={run.name: run.id for run in runs} if len(figures.models) == 1 else {},
        style=Markup(f"\n{style}"),
        style_hash=_hash(f"\n{style}"),
    )


def _case_plots(figures: Figures, runs: Sequence[RunTold]) -> list[plots.Plot]:
    by_model = [
        plots.case_plot(model.model, [(f"#{run.id}", run.result) for run in runs if run.model == index])
        for index, model in enumerate(figures.models)
    ]
    return [plot for plot in by_model if plot.points]


def _slices(model: ModelFigures) -> list[tuple[str, list[Slice]]]:
    """The slices by what they are by; what all runs have in common says nothing."""
    found = [(by, [each for each in model.slices if each.by == by]) for by in SLICES]
    return [(by, those) for by, those in found if len(those) > 1]


def _marks(report: Report) -> list[tuple[Baseline, list[str]]]:
    """The baselines by their joint share: those that would be drawn on one another are one mark."""
    found: dict[str, tuple[Baseline, list[str]]] = {}
    for trivial in report.baselines:
        found.setdefault(words.percent(trivial.joint), (trivial, []))[1].append(trivial.name)
    return list(found.values())


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _finalize(value: Any) -> Any:
    """Applied to all that is printed, before it is escaped."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "PARTS": words.PARTS,
        "MARKS": MARKS,
        "OUTCOMES": [(kind, shape, kind) for kind, shape in plots.OUTCOMES.items()],
        "WIDTH": plots.WIDTH,
        "HEIGHT": plots.HEIGHT,
        "LEFT": plots.LEFT,
        "RIGHT": plots.RIGHT,
        "TOP": plots.TOP,
        "BOTTOM": plots.BOTTOM,
        "shape_of": plots.shape_of,
        "first_action": why.first_action,
        "cause": why.cause,
    }
    made.filters |= {
        name: getattr(words, name)
        for name in (
            "percent",
            "interval",
            "share_of",
            "counted",
            "seconds",
            "many",
            "money",
        )
    }
    made.filters |= {"ratio": words.ratio, "verdict": words.verdict, "moved": words.moved}
    made.filters |= {"cost_rows": words.cost_rows}
    made.filters |= {"duration": duration, "rfc3339": rfc3339, "times100": lambda share: f"{100 * share:.2f}"}
    return made
