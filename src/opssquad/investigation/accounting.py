"""The differential of a thread as a model may ask for it: each fault, what spoke for it and against it."""

from collections.abc import Iterator, Sequence

from opssquad.diagnosis.explaining import Account, Case, Heard
from opssquad.events import HandedOver
from opssquad.squad.crew import Crew
from opssquad.squad.recalled import ledger_of
from opssquad.store.sqlite import Store
from opssquad.types import called

MOST = 6
"""Faults that are told whole; the others are named."""


async def differential(store: Store, thread: str, crew: Crew, fault: str = "") -> str:
    """What is on record of the thread, ranked by the catalogues of its squads. Raises ToolError for a fault
    that none of them has."""
    events = await store.events(thread)
    ledger, joined = ledger_of(events), [event.to for event in events if isinstance(event, HandedOver)]
    catalogue = crew.catalogue([*list(crew.specs)[:1], *joined])
    case = Case(catalogue, [s.signal for s in ledger.signals], [s.evidence for s in ledger.signals])
    accounts = case.accounts()
    if not fault:
        listed = [each for each in accounts if each.standing == "listed"]
        rest = [each for each in accounts if each not in listed[:MOST]]
        lines = [line for each in listed[:MOST] for line in _told(each)]
        lines += [f"Also: {each.fault} at {each.component}: {_why(each)}" for each in rest]
        return "\n".join(lines) or "Nothing of the catalogue fits what was looked at so far."
    entry = crew.fault(fault)
    if asked := [each for each in accounts if each.fault == entry.id]:
        return "\n".join(line for each in asked for line in _told(each))
    wanted = [f"- {each.clause}{_near(each)}" for each in case.unopened(entry).anchors]
    return "\n".join([f"{entry.id} {entry.title}: nothing opened it. It wants one of:", *wanted])


def _told(each: Account) -> Iterator[str]:
    yield f"{each.fault} {each.title} at {each.component}: {_why(each)}"
    yield from (f"  opened by {s.text} {_ids(s.evidence)}" for s in each.opened)
    for heard, word in ((each.speaks_for, "for"), (each.against, "against")):
        yield from (f"  {word}: {s.text} {_ids(s.evidence)}" for h in heard for s in h.met)
    yield from (f"  not seen: {h.clause}{_near(h)}" for h in each.speaks_for if not h.met)
    yield from (f"  would tell more: {called(c.tool, c.args)}" for c in each.more)
    yield from (f"  not: {refused}" for refused in each.inadmissible)


def _why(each: Account) -> str:
    match each.standing:
        case "listed":
            return f"{each.confidence} ({each.score:.2f}); {each.root_cause}"
        case "behind":
            return f"explained by {each.behind}"
        case "excluded":
            return f"off the list: {each.because}"


def _near(heard: Heard) -> str:
    return "".join(f"; came near: {s.text} ({s.but})" for s in heard.near)


def _ids(evidence: Sequence[str]) -> str:
    return f"[{', '.join(evidence)}]"
