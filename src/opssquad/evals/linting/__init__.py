"""The whole lint of a recording: what `worlds` checks of it, secrets, leaks of the answer, and whether its
world answers a fix as its truth says.
"""

from dataclasses import dataclass, field
from pathlib import Path

from opssquad.documents import BadFile
from opssquad.evals.linting.answers import answers
from opssquad.evals.linting.leaks import leaks
from opssquad.evals.linting.secrets import secrets_in
from opssquad.gate.names import Lexicon
from opssquad.gate.names import secrets as known_secrets
from opssquad.gate.own import Own
from opssquad.gate.redact import Redactor
from opssquad.worlds.kube.recording import load, load_truth
from opssquad.worlds.kube.recording.checks import problems
from opssquad.worlds.kube.recording.notes import load_notes

__all__ = ["Linted", "lint", "unfair"]


@dataclass(frozen=True)
class Linted:
    """A sentence for each problem, and for each action of the truth of which code cannot tell if it helps.
    `verdict`: whether there is a truth.yaml; without one a recording is not broken, but no case either."""

    problems: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    verdict: bool = True


def lint(folder: Path, own: Own | None) -> Linted:
    """Everything that can be said of a recording. `own`: what the organisation takes for secrets besides;
    None: secrets are not looked for, which takes a second and has no bearing on whether a case is fair."""
    verdict = (folder / "truth.yaml").exists() or not folder.is_dir()
    try:
        recording, notes = load(folder), load_notes(folder)
        truth = load_truth(folder) if verdict else None
    except BadFile as error:
        return Linted([str(error)], verdict=verdict)
    found = list(problems(recording, truth, notes))
    if own is not None:
        found += secrets_in(recording, Redactor(lexicon=Lexicon(known_secrets(), own)))
    if truth is None:
        return Linted(found, verdict=False)
    harmful, undecided = answers(recording, truth)
    return Linted([*found, *leaks(recording, truth), *harmful], undecided)


def unfair(folder: Path) -> str:
    """Why a recording is no fair case, in one line; empty if it is one."""
    found = lint(folder, None)
    problems = found.problems if found.verdict else ["truth.yaml: is missing: nobody has given a verdict yet"]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    said = "not a fair case; `opssquad recording lint` says all"
    return f"{folder}: {problems[0]}{more}: {said}" if problems else ""
