"""Suites: which recordings are played, with which questions, approvers and changes, as YAML that teams write.

Reading a suite says what is meant; whether its recordings are fair cases is `plan`'s.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from opssquad import content
from opssquad.documents import BadFile, Placed, parse_placed, read_text
from opssquad.errors import UsageError
from opssquad.evals.result import Difficulty, Expect, Manner, Variant
from opssquad.types import Value
from opssquad.worlds.kube.recording.load import load_incident


class Entry(Value):
    """Cases of one or more recordings: every question with every manner and variant.

    `recording` is an id, a shell pattern of ids, or a folder relative to the suite's file. `questions` are
    numbers of the incident's own (0 is the first), or words. `expect: unknown` is for what cannot be decided
    from what is there: abstaining is right. `withheld` are resources (`pods`, `pods/log`) that the squad has
    no right to. `seconds` is how long one run may take; one with more `calls` or `tokens` does not pass.
    """

    recording: Annotated[str, Field(min_length=1)]
    questions: Annotated[list[int | str], Field(min_length=1)] = [0]
    manners: Annotated[list[Manner], Field(min_length=1)] = ["ask"]
    variants: Annotated[list[Variant], Field(min_length=1)] = ["plain"]
    tags: list[str] = []
    difficulty: Difficulty = "plain"
    expect: Expect = "cause"
    withheld: list[str] = []
    seconds: Annotated[float, Field(gt=0, le=3600)] = 300.0
    calls: Annotated[int, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None


class Price(Value):
    """US dollars for a million tokens of a model."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]


class Suite(Value):
    """A suite's file. `version` goes up when its cases change: reports of two versions are not compared.
    `seeds` are those of the variants."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[int, Field(ge=1)]
    about: str = ""
    cases: Annotated[list[Entry], Field(min_length=1)]
    seeds: dict[Literal["shift", "noise"], int] = {}
    prices: dict[str, Price] = {}


class SuiteFile(Value):
    """A suite with the file that it was read from and the line of each entry, from 1."""

    suite: Suite
    file: Path
    lines: tuple[int, ...]

    def problem(self, entry: int, reason: str) -> BadFile:
        """What is wrong with an entry, as one line with file and line."""
        return BadFile(self.file, f"cases[{entry}].{reason}", self.lines[entry])


def read_suite(name: str) -> SuiteFile:
    """A suite by its file, or by the name of one that came with the product; a recording's folder is a suite
    of one case. Raises UsageError."""
    path = Path(name).expanduser()
    if (path / "incident.yaml").is_file():
        alone = Suite(name=load_incident(path).id.lower(), version=1, cases=[Entry(recording=".")])
        return SuiteFile(suite=alone, file=path.absolute() / "incident.yaml", lines=(1,))
    if path.suffix not in (".yaml", ".yml") and not path.is_file():
        path = content.suite(name)
    placed: Placed[Suite] = parse_placed(read_text(path), Suite, path)
    lines = tuple(placed.line("cases", n, "recording") for n in range(len(placed.value.cases)))
    return SuiteFile(suite=placed.value, file=path, lines=lines)


def folders_of(read: SuiteFile, entry: int) -> list[Path]:
    """The folders of an entry's recordings, in order. Raises BadFile."""
    wanted = read.suite.cases[entry].recording
    if (beside := read.file.parent / wanted).is_dir():
        return [beside.resolve()]
    known = content.recordings()
    if any(c in wanted for c in "*?["):
        found = [folder for id, folder in known.items() if Path(id).match(wanted)]
        if not found:
            raise read.problem(
                entry, f"recording: no recording is called {wanted!r}; known: {', '.join(known)}"
            )
        return found
    try:
        return [content.recording(wanted)]
    except UsageError as error:
        raise read.problem(entry, f"recording: {error}") from None
