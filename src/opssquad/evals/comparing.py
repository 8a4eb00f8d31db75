"""Two sets of runs of the same cases, before and after: what got better or worse, and whether it is more than
noise. Pure.

Runs are paired by case, manner, variant and repeat, not by model, so that two models of one report are
compared as two reports are. The test takes a recording as its unit: the runs of one are not independent.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from opssquad.errors import UsageError
from opssquad.evals.figures import Scored, scored
from opssquad.evals.intervals import LEAST, bootstrap, mcnemar, pairs_needed, pooled
from opssquad.evals.result import CaseResult, Report, Score
from opssquad.types import Value

Verdict = Literal["better", "worse", "no more than noise", "too few recordings to tell"]
MATTERS = 0.1
"""A difference of shares that one would want to hear of: noise is what rules it out."""
_SIGNIFICANT = 0.05
Pair = tuple[Scored, Scored]


class Difference(Value):
    """The joint share after less before, with its 95 % interval; all None without pairs."""

    before: float | None = None
    after: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def change(self) -> float | None:
        """After less before, -1 to 1."""
        return None if self.after is None or self.before is None else self.after - self.before


class Ratio(Value):
    """A median after over the one before, with its 95 % interval; None where the one before is zero."""

    before: float | None = None
    after: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


class Comparison(Value):
    """What became of the runs, by name of the run. `same` runs are as right or wrong as before; `new` were
    run only after, `gone` only before. `harmed` and `misbehaved` do now what they did not do before.

    `up` and `down` count recordings that got better and worse on the whole; `p` is McNemar's exact one of
    these. `needed` is roughly how many recordings would tell, 0 where the verdict stands.
    """

    before: str
    after: str
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    misbehaved: tuple[str, ...] = ()
    pairs: int = 0
    recordings: int = 0
    up: int = 0
    down: int = 0
    p: float = 1.0
    joint: Difference = Difference()
    seconds: Ratio = Ratio()
    tokens: Ratio = Ratio()
    verdict: Verdict = "too few recordings to tell"
    needed: int = 0


def against(baseline: Report, report: Report, file: str) -> tuple[Comparison, ...]:
    """The models of a report, each against itself in a baseline; the only model against the only other one.

    `file` is what messages call the baseline. Raises UsageError if it is of other cases or another format, or
    has none of the models.
    """
    comparable(baseline, report, file)
    if len(baseline.models) == len(report.models) == 1:
        couples = [(baseline.models[0], report.models[0])]
    else:
        couples = [(model, model) for model in report.models if model in baseline.models]
    if not couples:
        raise UsageError(
            f"{file}: models: has {', '.join(baseline.models)} and none of {', '.join(report.models)};"
            " compare with a report of the same model"
        )
    return tuple(
        compare(baseline.results_of(before), report.results_of(after), before=f"{before} before", after=after)
        for before, after in couples
    )


def between(report: Report, first: str, second: str) -> Comparison:
    """Two models of one report: the second as if it came after the first."""
    return compare(report.results_of(first), report.results_of(second), before=first, after=second)


def comparable(baseline: Report, report: Report, file: str) -> None:
    """Raises UsageError, with file and field, unless both are of the same cases and format."""
    if baseline.format != report.format:
        raise UsageError(
            f"{file}: format: is {baseline.format}, this report's is {report.format}; make the baseline anew"
        )
    ours = {suite.name: suite for suite in report.suites}
    for index, suite in enumerate(baseline.suites):
        mine = ours.get(suite.name)
        if mine is None:
            continue
        for field in ("version", "digest"):
            was, now = getattr(suite, field), getattr(mine, field)
            if was != now:
                raise UsageError(
                    f"{file}: suites.{index}.{field}: suite {suite.name} was {was} there and is {now} here;"
                    " the cases differ, make the baseline anew"
                )
    if not ours.keys() & {suite.name for suite in baseline.suites}:
        raise UsageError(
            f"{file}: suites: has {_names(s.name for s in baseline.suites)}, this report has {_names(ours)};"
            " compare with a report of the same suite"
        )


def compare(
    earlier: Iterable[CaseResult], later: Iterable[CaseResult], *, before: str, after: str
) -> Comparison:
    """The runs of one model each; `before` and `after` name the two sides."""
    old, new = _by_name(earlier), _by_name(later)
    pairs = [(old[name], new[name]) for name in sorted(old.keys() & new.keys())]
    groups = _by_recording(pairs)
    moved = Counter(_sign(sum(b.joint - a.joint for (_, a), (_, b) in group)) for group in groups)
    joint = _difference(groups)
    p = mcnemar(moved[1], moved[-1])
    verdict, needed = _verdict(joint, p, moved[1], moved[-1], len(groups))
    return Comparison(
        before=before,
        after=after,
        better=_where(pairs, lambda a, b: b.joint and not a.joint),
        worse=_where(pairs, lambda a, b: a.joint and not b.joint),
        same=_where(pairs, lambda a, b: a.joint == b.joint),
        new=tuple(sorted(new.keys() - old.keys())),
        gone=tuple(sorted(old.keys() - new.keys())),
        harmed=_where(pairs, lambda a, b: bool(b.harm and not a.harm)),
        misbehaved=_where(pairs, lambda a, b: bool(b.misbehaved and not a.misbehaved)),
        pairs=len(pairs),
        recordings=len(groups),
        up=moved[1],
        down=moved[-1],
        p=p,
        joint=joint,
        seconds=_ratio(groups, lambda score: score.seconds),
        tokens=_ratio(groups, lambda score: score.tokens),
        verdict=verdict,
        needed=needed,
    )


def run_name(result: CaseResult) -> str:
    """What a run is called whatever its model: `check:auth-0308/q0/ask/plain`, and `#2` where it is made
    again."""
    return f"{result.suite}:{result.case}{f' #{result.repeat + 1}' if result.repeat else ''}"


def _by_name(results: Iterable[CaseResult]) -> dict[str, Scored]:
    return {run_name(result): (result, score) for result, score in scored(results)}


def _by_recording(pairs: Iterable[Pair]) -> list[list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair[1][0].recording].append(pair)
    return list(found.values())


def _where(pairs: Iterable[Pair], holds: Callable[[Score, Score], bool]) -> tuple[str, ...]:
    return tuple(run_name(result) for (_, a), (result, b) in pairs if holds(a, b))


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _difference(groups: Sequence[Sequence[Pair]]) -> Difference:
    of = sum(map(len, groups))
    if not of:
        return Difference()
    sums = [(sum(b.joint - a.joint for (_, a), (_, b) in group), len(group)) for group in groups]
    low, high = bootstrap(sums, pooled) or (-1.0, 1.0)
    right = [sum(pair[side][1].joint for group in groups for pair in group) for side in (0, 1)]
    return Difference(before=right[0] / of, after=right[1] / of, low=low, high=high)


def _ratio(groups: Sequence[Sequence[Pair]], cost: Callable[[Score], float]) -> Ratio:
    values = [[(cost(a), cost(b)) for (_, a), (_, b) in group] for group in groups]
    if not values:
        return Ratio()
    interval = bootstrap(values, _ratio_of)
    return Ratio(
        before=statistics.median(a for group in values for a, _ in group),
        after=statistics.median(b for group in values for _, b in group),
        ratio=_ratio_of(values),
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
    )


def _ratio_of(groups: Sequence[Sequence[tuple[float, float]]]) -> float | None:
    before = statistics.median(a for group in groups for a, _ in group)
    return statistics.median(b for group in groups for _, b in group) / before if before else None


def _verdict(joint: Difference, p: float, up: int, down: int, recordings: int) -> tuple[Verdict, int]:
    """Noise is said only where the interval rules out a difference that matters; else there are too few."""
    change = joint.change
    if change is None or joint.low is None or joint.high is None:
        return "too few recordings to tell", pairs_needed(MATTERS, MATTERS)
    if p < _SIGNIFICANT and _sign(up - down) == _sign(change):
        return "better" if up > down else "worse", 0
    if joint.low >= -MATTERS and joint.high <= MATTERS and recordings >= LEAST:
        return "no more than noise", 0
    return "too few recordings to tell", pairs_needed(max(abs(change), MATTERS), (up + down) / recordings)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
