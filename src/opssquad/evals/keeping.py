"""A run of suites on disk: what was planned, and each result as soon as it is there, so that nothing finished
is lost when the run is stopped, dies, or the disk is full.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from opssquad.documents import BadFile, read_text
from opssquad.errors import UsageError
from opssquad.evals.result import Baseline, CaseResult, SuiteUsed
from opssquad.store.folder import prepare_folder
from opssquad.types import Json, Value

PLAN, RESULTS, LOG = "plan.json", "results.jsonl", "workers.log"


class Plan(Value):
    """What a run was asked for. `suites` are names, or files that are found from anywhere; `versions` is what
    answered: a run is gone on with only by the same. `keys` are those of all its runs, in order."""

    started: datetime
    suites: tuple[str, ...]
    squad: str = ""
    case: str = ""
    tag: str = ""
    models: tuple[str, ...] = ("offline",)
    repeats: int = 1
    sampling: Json = {}
    shift: int | None = None
    noise: int | None = None
    tapes: str = ""
    replay: bool = False
    used: tuple[SuiteUsed, ...] = ()
    versions: dict[str, str] = {}
    keys: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = ()

    @property
    def only(self) -> str:
        """Which cases are meant, where not all, as one would give it on the command line."""
        given = {
            "squad": self.squad,
            "case": self.case,
            "tag": self.tag,
            "shift": self.shift,
            "noise": self.noise,
        }
        return " ".join(f"--{name} {value}" for name, value in given.items() if value not in ("", None))


class Kept:
    """The folder of a run. `results` are those that were there when it was opened."""

    def __init__(self, folder: Path, plan: Plan, results: Sequence[CaseResult]) -> None:
        self.folder, self.plan, self.results = folder, plan, list(results)

    @classmethod
    def new(cls, runs: Path, plan: Plan) -> Self:
        """A folder of its own below `runs`, named for when it began. Raises UsageError."""
        # The state folder is everybody's here, and is refused elsewhere if others may read it.
        prepare_folder(runs.parent)
        try:
            runs.mkdir(mode=0o700, exist_ok=True)
            folder = _fresh(runs, f"{plan.started:%Y%m%d-%H%M%S}")
            (folder / PLAN).write_text(plan.model_dump_json(indent=2), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{runs}: the run cannot be kept: {error.strerror}; choose another --state"
            ) from None
        return cls(folder, plan, ())

    @classmethod
    def open(cls, runs: Path, name: str) -> Self:
        """An earlier run by its name, `last` for the latest. Raises UsageError."""
        known = sorted(path.parent.name for path in runs.glob(f"*/{PLAN}"))
        wanted = known[-1] if name == "last" and known else name
        if wanted not in known:
            raise UsageError(f"no run {name!r} in {runs}; there is: {', '.join(known[-3:]) or 'none'}")
        folder = runs / wanted
        return cls(folder, _read_plan(folder / PLAN), _read_results(folder / RESULTS))

    @property
    def name(self) -> str:
        """What the run is called on the command line."""
        return self.folder.name

    @property
    def changed(self) -> datetime:
        """When the last result came; when the run began, if none has."""
        file = self.folder / RESULTS
        return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else self.plan.started

    def add(self, result: CaseResult) -> None:
        """Put a result on disk; returns when it is there. Raises UsageError."""
        file = self.folder / RESULTS
        try:
            with file.open("a", encoding="utf-8") as out:
                out.write(result.model_dump_json() + "\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            done = f"the {len(self.results)} finished runs are kept"
            again = f"make room, then: opssquad eval run --resume {self.name}"
            raise UsageError(f"{file}: {error.strerror}; {done}; {again}") from None
        self.results.append(result)


def _fresh(runs: Path, name: str) -> Path:
    for number in range(1, 100):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise UsageError(f"{runs}: too many runs began in one second")


def _read_plan(file: Path) -> Plan:
    try:
        return Plan.model_validate_json(read_text(file))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadFile(file, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _read_results(file: Path) -> list[CaseResult]:
    """What is there; a last line that a crash cut short was no result yet, and is taken away."""
    if not file.exists():
        return []
    whole, _, rest = file.read_bytes().rpartition(b"\n")
    if rest:
        file.write_bytes(whole + b"\n" if whole else b"")
    found = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            found.append(CaseResult.model_validate(json.loads(line)))
        except ValueError:
            raise BadFile(
                file, "not a result of a run; take the line out to make that run again", number
            ) from None
    return found
