"""A session that replays recorded events: the same protocol as an investigation, no graph, no cluster."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from opssquad.errors import UsageError
from opssquad.events import EVENT, Asked, Decided, Event, Requested, Stopped
from opssquad.findings import Evidence
from opssquad.store.base import ApprovalRecord
from opssquad.types import Approval, Decision, Restraint, Target

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 24, 9, 0, 30, tzinfo=UTC)


def recorded(name: str) -> list[Event]:
    """The events of a recorded conversation."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [EVENT.validate_json(line) for line in text.splitlines()]


class Replay:
    """Each utterance plays the next recorded turn, whatever it says; a card stops it until it is decided."""

    def __init__(self, events: list[Event], *, pause: float = 0.0, cards: Sequence[Approval] = ()) -> None:
        self.thread, self.squad, self.model = "t-7k2m", "k8s", "offline"
        self.masked = ""
        self.target = Target(cluster="production", namespace="authentication")
        self.said: list[str] = []
        self.decided: list[tuple[str, str, str]] = []
        self.undone = 0
        self.restraint: Restraint = "none"
        self.answers: dict[str, Decision] = {}
        self.cards = list(cards)
        self._events, self._pause = events, pause
        self._at = 0

    def use_model(self, name: str) -> None:
        self.model = name

    def ask(self, text: str) -> AsyncIterator[Event]:
        self.said.append(text)
        return self._play()

    def resume(self) -> AsyncIterator[Event]:
        return self._play()

    def undo(self) -> AsyncIterator[Event]:
        self.undone += 1
        return self._play()

    async def _play(self) -> AsyncIterator[Event]:
        while self._at < len(self._events):
            event = self._events[self._at]
            self._at += 1
            if self._pause:
                await asyncio.sleep(self._pause)
            if isinstance(event, Requested):
                self.cards.append(event.approval)
            if isinstance(event, Decided) and self.decided[-1][1] == "refused":
                refused = {"outcome": "refused", "reason": self.decided[-1][2]}
                event = event.model_copy(update={"decision": event.decision.model_copy(update=refused)})
            yield event
            if isinstance(event, Stopped):
                return

    async def decide(
        self,
        approval_id: str,
        outcome: Literal["approved", "refused"],
        by: str,
        reason: str = "",
        *,
        session: bool = False,
    ) -> Decision:
        self.decided.append((approval_id, outcome, reason))
        card = next(c for c in self.cards if c.id == approval_id)
        self.cards.remove(card)
        decision = Decision(
            approval=approval_id,
            call_digest=card.call.digest,
            outcome=outcome,
            by=by,
            at=NOW,
            reason=reason,
            session=session,
        )
        self.answers[card.id] = decision
        return decision

    async def record(self, approval_id: str) -> ApprovalRecord:
        known = [e.approval for e in self._events if isinstance(e, Requested)] + self.cards
        card = next(c for c in known if c.id == approval_id)
        answer = self.answers.get(approval_id)
        return ApprovalRecord(approval=card, decisions=(answer,) if answer else ())

    async def pending(self) -> list[Approval]:
        return list(self.cards)

    async def evidence(self, id: str) -> tuple[Evidence, str]:
        if id != "e2":
            raise UsageError(f"no evidence {id!r}; the latest are: e2")
        found = Evidence(
            id="e2",
            call="t-7k2m-2.1",
            locator="log authentication/auth-service-cff498559-nqd7q/auth-service previous",
            text="14:33:07 ERROR Database connection timeout after 5000ms",
        )
        return found, f"14:33:02 INFO starting\n{found.text}\n14:33:07 FATAL exiting\n"

    async def timeline(self) -> str:
        asked = [e for e in self._events[: self._at] if isinstance(e, Asked)]
        return "Times in UTC\n" + "\n".join(f"{e.at:%H:%M} - {e.text}" for e in asked)
