"""A run of suites: planned, made by a crew, kept as it goes, and put together into a report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from opssquad.errors import UsageError
from opssquad.evals.baselines import baselines
from opssquad.evals.crew import Crew
from opssquad.evals.keeping import LOG, Kept, Plan
from opssquad.evals.plan import Case, Job, Wanted, cases_of, chosen, jobs_of, used, varied
from opssquad.evals.result import CaseResult, Judged, Report
from opssquad.evals.suite import SuiteFile, read_suite
from opssquad.evals.versions import machine, versions


class Run:
    """A run that is planned and not made yet, or was begun before. Made by `new` and `again`."""

    def __init__(self, kept: Kept, jobs: Sequence[Job]) -> None:
        self.kept, self.jobs = kept, list(jobs)

    @classmethod
    def new(cls, runs: Path, plan: Plan) -> "Run":
        """Read the suites, and keep the run in a folder below `runs`. Raises UsageError."""
        reads, cases, known = _planned(plan)
        jobs = _jobs(reads, cases, plan)
        found: dict[str, object] = {
            **known,
            "suites": tuple(_anywhere(name) for name in plan.suites),
            "keys": tuple(job.key for job in jobs),
            "baselines": baselines(cases),
        }
        return cls(Kept.new(runs, plan.model_copy(update=found)), jobs)

    @classmethod
    def again(cls, runs: Path, name: str) -> "Run":
        """Go on with a run, if what answers is what it was. Raises UsageError."""
        kept = Kept.open(runs, name)
        reads, cases, known = _planned(kept.plan)
        for field, now in known.items():
            if now != (then := getattr(kept.plan, field)):
                what = "the suites" if field == "used" else _differs(then, now)
                raise UsageError(f"run {kept.name}: {what} changed since it began; begin a new one")
        return cls(kept, _jobs(reads, cases, kept.plan))

    @classmethod
    def kept_report(cls, runs: Path, name: str) -> Report:
        """The report of an earlier run, whatever has become of its suites. Raises UsageError."""
        return cls(Kept.open(runs, name), ()).report()

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

        async with Crew(min(size, max(1, len(jobs))), self.kept.folder / LOG) as crew:
            await crew.check(list(dict.fromkeys(job.case.folder for job in jobs)))
            await crew.make(jobs, keep)

    def head(self) -> Report:
        """The report without any result."""
        plan = self.kept.plan
        return Report(
            started=plan.started,
            ended=self.kept.changed,
            suites=plan.used,
            models=plan.models,
            repeats=plan.repeats,
            machine=machine(),
            versions=plan.versions,
            settings={model: plan.sampling for model in plan.models if model != "offline"},
            only=plan.only,
            partial=True,
            planned=len(plan.keys),
            baselines=plan.baselines,
        )

    def report(self, judged: Judged | None = None) -> Report:
        """What there is, finished or not; `judged` is what a model thinks of it."""
        latest = {result.key: result for result in self.kept.results}
        keys = self.kept.plan.keys
        results = tuple(latest[key] for key in keys if key in latest)
        return self.head().model_copy(
            update={"results": results, "partial": len(results) < len(keys), "judged": judged}
        )


def _planned(plan: Plan) -> tuple[list[SuiteFile], list[Case], dict[str, object]]:
    """The suites, the cases that are meant, and what must not change while the run is going on."""
    reads = [read_suite(name) for name in dict.fromkeys(plan.suites)]
    _told_apart(reads)
    every = cases_of(reads)
    meant = chosen(every, Wanted(plan.squad, plan.case, plan.tag))
    # A case that the suite has in this variant itself becomes the same one.
    again = (varied(case, plan.shift, plan.noise) for case in meant)
    cases = list({(case.suite, case.id): case for case in again}.values())
    known: dict[str, object] = {
        "used": tuple(used(read, every) for read in reads),
        "versions": versions(case.squad for case in cases),
    }
    return reads, cases, known


def _jobs(reads: Sequence[SuiteFile], cases: Sequence[Case], plan: Plan) -> list[Job]:
    return jobs_of(
        reads,
        cases,
        plan.models,
        plan.repeats,
        sampling=plan.sampling,
        tapes=plan.tapes,
        replay=plan.replay,
    )


def _told_apart(reads: Sequence[SuiteFile]) -> None:
    """Raises UsageError where two suites have one name: a result is of a suite by its name."""
    known: dict[str, Path] = {}
    for read in reads:
        other = known.setdefault(read.suite.name, read.file)
        if other is not read.file:
            both = f"{other} and {read.file}"
            raise UsageError(f"{both} are both called {read.suite.name}; rename one, or run each by itself")


def _anywhere(name: str) -> str:
    """A suite as it is found from any folder: its whole path, or its name where it came with the product."""
    file = read_suite(name).file
    return str(file.resolve()) if file == Path(name).expanduser() else name


def _differs(then: dict[str, str], now: object) -> str:
    assert isinstance(now, dict)
    return ", ".join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))
