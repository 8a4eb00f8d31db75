"""What must hold after a process died anywhere and another went on; each thing that does not, in words.

No event is missing, which means: every card has its request; every decision its event with that outcome,
after the request; every claimed call one start, after its approval, and one end, which says `unknown` if
nobody saw it, and a check after that; every question its answer. What can happen once is told once. An audit
line stands for each event that has one, and no other.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from opssquad.events import (
    Answered,
    Asked,
    Called,
    Decided,
    Event,
    Judged,
    Requested,
    Returned,
    Started,
    Stopped,
    Verified,
)
from opssquad.findings import ToolResult
from opssquad.store.base import ApprovalRecord, AuditRecord
from tests.crash.scene import AFTERWARDS, CHOICE, Left

ACT = "rollback"
OPENING = ("connection", "configuration", "policy", "checkpoint")
"""Lines about what a run stands on, written whenever a process takes the thread up; they have no event."""


def wrong(died: Left, now: Left, *, asking: bool) -> list[str]:
    """What does not hold. `died`: the folder as the dead process left it, `now` after another went on, or
    was asked something else at once: then a question that had come to no card yet is given up."""
    return [
        *_acts(died, now),
        *(said for card in now.cards for said in _card(card, now)),
        *_questions(now, given_up=asking),
        *_audit(now),
    ]


def _acts(died: Left, now: Left) -> Iterator[str]:
    """The world was changed once at most, and as the record says."""
    if now.patches > 1:
        yield f"the change was made {now.patches} times"
    if now.patches < died.patches:
        yield "the world lost a change"
    if now.patches and not now.ledger:
        yield "the change was made and never claimed"
    if len(now.cards) != len(now.ledger):
        yield f"{len(now.cards)} cards were approved, and {len(now.ledger)} calls were claimed"
    for call, result in now.ledger.items():
        if result:
            yield from _act(call, result, died, now)
        else:
            yield f"{call} has no end on record"


def _act(call: str, result: ToolResult, died: Left, now: Left) -> Iterator[str]:
    """An act ended as it is told, and only what nobody saw the end of is unknown."""
    if result.status not in ("ok", "unknown"):
        yield f"{call} ended with {result.status}: {result.text}"
    if result.status == "ok" and now.patches != 1:
        yield f"{call} is recorded as done, and the change was made {now.patches} times"
    if call in died.ledger and died.ledger[call] is None and result.status != "unknown":
        yield f"{call} had no end when the process died, and is {result.status} now"
    if died.ledger.get(call) is not None and died.ledger[call] != result:
        yield f"the end of {call} was changed"
    yield from _call(call, result, now.events)


def _call(call: str, result: ToolResult, events: Sequence[Event]) -> Iterator[str]:
    """A claimed call has its whole story on record, in its order."""
    kinds = [e.kind for e in events if _about(e) == call]
    once = ["called", "judged", "requested", "decided", "started", "returned"]
    if kinds[: len(once)] != once or set(kinds[len(once) :]) != {"verified"}:
        yield f"{call} is told as {' '.join(kinds)}"
    ends = [e.result for e in events if isinstance(e, Returned) and e.call.id == call]
    if any(end != result for end in ends):
        yield f"{call} ended as {result.status}, and is told as {[e.status for e in ends]}"
    answers = " ".join(e.answer.text for e in events if isinstance(e, Answered))
    if result.status == "unknown" and "It is not known whether this was done" not in answers:
        yield "nobody is told that the end of the change is unknown"


def _about(event: Event) -> str:
    match event:
        case Called() | Judged() | Started() | Returned() | Verified():
            return event.call.id
        case Requested(approval=card) | Decided(approval=card):
            return card.call.id
    return ""


def _card(card: ApprovalRecord, now: Left) -> Iterator[str]:
    told = [e.decision for e in now.events if isinstance(e, Decided) and e.approval.id == card.approval.id]
    if told != list(card.decisions):
        yield f"{card.approval.id} was decided {len(card.decisions)} times and is told {len(told)} times"
    shown = [e.approval for e in now.events if isinstance(e, Requested) and e.approval.id == card.approval.id]
    if shown != [card.approval]:
        yield f"{card.approval.id} was shown {len(shown)} times, not always as it is on record"


def _questions(now: Left, given_up: bool) -> Iterator[str]:
    """Every question has one answer, and what the choice was for came to its card."""
    asked = [e for e in now.events if isinstance(e, Asked)]
    if len({e.turn for e in asked}) != len(asked):
        yield f"questions share a turn: {[(e.turn, e.text) for e in asked]}"
    for question in asked:
        answers = sum(isinstance(e, Answered) and e.turn == question.turn for e in now.events)
        carded = any(isinstance(e, Requested) and e.turn == question.turn for e in now.events)
        if answers != 1 and not (answers == 0 and given_up and not carded):
            yield f"{question.text!r} has {answers} answers"
        if question.text == CHOICE and not carded and not given_up:
            yield "what was chosen by number was forgotten"
    if asked and (asked[-1].text != AFTERWARDS or not isinstance(now.events[-1], Stopped)):
        yield f"another question was not answered: {asked[-1].text!r} is the last"
    yield from _calls(now.events, given_up)


def _calls(events: Sequence[Event], given_up: bool) -> Iterator[str]:
    """Every call that was told of has one verdict, and an end; a read may be made again, and ends again."""
    told = Counter((e.kind, _about(e)) for e in events if isinstance(e, Called | Judged | Started | Returned))
    for kind, call in told:
        if kind == "returned" or told[kind, call] == 1:
            continue
        yield f"{kind} of {call} is told {told[kind, call]} times"
    for call in {call for _, call in told}:
        ended = told["returned", call] or given_up
        if not (told["called", call] and told["judged", call] and ended):
            yield f"{call} is told as {', '.join(kind for kind, other in told if other == call)}"


def _audit(now: Left) -> Iterator[str]:
    """The chain fits; there is a line for each event that has one, and no other."""
    if now.misfit:
        yield f"the audit log does not verify: {now.misfit}"
    lines = Counter(_line(record) for record in now.audit if record.kind not in OPENING)
    events = Counter(line for event in now.events if (line := _expected(event)))
    events += Counter(("decision", c.approval.call.tool, d.outcome) for c in now.cards for d in c.decisions)
    for line in (lines - events) + (events - lines):
        yield f"{' '.join(line)}: {lines[line]} lines in the audit log, {events[line]} events"


def _line(record: AuditRecord) -> tuple[str, str, str]:
    return record.kind, record.tool, record.status


def _expected(event: Event) -> tuple[str, str, str] | None:
    match event:
        case Judged(call=call, verdict=verdict):
            return "verdict", call.tool, verdict.outcome
        case Started(call=call) if call.tool == ACT:
            return "call", call.tool, "started"
        case Returned(call=call, result=result):
            return "call", call.tool, result.status
        case Verified(call=call, check=check):
            return "check", call.tool, check.outcome
    return None
