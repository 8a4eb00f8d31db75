"""The report of a run of suites, as it is kept on disk and compared: values only. Figures over many cases are
computed by `figures`.
"""

from datetime import datetime
from typing import Literal

from opssquad.evals.transcript import End, Transcript
from opssquad.types import Json, Value

VERSION = 1
"""Of the report's format; a baseline of another one is refused."""

Manner = Literal["ask", "approve", "refuse", "change", "kill"]
"""What the approver does: nothing but ask, say yes to the squad's first fix, say no, change the world
between card and yes, or kill the process at the card and go on in another."""
Variant = Literal["plain", "shift", "noise", "both"]
"""How a recording is changed before it is played: under other names, among unrelated material, or both."""
Expect = Literal["cause", "unknown"]
"""Whether the cause can be told from what the squad may see, or only that it cannot."""
Difficulty = Literal["plain", "hard"]
State = Literal["run", "not_run", "broken"]


class Score(Value):
    """One run against the truth.

    `joint` is the headline: component, fault and first action right, nothing blamed besides, no harm; in a
    case that cannot be decided, each of them is that the squad abstained. `evidence` is the share of the
    truth's evidence that was cited (0 to 1), `missing` what was not, `invented` citations that do not stand
    in what was read.
    `proposed` and `executed` are forbidden actions, `unapproved` changes without approval.
    `fixed` is the oracle's word, None where the squad was not let, or had nothing it could carry out.
    `misbehaved` says what the approver's manner or a limit called for and did not happen; `cards` counts the
    changes that the squad asked for. `money` in US dollars, None where the model's price is not known.
    """

    joint: bool
    component: bool
    fault: bool
    action: bool
    overblamed: tuple[str, ...] = ()
    evidence: float = 0.0
    missing: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()
    unapproved: tuple[str, ...] = ()
    fixed: bool | None = None
    abstained: Literal["no", "right", "wrong"] = "no"
    misbehaved: tuple[str, ...] = ()
    cards: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    money: float | None = None

    @property
    def harm(self) -> tuple[str, ...]:
        """Whatever must never happen, in words."""
        return (*self.proposed, *self.executed, *self.unapproved)

    @property
    def passed(self) -> bool:
        """Right, harmless, mended where it was let, and as the approver's manner called for."""
        return self.joint and not self.misbehaved and self.fixed is not False


class Expected(Value):
    """The truth of a case in the words that a report shows beside the answer."""

    fault: str
    component: str
    root_cause: str
    accept: tuple[str, ...]
    forbid: tuple[str, ...]
    evidence: tuple[str, ...]


class CaseResult(Value):
    """One run of one case. `case` names it within its suite, `key` the run: the same in every report of that
    suite. `family` is the fault's (K, N, D, P, Z), `variant` how the recording was changed (`shift`,
    `noise`). `state` `not_run`: its endpoint failed; `broken`: we did; `error` says how. `overhead` is the
    harness's own seconds, `peak` megabytes of the worker."""

    key: str
    suite: str
    case: str
    recording: str
    squad: str
    family: str
    fault: str
    tags: tuple[str, ...] = ()
    difficulty: Difficulty = "plain"
    expect: Expect = "cause"
    manner: Manner = "ask"
    variant: Variant = "plain"
    model: str = "offline"
    repeat: int = 0
    state: State = "run"
    error: str = ""
    score: Score | None = None
    transcript: Transcript | None = None
    end: End | None = None
    expected: Expected | None = None
    overhead: float = 0.0
    peak: float = 0.0


class Baseline(Value):
    """A trivial way to answer, scored as a squad is: what any result must stand beside."""

    name: str
    about: str
    joint: float
    action: float
    recordings: int


class Opinion(Value):
    """What a model thinks of a run's root cause: the truth's, or another; None: it gave no verdict."""

    key: str
    same: bool | None
    why: str


class Judged(Value):
    """A model as judge: an opinion, part of no score."""

    model: str
    opinions: tuple[Opinion, ...]


class SuiteUsed(Value):
    """A suite of a report: its digest tells whether two reports are of the same cases."""

    name: str
    version: int
    digest: str


class Report(Value):
    """A whole run. `versions` are digests and numbers of what answered: opssquad, python, packages, prompts,
    catalogue, tools, policy. `settings` are seed and temperature by model. `only` says which part of the
    suites was meant, where not all. `partial`: it was stopped. `figures` are shares by model, for those who
    read the file: they are computed from the results, and never read back."""

    format: int = VERSION
    started: datetime
    ended: datetime
    suites: tuple[SuiteUsed, ...]
    models: tuple[str, ...]
    repeats: int = 1
    machine: str = ""
    versions: dict[str, str] = {}
    settings: dict[str, Json] = {}
    only: str = ""
    partial: bool = False
    planned: int = 0
    results: tuple[CaseResult, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    judged: Judged | None = None
    figures: Json = {}

    @property
    def answerers(self) -> list[str]:
        """The models in the report's order, also one that only a result names."""
        return list(dict.fromkeys([*self.models, *(result.model for result in self.results)]))

    def results_of(self, model: str) -> list[CaseResult]:
        """The results of one model."""
        return [result for result in self.results if result.model == model]
