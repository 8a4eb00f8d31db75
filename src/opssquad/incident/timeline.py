"""The incident's timeline as a fold over events: what was asked, found, decided, done and verified.

When something happened (`occurred_at`, the world's clock) and when it was written down (`recorded_at`) are
kept apart: a rollout at 13:45 that was found at 14:38 stands at 13:45.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from pydantic import Field

from opssquad.events import (
    Asked,
    Concluded,
    Decided,
    Event,
    Requested,
    Returned,
    Started,
    Stopped,
    Verified,
    Warned,
)
from opssquad.findings import Signal
from opssquad.times import clock_time
from opssquad.types import Json, Value

Kind = Literal[
    "alert",
    "declared",
    "assessment",
    "role",
    "hypothesis",
    "finding",
    "command",
    "approval_requested",
    "approval_decided",
    "action",
    "verification",
    "update_posted",
    "decision",
    "note",
    "todo",
    "status",
    "imported",
]
CHANGES = ("rollout.", "config.changed", "scale.changed", "quota.changed", "service.changed", "node.changed")
"""Signals that are changes of the world: they stand in the timeline at their own time."""
SUMMARY = 140


class TimelineEntry(Value):
    """One line of the timeline. `summary` has at most 140 characters; the whole text is in `details.text`."""

    id: str
    incident_id: str
    occurred_at: datetime
    ended_at: datetime | None = None
    recorded_at: datetime
    kind: Kind
    source: Literal["human", "squad", "tool", "alert", "node"]
    actor: str
    summary: str = Field(max_length=SUMMARY)
    details: Json = Field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    audience: Literal["internal", "restricted", "public"] = "internal"
    pinned: bool = False
    supersedes: str | None = None


def fold(events: Iterable[Event]) -> list[TimelineEntry]:
    """The timeline of a thread's events, by the time things happened. Facts seen twice stand once."""
    scribe = _Scribe()
    entries = [entry for event in events for entry in scribe.entries(event)]
    return sorted(entries, key=lambda e: e.occurred_at)


def render(entries: Iterable[TimelineEntry]) -> str:
    """`HH:MM - text`, a line an entry, the day where it changes, the zone named once."""
    lines, day = ["Timeline (UTC)"], None
    for entry in entries:
        if entry.occurred_at.date() != day:
            day = entry.occurred_at.date()
            lines.append(f"{day:%Y-%m-%d}")
        lines.append(f"{clock_time(entry.occurred_at)} - {entry.details.get('text', entry.summary)}")
    return "\n".join(lines) if day else "Nothing has happened yet."


class _Scribe:
    """Remembers what was written, so that a fact seen by several calls stands once."""

    def __init__(self) -> None:
        self._count = 0
        self._seen: set[tuple[object, ...]] = set()
        self._commands: dict[str, str] = {}
        self._asker = ""

    def entries(self, event: Event) -> Iterator[TimelineEntry]:
        match event:
            case Asked():
                self._asker = event.by
                yield self._entry(event, "note", f"{event.by} asked: {event.text}", actor=event.by)
            case Returned():
                yield from self._found(event)
            case Requested(approval=card):
                self._commands[card.call.id] = card.preview.command
                text = f"Approval asked for: {card.preview.command} ({card.preview.risk} risk)"
                yield self._entry(event, "approval_requested", text)
            case Decided(decision=decision, approval=card):
                because = f" ({decision.reason})" if decision.reason else ""
                text = f"{decision.outcome.capitalize()} by {decision.by}: {card.preview.command}{because}"
                yield self._entry(event, "approval_decided", text, actor=decision.by, pinned=True)
            case Started(call=call) if call.id in self._commands:
                yield self._entry(event, "action", f"Carried out: {self._commands[call.id]}", pinned=True)
            case Verified(check=check):
                text = f"Verified, {check.outcome}: {check.text}"
                yield self._entry(event, "verification", text, pinned=True)
            case Concluded(conclusion=conclusion):
                text = conclusion.summary or "; ".join(conclusion.missing)
                said = "No fault" if conclusion.no_fault else "Cause"
                said = said if conclusion.status == "concluded" else "Inconclusive"
                yield self._entry(event, "assessment", f"{said}: {text}", pinned=True)
            case Warned():
                yield self._entry(event, "note", event.text)
            case Stopped(status="failed", reason=reason):
                yield self._entry(event, "note", f"The run failed: {reason}")

    def _found(self, event: Returned) -> Iterator[TimelineEntry]:
        for signal in event.result.signals:
            key = (signal.id, signal.entity, signal.text)
            change = signal.id.startswith(CHANGES)
            if key in self._seen or not (change or signal.severity == "critical"):
                continue
            self._seen.add(key)
            yield self._signal(event, signal, change)

    def _signal(self, event: Returned, signal: Signal, change: bool) -> TimelineEntry:
        # A change stands where it happened; a symptom where it was seen: its beginning is often unknown.
        at = signal.at if change and signal.at else event.at
        entry = self._entry(event, "imported" if change else "finding", signal.text, source="tool")
        quotes = tuple(q.text for q in signal.quotes)
        return entry.model_copy(
            update={"occurred_at": at, "ended_at": signal.until, "evidence": quotes, "actor": event.call.tool}
        )

    def _entry(
        self,
        event: Event,
        kind: Kind,
        text: str,
        *,
        actor: str = "",
        source: Literal["human", "squad", "tool"] = "squad",
        pinned: bool = False,
    ) -> TimelineEntry:
        self._count += 1
        text = " ".join(text.split())
        return TimelineEntry(
            id=f"{event.thread}-{self._count}",
            incident_id=event.thread,
            occurred_at=event.at,
            recorded_at=event.recorded_at,
            kind=kind,
            source="human" if actor else source,
            actor=actor or "squad",
            summary=text if len(text) <= SUMMARY else f"{text[: SUMMARY - 1]}…",
            details={"text": text},
            pinned=pinned,
        )
