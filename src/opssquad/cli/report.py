"""What `ask --json` prints: one object, folded from the events of one question. Pure; nothing waits here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self

from opssquad.events import (
    Called,
    Concluded,
    Decided,
    Event,
    Requested,
    Returned,
    Started,
    Stopped,
    Suspected,
    Thought,
    Verified,
)
from opssquad.findings import Cause, Conclusion, Confidence, Evidence, Finding, Option
from opssquad.types import Json, Ref, Usage, Value

Status = Literal["concluded", "inconclusive", "pending", "failed"]


class EvidenceOut(Value):
    """A quote: the call it came from, where it stands, its exact text."""

    call: str
    locator: str
    text: str

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        return cls(call=evidence.call, locator=evidence.locator, text=evidence.text)


class FindingOut(Value):
    """A claim with the evidence for it."""

    claim: str
    confidence: Confidence
    evidence: tuple[EvidenceOut, ...]

    @classmethod
    def of(cls, finding: Finding) -> Self:
        evidence = tuple(EvidenceOut.of(e) for e in finding.evidence)
        return cls(claim=finding.claim, confidence=finding.confidence, evidence=evidence)


class CauseOut(Value):
    """One cause: what, which fault of the catalogue, and why; `runbooks` are ids for `runbook show`."""

    component: Ref
    fault: str
    root_cause: str
    confidence: Confidence
    findings: tuple[FindingOut, ...]
    runbooks: tuple[str, ...] = ()

    @classmethod
    def of(cls, cause: Cause) -> Self:
        return cls(
            component=cause.component,
            fault=cause.fault,
            root_cause=cause.root_cause,
            confidence=cause.confidence,
            findings=tuple(FindingOut.of(f) for f in cause.findings),
            runbooks=cause.runbooks,
        )


class ConclusionOut(Value):
    """Causes by impact and options to fix, or no fault; `missing` is what could not be looked at."""

    no_fault: bool
    causes: tuple[CauseOut, ...]
    options: tuple[Option, ...]
    missing: tuple[str, ...]

    @classmethod
    def of(cls, conclusion: Conclusion) -> Self:
        causes = tuple(CauseOut.of(c) for c in conclusion.causes)
        return cls(
            no_fault=conclusion.no_fault,
            causes=causes,
            options=conclusion.options,
            missing=conclusion.missing,
        )


class ActionOut(Value):
    """A call behind a card: what was decided, how it ended, whether it helped. Empty: did not come to it."""

    tool: str
    args: Json
    decision: str
    status: str
    verify: str


class SuspiciousOut(Value):
    """Text from outside that reads like an instruction: it was treated as data. `reads` is what it says in
    plain words where it is written in a code."""

    call: str
    tool: str
    family: str
    locator: str
    text: str
    reads: str

    @classmethod
    def of(cls, event: Suspected) -> Self:
        found = event.suspicion
        known = {name: getattr(found, name) for name in ("family", "locator", "text", "reads")}
        return cls(call=event.call.id, tool=event.call.tool, **known)


class Seconds(Value):
    """Where the time went: real seconds. `human` is from a card to its decision."""

    total: float
    model: float
    tools: float
    human: float


class AskReport(Value):
    """The whole answer to one question, for scripts. `calls` counts them; the timeline is `HH:MM - text`."""

    thread: str
    squad: str
    model: str
    status: Status
    conclusion: ConclusionOut | None
    actions: tuple[ActionOut, ...]
    suspicious: tuple[SuspiciousOut, ...]
    calls: int
    tokens: Usage
    seconds: Seconds
    timeline: tuple[str, ...]


def fold(events: Sequence[Event], *, thread: str, squad: str, model: str, timeline: str) -> AskReport:
    """The report of a run from its events and the rendered timeline."""
    concluded = [e.conclusion for e in events if isinstance(e, Concluded)]
    thoughts = [e for e in events if isinstance(e, Thought)]
    return AskReport(
        thread=thread,
        squad=squad,
        model=thoughts[-1].model if thoughts else model,
        status=status_of(events),
        conclusion=ConclusionOut.of(concluded[-1]) if concluded else None,
        actions=_actions(events),
        suspicious=tuple(SuspiciousOut.of(e) for e in events if isinstance(e, Suspected)),
        calls=len({e.call.id for e in events if isinstance(e, Called)}),
        tokens=Usage(
            prompt=sum(t.usage.prompt for t in thoughts), completion=sum(t.usage.completion for t in thoughts)
        ),
        seconds=_seconds(events),
        timeline=tuple(line.strip() for line in timeline.strip().splitlines() if " - " in line),
    )


def status_of(events: Sequence[Event]) -> Status:
    """How the run ended. An answer without a conclusion is inconclusive: it was asked for one."""
    stopped = [e.status for e in events if isinstance(e, Stopped)]
    match stopped[-1] if stopped else "failed":
        case "concluded":
            return "concluded"
        case "pending":
            return "pending"
        case "inconclusive" | "answered":
            return "inconclusive"
        case _:
            return "failed"


def _actions(events: Sequence[Event]) -> tuple[ActionOut, ...]:
    cards = {e.approval.call.id: e.approval for e in events if isinstance(e, Requested | Decided)}
    decided = {e.approval.call.id: e.decision.outcome for e in events if isinstance(e, Decided)}
    returned = {e.call.id: e.result.status for e in events if isinstance(e, Returned)}
    verified = {e.call.id: e.check.outcome for e in events if isinstance(e, Verified)}
    return tuple(
        ActionOut(
            tool=card.call.tool,
            args=card.call.args,
            decision=decided.get(id, "suggested" if card.suggestion else "pending"),
            status=returned.get(id, ""),
            verify=verified.get(id, ""),
        )
        for id, card in cards.items()
    )


def _seconds(events: Sequence[Event]) -> Seconds:
    if not events:
        return Seconds(total=0, model=0, tools=0, human=0)
    model = sum(e.ms for e in events if isinstance(e, Thought)) / 1000
    up = {e.approval.id: e.recorded_at for e in events if isinstance(e, Requested)}
    human = [
        (up[e.approval.id], e.decision.at) for e in events if isinstance(e, Decided) and e.approval.id in up
    ]
    return Seconds(
        total=_span((events[0].recorded_at, events[-1].recorded_at)),
        model=round(model, 3),
        tools=_covered(_tool_times(events)),
        human=_covered(human),
    )


def _tool_times(events: Sequence[Event]) -> list[tuple[datetime, datetime]]:
    started = {e.call.id: e.recorded_at for e in events if isinstance(e, Started)}
    ended = {e.call.id: e.recorded_at for e in events if isinstance(e, Returned | Verified)}
    return [(started[id], end) for id, end in ended.items() if id in started]


def _covered(spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Seconds that the spans cover together: calls side by side are not counted twice."""
    total, last = 0.0, None
    for start, end in sorted(spans):
        begin = max(start, last) if last else start
        if end > begin:
            total += _span((begin, end))
            last = end
    return round(total, 3)


def _span(span: tuple[datetime, datetime]) -> float:
    return round((span[1] - span[0]).total_seconds(), 3)
