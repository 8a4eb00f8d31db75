"""What a run is asked to be: its squad, world, model and manners."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from opssquad.models.base import Model
from opssquad.settings import APPROVAL_MINUTES
from opssquad.squad.runbooks.walker import Run
from opssquad.times import Clock, wall_clock
from opssquad.toolbox import Handles, Tool
from opssquad.types import Json, Mode, Restraint

Approve = Literal["ask", "never", "all"]


@dataclass(frozen=True)
class RecordedPart:
    """The parts of a recording that nothing serves, its database and its network, where somebody else serves
    the rest: the recording's folder, where acts are noted, and the real moment at which its clock was at its
    start."""

    folder: Path
    journal: Path
    began: datetime


@dataclass(frozen=True)
class Beside:
    """What a run gets besides what is found: tools that the squad has too, in place of those of the same
    name; handles by type; who answers; the clock that a recording's runs by. For tests of one's own tools."""

    tools: tuple[Tool, ...] = ()
    handles: Handles = field(default_factory=dict)
    model: Model | None = None
    real: Clock = wall_clock


@dataclass(frozen=True)
class Options:
    """A recording, or a live cluster (`context` empty: the current one), or a live database: `dsn` is its
    connection string, or `secret:NAMESPACE/NAME[/KEY]` of the cluster; in evals `part` stands for it and for
    the network. `approve`: `ask` waits for
    a human, `never` refuses every card, `all` approves every card and is for recordings only. `speed` is how
    fast a recording's clock runs against the real one, `approval_minutes` how long a card waits.
    `redaction` is the organisation's file of what is a secret besides, `policy` the organisation's policy;
    where there is none, one that appears at `policy_place` counts from then on. `faults` and `runbooks` are
    its folders of such besides those of the squads. With `run` the first turn is that runbook's.
    `restraint` is what it may do at most; a thread that is taken up again keeps the stricter of its own and
    this one. With `fallback` the offline model goes on where the model fails; without, its ModelError is
    raised. `sampling` goes with every request to an endpoint: temperature, seed. On `tape` is kept what a
    model there is asked and answers; with `replay` it is played from there, without the endpoint. With
    `remember`, what looks show of workloads is kept, and looked up later."""

    state: Path
    by: str
    squad: str = "k8s"
    recording: Path | None = None
    kubeconfig: Path | None = None
    context: str = ""
    namespace: str = ""
    dsn: SecretStr | None = None
    part: RecordedPart | None = None
    model: str = "offline"
    mode: Mode = "chat"
    approve: Approve = "ask"
    speed: float = 1.0
    approval_minutes: float = APPROVAL_MINUTES
    redaction: Path | None = None
    policy: Path | None = None
    policy_place: Path | None = None
    faults: Path | None = None
    runbooks: Path | None = None
    run: Run | None = None
    restraint: Restraint = "none"
    fallback: bool = True
    sampling: Json = field(default_factory=dict)
    tape: Path | None = None
    replay: bool = False
    remember: bool = True
    beside: Beside = Beside()
