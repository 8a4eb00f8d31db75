"""The figures of a report: shares with intervals, costs, per model and per slice. Pure.

Runs that were not made or broke are in no denominator; they are counted apart. What has an empty denominator
is None. Runs of one recording, whatever the manner, variant or repeat, are not independent: intervals of
shares allow for it, and bootstraps draw recordings.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from opssquad.evals.averages import Mean, Share, Spread, mean_of, share_of, spread_of
from opssquad.evals.intervals import pass_all, pass_at
from opssquad.evals.result import CaseResult, Report, Score
from opssquad.types import Value

Scored = tuple[CaseResult, Score]
SLICES = ("squad", "family", "fault", "tag", "difficulty", "manner", "variant")


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
        return share_of([group for group in picked if group])

    return Parts(
        runs=len(runs),
        recordings=len(groups),
        not_run=sum(r.state == "not_run" for r in results),
        broken=sum(r.state != "not_run" for r in results) - len(runs),
        passed=share(lambda s: s.passed),
        joint=share(lambda s: s.joint),
        component=share(lambda s: s.component, _decidable),
        fault=share(lambda s: s.fault, _decidable),
        action=share(lambda s: s.action, _decidable),
        unblamed=share(lambda s: not s.overblamed),
        closure=share(lambda s: s.evidence >= 1, _decidable),
        cited=share(lambda s: not s.invented),
        harmless=share(lambda s: not s.harm),
        behaved=share(lambda s: not s.misbehaved, lambda s: bool(s.cards or s.misbehaved)),
        fixed=share(lambda s: s.fixed is True, lambda s: s.fixed is not None),
        lucky=share(lambda s: s.action, lambda s: not (s.component and s.fault)),
        evidence=mean_of(_evidence(groups)),
        proposed=sum(bool(s.proposed) for _, s in runs),
        executed=sum(bool(s.executed) for _, s in runs),
        unapproved=sum(bool(s.unapproved) for _, s in runs),
        abstained_right=sum(s.abstained == "right" for _, s in runs),
        abstained_wrong=sum(s.abstained == "wrong" for _, s in runs),
    )


def _evidence(groups: Sequence[Sequence[Scored]]) -> list[list[float]]:
    values = [[score.evidence for _, score in group if _decidable(score)] for group in groups]
    return [group for group in values if group]


def _decidable(score: Score) -> bool:
    """Whether there was a cause to name: where there is none to be seen, saying so is all that counts."""
    return score.abstained != "right"


def costs(results: Sequence[CaseResult]) -> Costs:
    """What the runs among the results cost."""
    runs = scored(results)
    return Costs(
        calls=spread_of([s.calls for _, s in runs]),
        tokens=spread_of([s.tokens for _, s in runs]),
        seconds=spread_of([s.seconds for _, s in runs]),
        money=spread_of([s.money for _, s in runs if s.money is not None]),
        overhead=spread_of([r.overhead for r, _ in runs]),
        peak=spread_of([r.peak for r, _ in runs]),
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
        return mean_of([each for g in counts.values() if (each := [chance(k, *c) for c in g if c[1] >= k])])

    return Passes(k=k, one=mean(pass_at, 1), any=mean(pass_at, k), every=mean(pass_all, k))
