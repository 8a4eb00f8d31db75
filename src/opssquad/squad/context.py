"""What a run of the graph is given: models, tools, gate, store, clock. Nothing of it is ever checkpointed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

from opssquad.errors import StoreError
from opssquad.events import Event, Occurred, Returned, Started, Suspected, Thought, once
from opssquad.findings import ToolResult
from opssquad.gate.injection import Lookout
from opssquad.gate.redact import Redactor
from opssquad.models.base import Case, Model
from opssquad.settings import APPROVAL_MINUTES
from opssquad.squad.crew import Crew, Member
from opssquad.squad.spec import SquadSpec
from opssquad.store.base import ApprovalRecord, ApprovalStatus, AuditDraft
from opssquad.toolbox import Handles, Tool, Toolbox
from opssquad.types import (
    Approval,
    Cleared,
    Decision,
    Effect,
    Grant,
    Restraint,
    Target,
    ToolCall,
    Verdict,
)


class Records(Protocol):
    """The part of the store that a run writes to."""

    async def append(self, *events: Event, audit: Sequence[AuditDraft] = ()) -> None: ...
    async def add_approval(self, approval: Approval) -> Approval: ...
    async def approval(self, id: str) -> Approval: ...
    async def approval_record(self, id: str) -> ApprovalRecord: ...
    async def approvals(
        self, status: ApprovalStatus | None = None, thread: str = ""
    ) -> list[ApprovalRecord]: ...
    async def decision(self, approval_id: str) -> Decision | None: ...
    async def decide(self, decision: Decision) -> Decision: ...
    async def claim(
        self, call_id: str, digest: str, *events: Event, audit: Sequence[AuditDraft] = ()
    ) -> bool: ...
    async def done(self, call_id: str, result: ToolResult) -> None: ...
    async def outcome(self, call_id: str) -> ToolResult | str: ...
    async def keep(self, result: ToolResult) -> None: ...
    async def output(self, call_id: str) -> ToolResult: ...


class Runs(Protocol):
    """An executor: the only thing that runs a tool, and only a cleared call."""

    async def run(self, cleared: Cleared) -> ToolResult: ...


Judge = Callable[[ToolCall, Effect | None], Awaitable[Verdict]]
"""Policy's word on a call; raises StoreError where a change of policy cannot be put on record."""
Roles = Callable[[str], tuple[str, ...]]
"""The roles that policy gives a person."""
Rank = Callable[[Case], Case]
"""Fills a case's differential from its signals."""
Runbooks = Callable[[str], tuple[str, ...]]
"""The ids of the runbooks that are for a fault."""
Sign = Callable[[ToolCall, Decision, datetime], Grant]


async def _anywhere(tool: Tool) -> str:
    return ""


def _no_runbooks(fault: str) -> tuple[str, ...]:
    return ()


CURRENT_CALL: ContextVar[str] = ContextVar("current_call", default="")
"""The call that is being carried out, so that its progress can be told apart."""


@dataclass
class Context:
    """Everything a node may use. `clock` is the world's; `wall` the real one, for approvals and
    records. `identity` is asked for what tells the system that a tool acts upon from all others, as it is
    now; it raises ToolError. `fallback` answers where the model fails; None where its failure must
    be seen. `told` is what was put on record of the thread, as `once` tells events apart. `squad` is the one
    that was asked; `members` are it and those that may take over from it, by name."""

    thread: str
    squad: SquadSpec
    members: Mapping[str, Member]
    ledger_page: str
    model: Model
    fallback: Model | None
    toolbox: Toolbox
    handles: Handles
    target: Target
    by: str
    judge: Judge
    roles: Roles
    rank: Rank
    sign: Sign
    executor: Runs
    records: Records
    redact: Redactor
    lookout: Lookout
    audit: Callable[[Event], AuditDraft | None]
    publish: Callable[[Event], None]
    clock: Callable[[], datetime]
    wall: Callable[[], datetime]
    approval_minutes: float = APPROVAL_MINUTES
    identity: Callable[[Tool], Awaitable[str]] = _anywhere
    runbooks: Runbooks = _no_runbooks
    restraint: Restraint = "none"
    crew: Crew = Crew()
    turn: int = 0
    model_down: bool = False
    told: set[tuple[object, ...]] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    tokens: int = 0
    suspected: set[str] = field(default_factory=set)
    """Keys of the suspicious texts that were told in this thread."""

    def member(self, name: str) -> Member:
        """The squad of that name as it works here; the one that was asked where there is no such."""
        return self.members.get(name) or self.members[self.squad.name]

    @property
    def speaking(self) -> Model:
        """Who answers now: the model, or what took over from it."""
        return self.fallback if self.model_down and self.fallback else self.model

    def recall(self, past: Sequence[Event]) -> None:
        """Take up what is on record of the thread: it is not told a second time, and what its last question
        has used up stays used up."""
        self.told |= {mark for event in past if (mark := once(event))}
        self.suspected |= {event.suspicion.key for event in past if isinstance(event, Suspected)}
        question = [event for event in past if event.turn == past[-1].turn]
        thoughts = [event for event in question if isinstance(event, Thought)]
        self.tokens = sum(event.usage.prompt + event.usage.completion for event in thoughts)
        self.seconds = {"model": sum(event.ms for event in thoughts) / 1000, "tools": _seconds(question)}

    def event(self, kind: type[Occurred], **fields: Any) -> Event:
        """An event of now, in this thread and turn."""
        made = kind(thread=self.thread, turn=self.turn, at=self.clock(), recorded_at=self.wall(), **fields)
        return cast(Event, made)

    async def emit(self, kind: type[Occurred], **fields: Any) -> None:
        """Make an event of now; on record first, then on screen."""
        await self.tell(self.event(kind, **fields))

    async def tell(self, *events: Event) -> None:
        """Put events and their audit lines on record together, then events on screen. What follows upon an
        event that cannot be put on record does not happen: this raises StoreError. What a step tells again
        that died and runs anew is shown, and is on record once."""
        new = [event for event in events if once(event) not in self.told]
        marks = {mark for event in new if (mark := once(event))}
        # Before the write: who is cancelled amid it has it on record all the same.
        self.told |= marks
        try:
            await self.records.append(*new, audit=self._lines(new))
        except StoreError:
            self.told -= marks
            raise
        for event in events:
            self.publish(event)

    async def claim(self, call: ToolCall) -> bool:
        """Take the right to carry a call out, with its start on record in the same transaction; False if it
        was taken before. Raises Refused, StoreError."""
        started = self.event(Started, call=call)
        if not await self.records.claim(call.id, call.digest, started, audit=self._lines([started])):
            return False
        self.told.add(once(started))
        self.publish(started)
        return True

    def _lines(self, events: Sequence[Event]) -> list[AuditDraft]:
        return [draft for event in events if (draft := self.audit(event))]


def _seconds(events: Sequence[Event]) -> float:
    """How long calls ran; those that ran side by side count once."""
    spent, until = timedelta(), datetime.min.replace(tzinfo=UTC)
    for event in events:
        if isinstance(event, Returned):
            began = max(event.recorded_at - timedelta(milliseconds=event.result.ms), until)
            until = max(event.recorded_at, until)
            spent += until - began
    return spent.total_seconds()
