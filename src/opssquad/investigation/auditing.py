"""What the audit log holds of a run: a line for the start of an act, and for each result.

Decisions are audited by the store, in the transaction that records them.
"""

from opssquad.events import Decided, Event, Returned, Started
from opssquad.store.base import AuditApproval, AuditDraft, Storage
from opssquad.toolbox import Toolbox
from opssquad.types import Effect, ToolCall, digest


class Auditor:
    """Writes the audit line of an event; what touches the world is on record before it happens."""

    def __init__(
        self, store: Storage, toolbox: Toolbox, *, by: str, squad: str, model: str, prompt: str
    ) -> None:
        self._store, self._toolbox = store, toolbox
        self._by, self._squad, self._model, self._prompt = by, squad, model, digest(prompt)
        self._decided: dict[str, AuditApproval] = {}
        self._why: dict[str, str] = {}

    async def __call__(self, event: Event) -> None:
        if draft := self._draft(event):
            await self._store.audit(draft)

    def _draft(self, event: Event) -> AuditDraft | None:
        match event:
            case Decided(decision=d, approval=a):
                self._decided[a.call.id] = AuditApproval(id=a.id, decision=d.outcome, by=d.by, at=d.at)
                self._why[a.call.id] = a.why
            case Started(call=call) if self._effect(call) == "mutate":
                return self._line(event, call, status="started")
            case Returned(call=call, result=result):
                return self._line(event, call, status=result.status).model_copy(
                    update={
                        "ms": result.ms,
                        "output_ref": result.call,
                        "output_sha256": digest(result.model_dump(mode="json")),
                        "truncated": result.cut,
                        "redactions": result.redactions,
                    }
                )
        return None

    def _line(self, event: Event, call: ToolCall, *, status: str) -> AuditDraft:
        return AuditDraft(
            ts=event.recorded_at,
            thread=event.thread,
            incident=event.thread,
            requested_by=self._by,
            agent=self._squad,
            why=self._why.get(call.id, ""),
            target=call.target,
            tool=call.tool,
            args=call.args,
            effect=self._effect(call),
            approval=self._decided.get(call.id),
            status=status,
            prompt_hash=self._prompt,
            model=self._model,
        )

    def _effect(self, call: ToolCall) -> Effect | None:
        return self._toolbox.get(call.tool).effect if call.tool in self._toolbox else None
