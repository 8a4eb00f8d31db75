"""A run of suites: planned, made by a crew, kept as it goes, and put together into a report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from opssquad.errors import UsageError
from opssquad.evals.baselines import baselines
from opssquad.evals.crew import Crew
from opssquad.evals.keeping import Kept, Plan
from opssquad.evals.plan import Case, Job, Wanted, cases_of, chosen, jobs_of, used, varied
from opssquad.evals.result import CaseResult, Judged, Report
from opssquad.evals.suite import SuiteFile, read_suite
from opssquad.evals.versions import machine, versions
from opssquad.times import wall_clock


class Run:
    """A run that is planned and not made yet, or was begun before. Made by `new` and `again`."""

    def __init__(self, kept: Kept, reads: Sequence[SuiteFile], cases: Sequence[Case]) -> None:
        self.kept, self.cases = kept, list(cases)
        plan = kept.plan
        self.jobs = jobs_of(
            reads,
            cases,
            plan.models,
            plan.repeats,
            sampling=plan.sampling,
            tapes=plan.tapes,
            replay=plan.replay,
        )

    @classmethod
    def new(cls, runs: Path, plan: Plan) -> "Run":
        """Read the suites, and keep the run in a folder below `runs`. Raises UsageError."""
        reads, cases, known = _planned(plan)
        return cls(Kept.new(runs, plan.model_copy(update=known)), reads, cases)

    @classmethod
    def again(cls, runs: Path, name: str) -> "Run":
        """Go on with a run, if what answers is what it was. Raises UsageError."""
        kept = Kept.open(runs, name)
        reads, cases, known = _planned(kept.plan)
        for field, now in known.items():
            if now != (then := getattr(kept.plan, field)):
                what = "the suites" if field == "used" else _differs(then, now)
                raise UsageError(f"run {kept.name}: {what} changed since it began; begin a new one")
        return cls(kept, reads, cases)

    @classmethod
    def kept_report(cls, runs: Path, name: str) -> Report:
        """The report of an earlier run, whatever has changed since. Raises UsageError."""
        kept = Kept.open(runs, name)
        reads, cases, _ = _planned(kept.plan)
        return cls(kept, reads, cases).report()

    @property
    def missing(self) -> list[Job]:
        """The runs that have no result yet, in order; one that an endpoint failed is made again."""
        done = {result.key for result in self.kept.results if result.state != "not_run"}
        return [job for job in self.jobs if job.key not in done]

    async def make(self, size: int, on: Callable[[CaseResult], None]) -> None:
        """Make what is missing, `size` runs at a time; `on` is told each result once it is kept. Raises
        UsageError: a recording that is no fair case, a disk that is full."""
        jobs = self.missing

        def keep(result: CaseResult) -> None:
            self.kept.add(result)
            on(result)

        async with Crew(min(size, max(1, len(jobs)))) as crew:
            await crew.check(list(dict.fromkeys(job.case.folder for job in jobs)))
            await crew.make(jobs, keep)

    def head(self) -> Report:
        """The report without any result."""
        plan = self.kept.plan
        return Report(
            started=plan.started,
            ended=wall_clock(),
            suites=plan.used,
            models=plan.models,
            repeats=plan.repeats,
            machine=machine(),
            versions=plan.versions,
            settings={model: plan.sampling for model in plan.models if model != "offline"},
            partial=True,
            planned=len(self.jobs),
        )

    def report(self, judged: Judged | None = None) -> Report:
        """What there is, finished or not; `judged` is what a model thinks of it."""
        latest = {result.key: result for result in self.kept.results}
        results = [latest[job.key] for job in self.jobs if job.key in latest]
        found = {"results": tuple(results), "partial": len(results) < len(self.jobs)}
        return self.head().model_copy(update={**found, "baselines": baselines(self.cases), "judged": judged})


def _planned(plan: Plan) -> tuple[list[SuiteFile], list[Case], dict[str, object]]:
    """The suites, the cases that are meant, and what must not change while the run is going on."""
    reads = [read_suite(name) for name in dict.fromkeys(plan.suites)]
    every = cases_of(reads)
    cases = [
        varied(case, plan.shift, plan.noise)
        for case in chosen(every, Wanted(plan.squad, plan.case, plan.tag))
    ]
    known: dict[str, object] = {
        "used": tuple(used(read, every) for read in reads),
        "versions": versions(case.squad for case in cases),
    }
    return reads, cases, known


def _differs(then: dict[str, str], now: object) -> str:
    assert isinstance(now, dict)
    return ", ".join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))
