"""The figures of a report: shares with intervals, costs, per model and per slice. Pure.

Runs that were not made or broke are in no denominator; they are counted apart. What has an empty denominator
is None. Runs of one recording, whatever the manner, variant or repeat, are not independent: intervals of
shares allow for it, and bootstraps draw recordings.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from opssquad.evals.intervals import bootstrap, pass_all, pass_at, percentile, pooled, share_interval, wilson
from opssquad.evals.result import CaseResult, Report, Score
from opssquad.types import Value

Scored = tuple[CaseResult, Score]
SLICES = ("squad", "family", "fault", "tag", "difficulty", "manner", "variant")


class Share(Value):
    """`right` of `of` runs; share and its 95 % interval between 0 and 1, None where `of` is zero."""

    right: int = 0
    of: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The figure itself, 0 to 1, as `Mean` has it too."""
        return self.share

    @property
    def counted(self) -> str:
        """`189 of 313`."""
        return f"{self.right} of {self.of}"


class Mean(Value):
    """The mean of `of` values with its 95 % interval; None where there is none."""

    of: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The figure itself, 0 to 1, as `Share` has it too."""
        return self.mean

    @property
    def counted(self) -> str:
        """Of how many runs it is: `50 runs`."""
        return f"{self.of} runs"


class Spread(Value):
    """How a cost spreads over `of` runs, in its own unit; None where nobody counted it."""

    of: int = 0
    median: float | None = None
    p90: float | None = None
    total: float | None = None
    most: float | None = None


class Parts(Value):
    """Some runs against the truth. `runs` were made and scored, of so many `recordings`.

    `unblamed`: nothing blamed besides; `closure`: all evidence cited; `cited`: no citation invented;
    `fixed` is of the runs in which the squad could have fixed it, `behaved` of those with a card; `lucky` is
    the share of right actions where the diagnosis (component and fault) is wrong. The last ones count runs.
    """

    runs: int = 0
    recordings: int = 0
    not_run: int = 0
    broken: int = 0
    passed: Share = Share()
    joint: Share = Share()
    component: Share = Share()
    fault: Share = Share()
    action: Share = Share()
    unblamed: Share = Share()
    closure: Share = Share()
    cited: Share = Share()
    harmless: Share = Share()
    behaved: Share = Share()
    fixed: Share = Share()
    lucky: Share = Share()
    evidence: Mean = Mean()
    proposed: int = 0
    executed: int = 0
    unapproved: int = 0
    abstained_right: int = 0
    abstained_wrong: int = 0


class Costs(Value):
    """What runs cost: `money` in US dollars of the runs whose price is known; `overhead` in seconds and
    `peak` in megabytes are the harness's."""

    calls: Spread = Spread()
    tokens: Spread = Spread()
    seconds: Spread = Spread()
    money: Spread = Spread()
    overhead: Spread = Spread()
    peak: Spread = Spread()


class Passes(Value):
    """pass@1, pass@k (at least one of k passes) and pass^k (all of k pass): means over cases of k repeats."""

    k: int = 1
    one: Mean = Mean()
    any: Mean = Mean()
    every: Mean = Mean()


class Slice(Value):
    """The runs that have something in common, as `family` K."""

    by: str
    name: str
    parts: Parts


class ModelFigures(Value):
    """The figures of one model."""

    model: str
    parts: Parts
    costs: Costs
    passes: Passes
    slices: tuple[Slice, ...]


class Figures(Value):
    """The figures of a report, a model each, in the report's order. `unstarted` runs were planned and have no
    result: the run was stopped."""

    models: tuple[ModelFigures, ...]
    unstarted: int = 0


def figures(report: Report) -> Figures:
    """The figures of a report; the same report gives the same figures."""
    return Figures(
        models=tuple(of_model(model, report.results_of(model)) for model in report.answerers),
        unstarted=max(report.planned - len(report.results), 0),
    )


def of_model(model: str, results: Sequence[CaseResult]) -> ModelFigures:
    """The figures of results of one model."""
    return ModelFigures(
        model=model,
        parts=parts(results),
        costs=costs(results),
        passes=passes(results),
        slices=tuple(
            Slice(by=by, name=name, parts=parts(those))
            for by in SLICES
            for name, those in sorted(sliced(results, by).items())
        ),
    )


def scored(results: Iterable[CaseResult]) -> list[Scored]:
    """The results that were run, with their scores."""
    return [(r, r.score) for r in results if r.state == "run" and r.score is not None]


def sliced(results: Iterable[CaseResult], by: str) -> dict[str, list[CaseResult]]:
    """The results by what they have in common; a result with two tags is in both."""
    found: dict[str, list[CaseResult]] = defaultdict(list)
    for result in results:
        for name in dict.fromkeys(result.tags) if by == "tag" else (getattr(result, by),):
            found[name].append(result)
    return found


def grouped(runs: Iterable[Scored]) -> list[list[Scored]]:
    """The runs by recording, in the order of their names: the order of results changes no figure."""
    found: dict[str, list[Scored]] = defaultdict(list)
    for result, score in sorted(runs, key=lambda run: (run[0].recording, run[0].key)):
        found[result.recording].append((result, score))
    return list(found.values())


def parts(results: Sequence[CaseResult]) -> Parts:
    """Some results against the truth."""
    runs = scored(results)
    groups = grouped(runs)

    def share(holds: Callable[[Score], bool], among: Callable[[Score], bool] = lambda s: True) -> Share:
        picked = [[holds(s) for _, s in group if among(s)] for group in groups]
        return _share([group for group in picked if group])

    return Parts(
        runs=len(runs),
        recordings=len(groups),
        not_run=sum(r.state == "not_run" for r in results),
        broken=sum(r.state != "not_run" for r in results) - len(runs),
        passed=share(lambda s: s.passed),
        joint=share(lambda s: s.joint),
        component=share(lambda s: s.component),
        fault=share(lambda s: s.fault),
        action=share(lambda s: s.action),
        unblamed=share(lambda s: not s.overblamed),
        closure=share(lambda s: s.evidence >= 1),
        cited=share(lambda s: not s.invented),
        harmless=share(lambda s: not s.harm),
        behaved=share(lambda s: not s.misbehaved, lambda s: bool(s.cards or s.misbehaved)),
        fixed=share(lambda s: s.fixed is True, lambda s: s.fixed is not None),
        lucky=share(lambda s: s.action, lambda s: not (s.component and s.fault)),
        evidence=_mean([[s.evidence for _, s in group] for group in groups]),
        proposed=sum(bool(s.proposed) for _, s in runs),
        executed=sum(bool(s.executed) for _, s in runs),
        unapproved=sum(bool(s.unapproved) for _, s in runs),
        abstained_right=sum(s.abstained == "right" for _, s in runs),
        abstained_wrong=sum(s.abstained == "wrong" for _, s in runs),
    )


def costs(results: Sequence[CaseResult]) -> Costs:
    """What the runs among the results cost."""
    runs = scored(results)
    return Costs(
        calls=_spread([s.calls for _, s in runs]),
        tokens=_spread([s.tokens for _, s in runs]),
        seconds=_spread([s.seconds for _, s in runs]),
        money=_spread([s.money for _, s in runs if s.money is not None]),
        overhead=_spread([r.overhead for r, _ in runs]),
        peak=_spread([r.peak for r, _ in runs]),
    )


def passes(results: Sequence[CaseResult]) -> Passes:
    """How sure a case passes: k is the number of runs that most cases have. A case in another manner or
    variant is another case here; cases with fewer runs than k are in pass@1 only."""
    counts: dict[str, list[tuple[int, int]]] = {}
    for group in grouped(scored(results)):
        cases: dict[tuple[str, ...], list[bool]] = defaultdict(list)
        for r, score in group:
            cases[r.suite, r.case, r.squad, r.manner, r.variant].append(score.passed)
        counts[group[0][0].recording] = [(sum(told), len(told)) for told in cases.values()]
    sizes = [of for group in counts.values() for _, of in group]
    k = statistics.mode(sorted(sizes, reverse=True)) if sizes else 1

    def mean(chance: Callable[[int, int, int], float], k: int) -> Mean:
        return _mean([each for g in counts.values() if (each := [chance(k, *c) for c in g if c[1] >= k])])

    return Passes(k=k, one=mean(pass_at, 1), any=mean(pass_at, k), every=mean(pass_all, k))


def _share(groups: Sequence[Sequence[bool]]) -> Share:
    of = sum(map(len, groups))
    if not of:
        return Share()
    right = sum(map(sum, groups))
    low, high = share_interval(groups)
    return Share(right=right, of=of, share=right / of, low=low, high=high)


def _mean(groups: Sequence[Sequence[float]]) -> Mean:
    """The mean of all values; its interval draws groups. Where all values are 0, or all 1, a draw has no
    width, and it is Wilson's over the groups."""
    of = sum(map(len, groups))
    if not of:
        return Mean()
    mean = _mean_of(groups)
    if mean in (0, 1):
        low, high = wilson(mean * len(groups), len(groups))
    else:
        low, high = bootstrap([(sum(g), len(g)) for g in groups], pooled) or (0.0, 1.0)
    return Mean(of=of, mean=mean, low=min(low, mean), high=max(high, mean))


def _mean_of(groups: Sequence[Sequence[float]]) -> float:
    return sum(map(sum, groups)) / sum(map(len, groups))


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread()
    return Spread(
        of=len(values),
        median=statistics.median(values),
        p90=percentile(values, 0.9),
        total=sum(values),
        most=max(values),
    )
