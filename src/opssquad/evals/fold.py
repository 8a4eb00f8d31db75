"""From what is on record of a thread to a transcript."""

from collections.abc import Mapping, Sequence

from opssquad.evals.steps import actions
from opssquad.evals.transcript import Act, Look, Transcript
from opssquad.events import (
    Answered,
    Called,
    Concluded,
    Decided,
    Event,
    Requested,
    Returned,
    Started,
    Stopped,
    Thought,
    Verified,
    Warned,
)
from opssquad.findings import ToolResult
from opssquad.types import Approval, Usage


def fold(
    events: Sequence[Event], outputs: Mapping[str, ToolResult], *, question: str, squad: str, model: str
) -> Transcript:
    """The transcript of a thread: its events in order, and the whole output of each call by the call's id."""
    thoughts = [e for e in events if isinstance(e, Thought)]
    conclusions = [e.conclusion for e in events if isinstance(e, Concluded)]
    stopped = [e for e in events if isinstance(e, Stopped)]
    answers = [e.answer.text for e in events if isinstance(e, Answered)]
    return Transcript(
        question=question,
        squad=squad,
        model=model,
        status=stopped[-1].status if stopped else "failed",
        conclusion=conclusions[0] if conclusions else None,
        answer=answers[0] if answers else "",
        looks=_looks(events, outputs),
        acts=_acts(events),
        warnings=tuple(e.text for e in events if isinstance(e, Warned)),
        calls=len({e.call.id for e in events if isinstance(e, Called)}),
        requests=len(thoughts),
        tokens=Usage(
            prompt=sum(t.usage.prompt for t in thoughts), completion=sum(t.usage.completion for t in thoughts)
        ),
        seconds=_seconds(events),
    )


def _looks(events: Sequence[Event], outputs: Mapping[str, ToolResult]) -> tuple[Look, ...]:
    changed = {e.approval.call.id for e in events if isinstance(e, Requested) if e.approval.effect != "read"}
    looks = []
    for event in events:
        if isinstance(event, Returned) and event.call.id not in changed:
            call, result = event.call, event.result
            kept = outputs.get(call.id, result)
            looks.append(
                Look(
                    call=call.id,
                    tool=call.tool,
                    args=call.args,
                    status=result.status,
                    text=result.text,
                    sources=kept.sources,
                )
            )
    return tuple(looks)


def _acts(events: Sequence[Event]) -> tuple[Act, ...]:
    cards = {
        e.approval.call.id: e.approval
        for e in events
        if isinstance(e, Requested) and e.approval.effect != "read"
    }
    decided = {e.approval.call.id: e.decision for e in events if isinstance(e, Decided)}
    begun = {e.call.id for e in events if isinstance(e, Started)}
    returned = {e.call.id: e.result.status for e in events if isinstance(e, Returned)}
    verified = {e.call.id: e.check.outcome for e in events if isinstance(e, Verified)}
    acts = []
    for id, card in cards.items():
        decision = decided.get(id)
        said = decision.outcome if decision and decision.outcome != "consented" else ""
        acts.append(
            Act(
                call=id,
                tool=card.call.tool,
                args=card.call.args,
                # A tool that is not known here changes an object: that is all that can be said.
                action=actions().get(card.call.tool, "patch"),
                target=_bound(card),
                command=card.preview.command,
                decision=said,
                by=decision.by if decision else "",
                made=id in begun,
                status=returned.get(id, ""),
                verified=verified.get(id, ""),
            )
        )
    return tuple(acts)


def _bound(card: Approval) -> str:
    """The object that a card is about, as Kind/namespace/name: the first that it is bound to."""
    return next(iter(card.preview.binding), "")


def _seconds(events: Sequence[Event]) -> float:
    """Real seconds from the first event to the last, without those in which a card waited."""
    if not events:
        return 0.0
    up = {e.approval.id: e.recorded_at for e in events if isinstance(e, Requested)}
    waits = [
        (e.decision.at - up[e.approval.id]).total_seconds()
        for e in events
        if isinstance(e, Decided) and e.approval.id in up
    ]
    total = (events[-1].recorded_at - events[0].recorded_at).total_seconds()
    return round(max(0.0, total - sum(w for w in waits if w > 0)), 3)
