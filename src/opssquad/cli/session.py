"""What the commands need of a conversation, and how one is opened. The investigation stands behind it; tests
replay recorded events through the same protocol.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from opssquad.events import Event
from opssquad.findings import Evidence
from opssquad.store.base import ApprovalRecord
from opssquad.types import Approval, Decision, Json, Restraint, Ruling, Target

Approve = Literal["ask", "never", "all"]


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for: the world, the squad and model, an earlier thread to go on with."""

    squad: str = ""
    recording: str = ""
    kubeconfig: Path | None = None
    context: str = ""
    namespace: str = ""
    dsn: str = field(default="", repr=False)
    model: str = ""
    resume: str = ""
    read_only: bool = False
    suggest_only: bool = False


class Session(Protocol):
    """A conversation that is open in this process."""

    thread: str
    squad: str

    @property
    def model(self) -> str: ...
    @property
    def masked(self) -> str: ...
    @property
    def target(self) -> Target: ...
    @property
    def restraint(self) -> Restraint: ...
    def use_model(self, name: str) -> None: ...
    def ask(self, text: str) -> AsyncIterator[Event]: ...
    def call(self, tool: str, args: Json) -> AsyncIterator[Event]: ...
    def resume(self) -> AsyncIterator[Event]: ...
    def undo(self) -> AsyncIterator[Event]: ...
    async def reload(self) -> tuple[str, ...]: ...
    async def decide(
        self, approval_id: str, outcome: Ruling, by: str, reason: str = "", *, session: bool = False
    ) -> Decision: ...
    async def record(self, approval_id: str) -> ApprovalRecord: ...
    async def pending(self) -> list[Approval]: ...
    async def evidence(self, id: str) -> tuple[Evidence, str]: ...
    async def timeline(self) -> str: ...
