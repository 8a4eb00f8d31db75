"""The pytest plugin: a recording's folder is a test, which passes when the squad finds the truth.

`pytest evals/ -k crash -n auto`: words of the fault's title, its id, the squad and the recording's title can
be selected by `-k`. Loaded by every pytest run of the environment, so nothing heavy is imported before a
recording is met.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from opssquad.evals.plan import Job
    from opssquad.evals.result import CaseResult

MANNERS = ("ask", "approve", "refuse", "change", "kill")
"""Those of `result.Manner`, which is too heavy to import here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the recordings are played."""
    group = parser.getgroup("opssquad", "recorded incidents")
    group.addoption("--opssquad-model", default="offline", metavar="NAME", help="The model that answers.")
    group.addoption(
        "--opssquad-manner",
        choices=MANNERS,
        default="ask",
        help="What the approver does: only ask (the default), or let the squad's first fix happen.",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "pytest.Collector | None":
    """A folder with incident.yaml and truth.yaml."""
    if file_path.name == "incident.yaml" and (file_path.parent / "truth.yaml").is_file():
        return Folder.from_parent(parent, path=file_path)
    return None


class Folder(pytest.File):
    """One recording."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its one item, under the recording's name. Raises UsageError for a recording that is damaged."""
        from opssquad.worlds.kube.recording import load_truth
        from opssquad.worlds.kube.recording.load import load_incident

        folder = self.path.parent
        incident, truth = load_incident(folder), load_truth(folder)
        item = Recorded.from_parent(self, name=incident.id)
        item.extra_keyword_matches |= _words(incident.squad, truth.fault, incident.title)
        yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """A damaged recording in one line."""
        return _told(excinfo) or str(super().repr_failure(excinfo))


def _words(squad: str, fault: str, title: str) -> set[str]:
    from opssquad import settings
    from opssquad.squad.knowledge import read_known

    catalogue = read_known(squad, settings.load().faults).catalogue
    entries = [entry for entry in catalogue.faults if entry.id == fault]
    named = [entry.title for entry in entries]
    # What gives the fault away is how people call it: `container.oom_killed`.
    named += [re.sub("[._]", " ", clause.signal) for entry in entries for clause in entry.anchor]
    return {squad, fault, *" ".join([title, *named]).lower().split()}


def _told(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """What we mean to say; empty for a bug."""
    from opssquad.errors import OpsError

    return str(excinfo.value) if isinstance(excinfo.value, Failed | OpsError) else ""


class Failed(Exception):
    """The squad was wrong; the text says where, and how it came to that."""


class Recorded(pytest.Item):
    """A recording, played once."""

    def runtest(self) -> None:
        """Play and score it. Raises Failed; skips where the model's endpoint fails."""
        import asyncio

        from opssquad.evals.report.why import decisive
        from opssquad.evals.work import work

        result = asyncio.run(work(self._job()))
        self.user_properties += _properties(result)
        if result.state == "not_run":
            pytest.skip(result.error)
        if result.state == "broken" or not (result.score and result.score.passed):
            raise Failed(decisive(result))

    def _job(self) -> "Job":
        from opssquad.evals.plan import Job, cases_of
        from opssquad.evals.suite import Entry, Suite, SuiteFile

        entry = Entry(recording=".", manners=[self.config.getoption("--opssquad-manner")])
        suite = Suite(name="pytest", version=1, cases=[entry])
        case = cases_of([SuiteFile(suite=suite, file=self.path, lines=(1,))])[0]
        return Job(case=case, model=self.config.getoption("--opssquad-model"), repeat=0)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """What was wrong, in the report's words; a traceback only for what is a bug of ours."""
        return _told(excinfo) or str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it is, and what it is called."""
        return self.path.parent, None, self.name


def _properties(result: "CaseResult") -> list[tuple[str, object]]:
    score = result.score
    if score is None:
        return []
    return [("evidence", score.evidence), ("calls", score.calls), ("tokens", score.tokens)]
