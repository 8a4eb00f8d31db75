"""Everything that happens, as one tagged union: what screen, timeline, audit log and scorers read."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from opssquad.findings import Answer, Check, Conclusion, Evidence, Suspicion, ToolResult
from opssquad.types import Approval, Decision, Target, ToolCall, Usage, Value, Verdict

Ended = Literal["concluded", "inconclusive", "answered", "pending", "failed", "cancelled"]


class Occurred(Value):
    """`at` is the world's clock, `recorded_at` the real one; `turn` counts the utterances of the thread."""

    thread: str
    turn: int
    at: datetime
    recorded_at: datetime


class Asked(Occurred):
    """The engineer said something."""

    kind: Literal["asked"] = "asked"
    text: str
    squad: str
    by: str
    target: Target


class Thought(Occurred):
    """The model answered: text it gave beside its calls (a token stream is `Streamed`), its cost and time."""

    kind: Literal["thought"] = "thought"
    model: str
    text: str = ""
    usage: Usage = Usage()
    ms: int = 0


class Streamed(Occurred):
    """A piece of the model's text as it comes; never stored."""

    kind: Literal["streamed"] = "streamed"
    text: str


class Warned(Occurred):
    """Something the engineer should know: a retry, the model endpoint down and the run going on offline."""

    kind: Literal["warned"] = "warned"
    text: str


class HandedOver(Occurred):
    """A squad handed the question to another, with its ledger; `evidence` is what says why."""

    kind: Literal["handed_over"] = "handed_over"
    squad: str
    to: str
    why: str
    evidence: tuple[Evidence, ...] = ()


class Called(Occurred):
    """The model asked for a call."""

    kind: Literal["called"] = "called"
    call: ToolCall


class Judged(Occurred):
    """The gate judged a call."""

    kind: Literal["judged"] = "judged"
    call: ToolCall
    verdict: Verdict


class Requested(Occurred):
    """A card is up."""

    kind: Literal["requested"] = "requested"
    approval: Approval


class Decided(Occurred):
    """A card was decided."""

    kind: Literal["decided"] = "decided"
    approval: Approval
    decision: Decision


class Started(Occurred):
    """A call begins; for a mutation this is on disk before the act."""

    kind: Literal["started"] = "started"
    call: ToolCall


class Progressed(Occurred):
    """A line of progress of a running call, such as a rollout being watched."""

    kind: Literal["progressed"] = "progressed"
    call: str
    text: str


class Returned(Occurred):
    """A call came back."""

    kind: Literal["returned"] = "returned"
    call: ToolCall
    result: ToolResult


class Suspected(Occurred):
    """What a call brought in holds text that reads like an instruction; told once for each text."""

    kind: Literal["suspected"] = "suspected"
    call: ToolCall
    suspicion: Suspicion


class Verified(Occurred):
    """After a mutation: did it help?"""

    kind: Literal["verified"] = "verified"
    call: ToolCall
    check: Check


class Answered(Occurred):
    """The squad's reply to this utterance."""

    kind: Literal["answered"] = "answered"
    answer: Answer


class Concluded(Occurred):
    """The squad's conclusion, evidence checked."""

    kind: Literal["concluded"] = "concluded"
    conclusion: Conclusion


class Stopped(Occurred):
    """The run of this utterance is over. `pending`: a card waits for an answer."""

    kind: Literal["stopped"] = "stopped"
    status: Ended
    reason: str = ""


Event = Annotated[
    Asked
    | Thought
    | Streamed
    | Warned
    | HandedOver
    | Called
    | Judged
    | Requested
    | Decided
    | Started
    | Progressed
    | Returned
    | Suspected
    | Verified
    | Answered
    | Concluded
    | Stopped,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def once(event: Event) -> tuple[object, ...]:
    """What tells an event apart that happens once in a thread, so that a step which runs again after a crash
    puts up no second one; empty for one that may happen again. A read that was made again is one."""
    match event:
        case Asked(turn=turn) | Answered(turn=turn) | Concluded(turn=turn):
            return event.kind, turn
        case HandedOver(turn=turn, squad=squad, to=to):
            return event.kind, turn, squad, to
        case Called(call=call) | Started(call=call):
            return event.kind, call.id
        case Judged(call=call, verdict=verdict):
            return event.kind, call.id, verdict.outcome, verdict.rule
        case Requested(approval=card):
            return event.kind, card.id
        case Decided(approval=card, decision=decision):
            return event.kind, card.id, decision.outcome
        case Returned(call=call, result=result):
            return event.kind, call.id, result.status, result.ms, result.text
    return ()
