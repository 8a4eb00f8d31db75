"""The timeline of an incident as a fold over its events: what an incident commander would have written down.

Pure: the same events give the same entries, whatever process reads them. A change stands at the time it
happened, a symptom at the time it was seen: its text speaks of the moment of looking.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from opssquad.events import (
    Asked,
    Concluded,
    Decided,
    Event,
    HandedOver,
    Judged,
    Requested,
    Returned,
    Started,
    Stopped,
    Suspected,
    Verified,
    Warned,
)
from opssquad.findings import Cause, Signal
from opssquad.incident.entry import Kind, TimelineEntry, render, summarise
from opssquad.types import Approval, Ref

__all__ = ["TimelineEntry", "fold", "render"]

CHANGES = (".changed", ".recent", ".recovered")
"""Endings of signal ids that tell what happened, at a time of their own, however harmless it looks."""

CHECKED = {"better": "it helped", "same": "no change", "worse": "it got worse", "unknown": "nobody can tell"}
ENDED = {"ok": "Done", "error": "Failed", "unknown": "Begun, end unknown", "refused": "Not done"}


def fold(events: Iterable[Event]) -> list[TimelineEntry]:
    """The entries in the order things occurred; of one minute in the order they were recorded."""
    scribe = _Scribe()
    for event in events:
        scribe.read(event)
    return sorted(scribe.entries, key=lambda entry: entry.occurred_at)


class _Scribe:
    """Reads events in order and writes entries; remembers what was already said."""

    def __init__(self) -> None:
        self.entries: list[TimelineEntry] = []
        self._seen: set[tuple[object, ...]] = set()
        self._commands: dict[str, str] = {}
        self._begun: dict[str, int] = {}

    def read(self, event: Event) -> None:
        match event:
            case Asked():
                said = f"{event.by} asked: {event.text}"
                self._write(event, "note", said, source="human", actor=event.by)
            case Judged(verdict=verdict) if verdict.outcome == "refuse":
                text = f"Policy refused {event.call.tool}: {verdict.reason or verdict.rule}"
                self._write(event, "decision", text, source="tool", actor=verdict.rule)
            case Requested(approval=card):
                self._requested(event, card)
            case Decided():
                self._decided(event)
            case Started() | Returned() if event.call.id in self._commands:
                self._act(event)
            case Returned(result=result):
                self._found(event, result.signals, actor=event.call.tool)
            case Suspected(suspicion=found):
                said = str(found)
                text, key, where = said[0].upper() + said[1:], ("suspected", found.key), (found.locator,)
                self._once(event, key, "finding", text, actor=event.call.tool, source="tool", evidence=where)
            case Verified(check=check):
                text = f"Verified, {CHECKED[check.outcome]}: {check.text}"
                self._write(event, "verification", text, actor=event.call.tool, source="tool", pinned=True)
            case Concluded():
                self._concluded(event)
            case _:
                self._trouble(event)

    def _requested(self, event: Event, card: Approval) -> None:
        if card.effect != "read":
            self._commands[card.call.id] = card.preview.command
        what = "Suggested, not done" if card.suggestion else "Approval requested"
        text = f"{what} ({card.preview.risk} risk): {card.preview.command}"
        kind: Kind = "note" if card.suggestion else "approval_requested"
        self._once(event, ("requested", card.id), kind, text, evidence=card.evidence)

    def _trouble(self, event: Event) -> None:
        if isinstance(event, Warned):
            self._write(event, "note", event.text)
        elif isinstance(event, HandedOver):
            ids = tuple(e.id for e in event.evidence)
            text = f"Squad {event.squad} handed over to squad {event.to}: {event.why}"
            self._once(event, ("handed over", event.turn, event.to), "note", text, evidence=ids)
        elif isinstance(event, Stopped) and event.status == "failed":
            self._write(event, "note", f"The investigation failed: {event.reason}")

    def _decided(self, event: Decided) -> None:
        card, decision = event.approval, event.decision
        command, why = card.preview.command, f" ({decision.reason})" if decision.reason else ""
        text = {
            "approved": f"{decision.by} approved: {command}",
            "refused": f"{decision.by} refused{why}: {command}",
            "expired": f"The approval expired{why}: {command}",
            "voided": f"The approval is void{why}: {command}",
        }[decision.outcome]
        human = decision.outcome in ("approved", "refused")
        self._once(
            event,
            ("decided", card.id, decision.outcome),
            "approval_decided",
            text,
            source="human" if human else "squad",
            actor=decision.by,
            pinned=True,
        )

    def _act(self, event: Started | Returned) -> None:
        """A mutation is one entry, at the time it began, with how it ended."""
        call, command = event.call, self._commands[event.call.id]
        if isinstance(event, Started):
            self._begun[call.id] = len(self.entries)
            text = f"Begun, its end is not on record: {command}"
            self._write(event, "action", text, source="tool", actor=call.tool, pinned=True)
            return
        index = self._begun.get(call.id)
        if index is None:
            return
        result = event.result
        why = "" if result.status == "ok" else f" ({' '.join(result.text.split())})"
        text = f"{ENDED[result.status]}{why}: {command}"
        self.entries[index] = self.entries[index].model_copy(
            update={
                "summary": summarise(text),
                "ended_at": event.at,
                "details": {"text": text, "command": command, "result": result.text},
            }
        )

    def _found(self, event: Event, signals: Sequence[Signal], *, actor: str) -> None:
        """What a look at the world brought up and was not known yet, the same of one owner together."""
        groups: dict[tuple[str, Ref, datetime | None], list[Signal]] = {}
        for signal in signals:
            if signal.severity != "info" or signal.id.endswith(CHANGES):
                moment = signal.at if signal.id.endswith(CHANGES) else None
                groups.setdefault((signal.id, signal.owner, moment), []).append(signal)
        for key, group in groups.items():
            first, moment = group[0], key[2]
            others = len({s.entity for s in group}) - 1
            text = first.text + (f" (and {others} more)" if others else "")
            self._once(
                event,
                key,
                "imported" if moment else "finding",
                text,
                source="tool",
                actor=actor,
                occurred_at=moment or event.at,
                ended_at=first.until,
                evidence=tuple(dict.fromkeys(q.locator for s in group for q in s.quotes)),
            )

    def _concluded(self, event: Concluded) -> None:
        held = event.conclusion
        for cause in held.causes:
            what = "Found" if held.no_fault else "Cause"
            text = f"{what} ({cause.confidence}): {cause.root_cause}"
            kind: Kind = "hypothesis" if cause.confidence == "possible" else "finding"
            self._write(event, kind, text, pinned=True, evidence=tuple(_cited(cause)))
        if not held.causes:
            missing = f"; missing: {', '.join(held.missing)}" if held.missing else ""
            text = "No fault found" if held.no_fault else f"No cause established{missing}"
            self._write(event, "finding", f"{text}. {held.summary}".rstrip(" ."), pinned=held.no_fault)

    def _once(self, event: Event, key: tuple[object, ...], kind: Kind, text: str, **fields: Any) -> None:
        """Write what was not written before: a step that ran again after a crash tells it twice."""
        if key not in self._seen:
            self._seen.add(key)
            self._write(event, kind, text, **fields)

    def _write(self, event: Event, kind: Kind, text: str, **fields: Any) -> None:
        text = " ".join(text.split())
        values: dict[str, Any] = {
            "id": f"{event.thread}-{len(self.entries) + 1}",
            "incident_id": event.thread,
            "occurred_at": event.at,
            "recorded_at": event.recorded_at,
            "source": "squad",
            "actor": "squad",
            "details": {"text": text},
        }
        self.entries.append(TimelineEntry(**{**values, **fields}, kind=kind, summary=summarise(text)))


def _cited(cause: Cause) -> Iterator[str]:
    for finding in cause.findings:
        yield from (evidence.id for evidence in finding.evidence)
