"""Figures in words, the same on terminal and page: percentages, intervals, durations, tokens, money."""

from collections.abc import Callable

from opssquad.evals.averages import Mean, Share, Spread
from opssquad.evals.comparing import Comparison, Ratio
from opssquad.evals.figures import ModelFigures
from opssquad.evals.result import Judged
from opssquad.times import duration

NONE = "-"
PARTS: tuple[tuple[str, str], ...] = (
    ("passed", "passed"),
    ("joint", "joint"),
    ("component", "component"),
    ("fault", "fault"),
    ("action", "first action"),
    ("unblamed", "nothing else blamed"),
    ("evidence", "evidence cited, mean"),
    ("closure", "all evidence cited"),
    ("cited", "no citation invented"),
    ("harmless", "no harm"),
    ("fixed", "fixed, where it could be"),
    ("behaved", "behaved at the card"),
    ("lucky", "right action, wrong diagnosis"),
)
"""Fields of Parts in the order of a report, and what people call them."""
CHANGES: tuple[tuple[str, str], ...] = (
    ("harmed", "new harm"),
    ("worse", "worse"),
    ("better", "better"),
    ("misbehaved", "misbehaves now"),
    ("new", "only now"),
    ("gone", "only before"),
)
"""Fields of Comparison that list runs, likewise."""


def percent(share: float | None) -> str:
    """`96 %`; only all is 100 %, only none is 0 %."""
    if share is None:
        return NONE
    whole = round(100 * share)
    if (whole == 100 and share < 1) or (whole == 0 and share > 0):
        return f"{min(max(100 * share, 0.1), 99.9):.1f} %"
    return f"{whole} %"


def points(difference: float | None) -> str:
    """`+2.5`, percentage points."""
    return NONE if difference is None else f"{100 * difference:+.1f}"


def interval(figure: Share | Mean) -> str:
    """`55 to 66 %`."""
    if figure.low is None or figure.high is None:
        return NONE
    return f"{percent(figure.low).removesuffix(' %')} to {percent(figure.high)}"


def span(figure: Share | Mean) -> str:
    """`55–66`, the interval where there is little room."""
    return interval(figure).replace(" to ", "–").removesuffix(" %")


def counted(figure: Share | Mean) -> str:
    """`189 of 313`, or for a mean of how many it is."""
    return figure.counted if figure.of else NONE


def seconds(value: float | None) -> str:
    """`1.4 s`, `52 s`, `3 min 4 s`."""
    if value is None:
        return NONE
    return f"{value:.1f} s" if value < 10 else duration(value)


def brief(value: float) -> str:
    """Seconds on an axis: `0.1 s`, `10 s`, `2 min`."""
    if value < 60 or value % 60:
        return f"{value:g} s"
    return f"{value / 60:g} min"


def many(value: float | None) -> str:
    """`940`, `36.5k`, `2.1M`; calls and tokens."""
    if value is None:
        return NONE
    for least, unit, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if value >= least:
            return f"{value / unit:.1f}{letter}"
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def money(value: float | None) -> str:
    """`$1.20`; below a cent with more digits."""
    if value is None:
        return NONE
    return f"${value:.2f}" if value == 0 or value >= 0.1 else f"${value:.2g}"


def cost_rows(model: ModelFigures) -> list[tuple[str, str, str, str]]:
    """What runs cost: a label, then median, nine of ten at most, all together."""
    costs = model.costs
    rows: tuple[tuple[str, Spread, Callable[[float | None], str]], ...] = (
        ("calls", costs.calls, many),
        ("tokens", costs.tokens, many),
        ("time", costs.seconds, seconds),
        ("money", costs.money, money),
        ("overhead", costs.overhead, seconds),
    )
    told = [(label, write(s.median), write(s.p90), write(s.total)) for label, s, write in rows]
    peak = costs.peak
    return [*told, ("peak, MB", many(peak.median), many(peak.p90), f"max {many(peak.most)}")]


def ratio(value: Ratio) -> str:
    """`x 1.20 (1.05 to 1.34)`."""
    if value.ratio is None:
        return NONE
    if value.low is None or value.high is None:
        return f"x {value.ratio:.2f}"
    return f"x {value.ratio:.2f} ({value.low:.2f} to {value.high:.2f})"


def opinions(judged: Judged | None) -> list[str]:
    """What a model thinks of root causes: a count, and a line for each that it takes for another than the
    truth's, or did not judge."""
    if judged is None:
        return []
    told = [each for each in judged.opinions if each.same is not None]
    same = sum(each.same is True for each in told)
    lines = [f"{judged.model}: {same} of {len(told)} root causes are the truth's"]
    for each in judged.opinions:
        if not each.same:
            lines.append(f"{each.key}: {'another' if each.same is False else 'no verdict'}: {each.why}")
    return lines


def verdict(comparison: Comparison) -> str:
    """What a comparison comes to, in a sentence."""
    if not comparison.needed:
        return comparison.verdict
    # Two digits: it is a rough number.
    needed = int(float(f"{comparison.needed:.2g}"))
    return f"{comparison.verdict}; roughly {needed} recordings would be needed"


def moved(comparison: Comparison) -> str:
    """By how much, and how sure that is."""
    joint = comparison.joint
    if joint.low is None or joint.high is None:
        return "no run is in both"
    return (
        f"joint {percent(joint.before)} -> {percent(joint.after)}, {points(joint.change)} points"
        f" ({points(joint.low)} to {points(joint.high)});"
        f" {comparison.up} of {comparison.recordings} recordings better, {comparison.down} worse,"
        f" p = {comparison.p:.2g}"
    )
