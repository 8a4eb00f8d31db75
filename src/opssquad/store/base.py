"""What a store keeps and promises: its records as values, and the protocol that every store stands behind.

No SQL here; `sqlite` is the embedded store.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from pydantic import Field

from opssquad.events import Event
from opssquad.findings import ToolResult
from opssquad.observations import Observation, Stretch
from opssquad.store.stretches import Seen
from opssquad.types import Approval, Decision, Effect, Json, Mode, Restraint, Target, Value

ApprovalStatus = Literal["pending", "approved", "refused", "expired", "voided", "suggested"]
AuditKind = Literal[
    "call",
    "verdict",
    "check",
    "suspicion",
    "decision",
    "handover",
    "connection",
    "configuration",
    "policy",
    "checkpoint",
]
"""A call's start and end, what policy said of it, how it was found to have helped; text in what it
brought in that reads like an instruction; a decision on a card; a question that went to another squad; a
cluster or model endpoint that was opened; settings or squads, and policies, that are not what they were; a
checkpoint of the log itself."""


class ThreadRecord(Value):
    """A conversation that can be taken up again: which squad, model and world it runs against.

    `recording` is a folder, else the cluster is `context` of `kubeconfig` (empty: the usual one), the
    database that of `dsn`, which has no password.
    `started_at` is real time, `world_started_at` the world's clock at that moment. `restraint` is the
    strictest that it was ever opened with.
    """

    id: str
    squad: str
    model: str
    recording: str = ""
    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    dsn: str = ""
    cluster: str = ""
    mode: Mode = "chat"
    restraint: Restraint = "none"
    by: str = ""
    title: str = ""
    started_at: datetime
    world_started_at: datetime


class ApprovalRecord(Value):
    """A card and what became of it. A yes may later be voided or expire: then both decisions are here.
    `consents` are the yeses of those whose yes is needed, where one alone is not enough."""

    approval: Approval
    decisions: tuple[Decision, ...] = ()
    consents: tuple[Decision, ...] = ()

    @property
    def yeses(self) -> tuple[Decision, ...]:
        """What was said in favour, one decision a person."""
        return self.consents or tuple(each for each in self.decisions if each.outcome == "approved")

    @property
    def decision(self) -> Decision | None:
        """The decision that holds, or None while the card waits."""
        return self.decisions[-1] if self.decisions else None

    def status(self, now: datetime) -> ApprovalStatus:
        """`pending` until decided; `expired` as soon as its time is over, decided or not; `suggested` where
        there is nothing to decide."""
        if self.decision:
            assert self.decision.outcome != "consented", "a consent alone decides nothing"
            return self.decision.outcome
        if self.approval.suggestion:
            return "suggested"
        return "expired" if now >= self.approval.expires_at else "pending"


class AuditApproval(Value):
    """The approval behind an audited call."""

    id: str
    decision: str
    by: str
    at: datetime


class AuditDraft(Value):
    """One line of the audit log before it is chained. `output_ref` is the call's id, under which the whole
    output is kept; `output_sha256` is of that output; `ms` is the call's duration in milliseconds."""

    kind: AuditKind = "call"
    ts: datetime
    thread: str = ""
    incident: str = ""
    requested_by: str
    agent: str = ""
    why: str = ""
    target: Target
    tool: str
    args: Json = Field(default_factory=dict)
    effect: Effect | None = None
    policy_rule: str = ""
    approval: AuditApproval | None = None
    status: str
    ms: int = 0
    output_ref: str = ""
    output_sha256: str = ""
    truncated: bool = False
    redactions: int = 0
    followed_by: str = ""
    prompt_hash: str = ""
    model: str = ""


class AuditRecord(AuditDraft):
    """A line of the audit log: `hash` covers everything else, `prev_hash` is the hash of the line before."""

    seq: int
    prev_hash: str
    hash: str


class AuditFilter(Value):
    """Which lines of the audit log are meant; empty is any. `actor` asked for it, was the squad, or decided;
    `since` is included, `until` is not; `last` keeps that many from the end, 0 keeps all."""

    thread: str = ""
    incident: str = ""
    actor: str = ""
    kind: AuditKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    last: int = 0

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out but by `last`."""
        return self != AuditFilter(last=self.last)

    def takes(self, record: AuditDraft) -> bool:
        """Whether the line is one of those that are meant."""
        actors = {record.requested_by, record.agent, record.approval.by if record.approval else ""}
        return (
            self.thread in ("", record.thread)
            and self.incident in ("", record.incident)
            and (not self.actor or self.actor in actors)
            and self.kind in (None, record.kind)
            and (self.since is None or record.ts >= self.since)
            and (self.until is None or record.ts < self.until)
        )


class Misfit(Value):
    """The first line of the audit log that does not fit the chain, and why."""

    seq: int
    why: str

    def __str__(self) -> str:
        return f"record {self.seq}: {self.why}"


class Storage(Protocol):
    """What every store promises. All methods raise StoreError when the state cannot be read or written."""

    async def create_thread(self, thread: ThreadRecord) -> None: ...
    async def update_thread(self, thread: ThreadRecord) -> None: ...
    async def thread(self, id: str) -> ThreadRecord: ...
    async def threads(self) -> list[ThreadRecord]: ...

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
    async def outcome(self, call_id: str) -> ToolResult | Literal["new", "claimed"]: ...

    async def keep(self, result: ToolResult) -> None: ...
    async def output(self, call_id: str) -> ToolResult: ...

    async def append(self, *events: Event, audit: Sequence[AuditDraft] = ()) -> None: ...
    async def events(self, thread: str) -> list[Event]: ...

    async def note(self, cluster: str, name: str, seen: Sequence[Observation]) -> Sequence[Observation]: ...
    async def stretches(self, cluster: str, workload: str) -> Sequence[Stretch]: ...
    async def all_stretches(self) -> Sequence[Seen]: ...
    async def forget_stretches(self, before: datetime) -> int: ...

    async def audit(self, draft: AuditDraft) -> AuditRecord: ...
    async def audit_change(self, draft: AuditDraft) -> AuditRecord | None: ...
    async def audit_records(
        self, thread: str = "", last: int = 0, wanted: AuditFilter | None = None
    ) -> Sequence[AuditRecord]: ...
    async def audit_lines(self, wanted: AuditFilter) -> Sequence[tuple[AuditRecord, str]]: ...
    async def audit_head(self) -> AuditRecord | None: ...
    async def verify_audit(
        self, anchors: Mapping[int, str] | None = None, *, quick: bool = False
    ) -> Misfit | None: ...
