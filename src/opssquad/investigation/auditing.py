"""What the audit log holds of a run: policy's word on each call, the start of an act, results and checks.

Only the lines are made here; the run writes them in the transaction of their events, before it goes on, so
that what cannot be put on record does not happen. Decisions are audited by the store, in the transaction that
records them.
"""

from collections.abc import Iterable

from opssquad.events import (
    Asked,
    Decided,
    Event,
    HandedOver,
    Judged,
    Requested,
    Returned,
    Started,
    Suspected,
    Thought,
    Verified,
)
from opssquad.executor import Redactor
from opssquad.findings import ToolResult
from opssquad.models.base import HAND_OVER
from opssquad.squad.ledger import check_of
from opssquad.store.base import AuditApproval, AuditDraft
from opssquad.toolbox import Toolbox
from opssquad.types import Effect, Json, Target, ToolCall, Value, digest

WHY = 500
"""Characters of a reason that are kept on a line."""


class Asking(Value):
    """What is known of a call beside itself: which model wanted it and why, and what was said of it."""

    why: str = ""
    model: str = ""
    rule: str = ""
    approval: AuditApproval | None = None


class Auditor:
    """Makes the audit line of an event, from what the events before it told; `past` are those that earlier
    processes of the thread put on record."""

    def __init__(
        self,
        toolbox: Toolbox,
        redact: Redactor,
        *,
        by: str,
        squad: str,
        prompt: str,
        past: Iterable[Event] = (),
    ) -> None:
        self._toolbox, self._redact = toolbox, redact
        self._by, self._squad, self._prompt = by, squad, digest(prompt)
        self._agent = squad
        self._now = Asking()
        self._calls: dict[str, Asking] = {}
        for event in past:
            self(event)

    def __call__(self, event: Event) -> AuditDraft | None:
        """The line about this event, or None for one that has none."""
        working = self._agent
        self._note(event)
        match event:
            case HandedOver():
                return self._handed(event, working)
            case Judged(call=call, verdict=verdict):
                self._calls[call.id] = self._now.model_copy(update={"rule": verdict.rule})
                changes: Json = {"kind": "verdict", "why": verdict.reason}
                return self._line(event, call, verdict.outcome, changes)
            case Requested(approval=card) if card.suggestion:
                return self._line(event, card.call, "suggested", {"kind": "decision", "why": card.why})
            case Decided(decision=d, approval=card):
                said = AuditApproval(id=card.id, decision=d.outcome, by=d.by, at=d.at)
                known = self._calls.get(card.call.id, Asking())
                update = {"approval": said, "why": card.why, "rule": card.rule}
                self._calls[card.call.id] = known.model_copy(update=update)
            case Started(call=call) if self._effect(call) == "mutate":
                return self._line(event, call, "started", {"output_ref": call.id})
            case Returned(call=call, result=result):
                return self._line(event, call, result.status, self._ended(call, result))
            case Suspected(call=call, suspicion=found):
                changes = {"kind": "suspicion", "why": str(found), "output_ref": call.id}
                return self._line(event, call, found.family, changes)
            case Verified(call=call, check=check):
                changes = {"kind": "check", "why": check.text, "output_ref": check_of(call.id)}
                return self._line(event, call, check.outcome, changes)
        return None

    def _note(self, event: Event) -> None:
        """Who works on the question from this event on, with which model, and why."""
        match event:
            case Asked(text=text):
                self._agent, self._now = self._squad, Asking(why=f"asked: {text}")
            case Thought(model=model, text=text):
                self._now = Asking(why=text or self._now.why, model=model)
            case HandedOver(to=to):
                self._agent = to

    def _handed(self, event: HandedOver, squad: str) -> AuditDraft:
        return AuditDraft(
            kind="handover",
            ts=event.recorded_at,
            thread=event.thread,
            incident=event.thread,
            requested_by=self._by,
            agent=squad,
            why=self._redact.read(event.why).text[:WHY],
            target=Target(cluster=""),
            tool=HAND_OVER,
            args={"to": event.to, "evidence": [each.id for each in event.evidence]},
            status=f"to {event.to}",
            prompt_hash=self._prompt,
            model=self._now.model,
        )

    def _ended(self, call: ToolCall, result: ToolResult) -> Json:
        checked = self._effect(call) == "mutate" and result.status in {"ok", "unknown"}
        return {
            "ms": result.ms,
            "output_ref": result.call,
            "output_sha256": digest(result.model_dump(mode="json")),
            "truncated": result.cut,
            "redactions": result.redactions,
            "followed_by": check_of(call.id) if checked else "",
        }

    def _line(self, event: Event, call: ToolCall, status: str, changes: Json) -> AuditDraft:
        known = self._calls.get(call.id, Asking())
        # Calls were looked through before they were judged; this log is written for good, so once more.
        args, _ = self._redact.value(call.args)
        why = self._redact.read(changes.pop("why", known.why)).text
        return AuditDraft(
            ts=event.recorded_at,
            thread=event.thread,
            incident=event.thread,
            requested_by=self._by,
            agent=self._agent,
            why=why if len(why) <= WHY else f"{why[:WHY]}…",
            target=call.target,
            tool=call.tool,
            args=args,
            effect=self._effect(call),
            policy_rule=known.rule,
            approval=known.approval,
            status=status,
            prompt_hash=self._prompt,
            model=known.model,
            **changes,
        )

    def _effect(self, call: ToolCall) -> Effect | None:
        return self._toolbox.get(call.tool).effect if call.tool in self._toolbox else None
