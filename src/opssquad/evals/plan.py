"""From suites to the list of runs: every case with its recording checked, its question and its key."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from opssquad.errors import UsageError
from opssquad.evals.result import Difficulty, Expect, Manner, SuiteUsed, Variant
from opssquad.evals.rights import known
from opssquad.evals.suite import Price, SuiteFile, folders_of
from opssquad.evals.versions import digest_of
from opssquad.types import Json, Value, digest
from opssquad.worlds.kube.recording import load_truth
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.kube.recording.spec import Incident, Truth

VARIANT: dict[tuple[bool, bool], Variant] = {
    (False, False): "plain",
    (True, False): "shift",
    (False, True): "noise",
    (True, True): "both",
}
"""What a recording is, by whether it is shifted and noised."""


class Case(Value):
    """One case: all that a worker needs to play it. `id` names it within its suite; `truth` is the digest of
    what is held to be true, `recorded` that of every file of the recording."""

    id: str
    suite: str
    folder: Path
    recording: str
    squad: str
    fault: str
    truth: str
    question: str
    manner: Manner
    variant: Variant
    tags: tuple[str, ...]
    difficulty: Difficulty
    expect: Expect
    withheld: tuple[str, ...] = ()
    seconds: float
    calls: int | None = None
    tokens: int | None = None
    shift: int | None
    noise: int | None
    recorded: str = ""

    @property
    def family(self) -> str:
        """The letter of the fault's family: K, N, D, P, Z."""
        return self.fault[:1]


class Job(Value):
    """One run to make: a case, by a model, for the nth time."""

    case: Case
    model: str
    repeat: int
    prices: dict[str, Price] = {}
    sampling: Json = {}
    tapes: str = ""
    replay: bool = False

    @property
    def tape(self) -> Path | None:
        """Where what the model is asked and answers is kept, or played from."""
        name = re.sub(r"[^A-Za-z0-9.@-]+", "_", self.key)
        return Path(self.tapes) / f"{name}.jsonl" if self.tapes else None

    @property
    def key(self) -> str:
        """What tells the run from all others of a report."""
        return f"{self.case.suite}:{self.case.id}:{self.model}:{self.repeat}"


@dataclass(frozen=True)
class Wanted:
    """Which of the cases: a squad's, those whose id or recording fits a pattern, those with a tag."""

    squad: str = ""
    case: str = ""
    tag: str = ""

    def takes(self, case: Case) -> bool:
        """Whether the case is one of those that are meant."""
        named = not self.case or any(fnmatchcase(text, self.case) for text in (case.id, case.recording))
        return named and self.squad in ("", case.squad) and (not self.tag or self.tag in case.tags)


def cases_of(reads: Sequence[SuiteFile]) -> list[Case]:
    """All cases of the suites. Raises UsageError: a recording that is missing or damaged, a question that it
    does not have."""
    # Several entries may play one recording.
    opened = cache(_opened)
    return [case for read in reads for case in _cases(read, opened)]


def chosen(cases: Sequence[Case], wanted: Wanted) -> list[Case]:
    """Those that are meant. Raises UsageError where none is."""
    if found := [case for case in cases if wanted.takes(case)]:
        return found
    names = " ".join(dict.fromkeys(case.suite for case in cases))
    given = {"--squad": wanted.squad, "--case": wanted.case, "--tag": wanted.tag}
    said = " ".join(f"{option} {value}" for option, value in given.items() if value)
    raise UsageError(f"no case of {names} fits {said}; `opssquad eval list {names}` shows them")


def varied(case: Case, shift: int | None, noise: int | None) -> Case:
    """The case under other names or with noise, by these seeds, beside what it asks for itself."""
    if shift is None and noise is None:
        return case
    seeds = {"shift": case.shift if shift is None else shift, "noise": case.noise if noise is None else noise}
    variant = VARIANT[seeds["shift"] is not None, seeds["noise"] is not None]
    id = case.id.removesuffix(case.variant) + variant
    return case.model_copy(update={**seeds, "variant": variant, "id": id})


def used(read: SuiteFile, cases: Sequence[Case]) -> SuiteUsed:
    """The suite as a report names it; its digest is of all its cases and their truths."""
    own = [case for case in cases if case.suite == read.suite.name]
    told = [case.model_dump(mode="json", exclude={"folder"}) for case in own]
    return SuiteUsed(name=read.suite.name, version=read.suite.version, digest=digest(told)[:16])


def jobs_of(
    reads: Sequence[SuiteFile],
    cases: Sequence[Case],
    models: Sequence[str],
    repeats: int,
    *,
    sampling: Json,
    tapes: str,
    replay: bool,
) -> list[Job]:
    """Every run, so ordered that a run which is cut short has seen as many cases as it could."""
    prices = {read.suite.name: read.suite.prices for read in reads}
    return [
        Job(
            case=case,
            model=model,
            repeat=repeat,
            prices=prices[case.suite],
            sampling=sampling,
            tapes=tapes,
            replay=replay,
        )
        for repeat in range(repeats)
        for case in cases
        for model in models
    ]


def _opened(folder: Path) -> tuple[Incident, Truth, str]:
    return load_incident(folder), load_truth(folder), digest_of(folder)


def _cases(read: SuiteFile, opened: Callable[[Path], tuple[Incident, Truth, str]]) -> Iterator[Case]:
    seen: set[str] = set()
    for number in range(len(read.suite.cases)):
        for folder in folders_of(read, number):
            for case in _of_recording(read, number, folder, *opened(folder)):
                if case.id in seen:
                    said = f"recording: case {case.id} stands twice in the suite; leave one of them out"
                    raise read.problem(number, said)
                seen.add(case.id)
                yield case


def _of_recording(
    read: SuiteFile, number: int, folder: Path, incident: Incident, truth: Truth, recorded: str
) -> Iterator[Case]:
    entry = read.suite.cases[number]
    seeds = {"shift": 1, "noise": 1, **read.suite.seeds}
    for at, resource in enumerate(entry.withheld):
        if not known(resource):
            said = f"no resource is called {resource!r}; name it as `pods` or `pods/log`"
            raise read.problem(number, f"withheld[{at}]: {said}")
    without = "-without-" + "+".join(entry.withheld).replace("/", ".") if entry.withheld else ""
    for at, question in enumerate(entry.questions):
        if isinstance(question, int) and not 0 <= question < len(incident.questions):
            has = f"{incident.id} has {len(incident.questions)}, counted from 0"
            raise read.problem(number, f"questions[{at}]: no question {question}; {has}")
        words = incident.questions[question] if isinstance(question, int) else question
        name = (f"q{question}" if isinstance(question, int) else f"own{at}") + without
        for manner in entry.manners:
            for variant in entry.variants:
                yield Case(
                    id=f"{incident.id}/{name}/{manner}/{variant}",
                    suite=read.suite.name,
                    folder=folder,
                    recording=incident.id,
                    squad=incident.squad,
                    fault=truth.fault,
                    truth=digest(truth.model_dump(mode="json"))[:16],
                    question=words,
                    manner=manner,
                    variant=variant,
                    tags=tuple(entry.tags),
                    difficulty=entry.difficulty,
                    expect=entry.expect,
                    withheld=tuple(entry.withheld),
                    seconds=entry.seconds,
                    calls=entry.calls,
                    tokens=entry.tokens,
                    shift=seeds["shift"] if variant in ("shift", "both") else None,
                    noise=seeds["noise"] if variant in ("noise", "both") else None,
                    recorded=recorded,
                )
