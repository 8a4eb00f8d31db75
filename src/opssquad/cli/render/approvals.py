"""Cards from the store on screen: the list, one with its decisions, and what a decision leads to."""

from collections.abc import Sequence
from datetime import datetime

from opssquad.cli.render.card import expiry, needed, said_of, show_card
from opssquad.cli.render.scope import where
from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible
from opssquad.store.base import ApprovalRecord, ApprovalStatus
from opssquad.times import wall_clock
from opssquad.types import Approval, Decision

_STATUS: dict[ApprovalStatus, str] = {
    "pending": WARN,
    "approved": GOOD,
    "refused": BAD,
    "expired": MUTED,
    "voided": MUTED,
    "suggested": MUTED,
}


def show_records(screen: Screen, records: Sequence[ApprovalRecord]) -> None:
    """Cards one below the other, each with its whole command."""
    if not records:
        screen.line("no card waits")
    for record in records:
        card, now = record.approval, wall_clock()
        status = record.status(now)
        screen.line((visible(card.id), STRONG), "  ", _status(record, now))
        screen.line(f"  {where(card.call.target)} · thread {visible(card.thread)}")
        if card.effect == "read":
            screen.flow(card.preview.command, indent=4, first="  ")
        else:
            screen.command(card.preview.command, indent=2)
        if status == "pending":
            if needs := needed(card, record.consents):
                screen.line((f"  needs {visible(needs)}", WARN))
            screen.line((f"  expires {expiry(card, now)}", MUTED))


def show_record(screen: Screen, record: ApprovalRecord, squad: str, model: str) -> None:
    """The whole card, then its status and every decision."""
    now = wall_clock()
    show_card(screen, record.approval, squad=squad, model=model, now=now, given=record.consents)
    screen.line("  Status     ", _status(record, now))
    for decision in (*record.consents, *record.decisions):
        said = f"{decision.outcome} by {decision.by} at {decision.at:%Y-%m-%d %H:%M:%S} UTC"
        screen.field("", said + (f": {decision.reason}" if decision.reason else ""))


def show_consent(screen: Screen, record: ApprovalRecord, yes: Decision) -> None:
    """A yes that is not enough by itself, and whose is still missing."""
    screen.flow(said_of(record.approval, yes), style=STRONG)
    screen.flow(f"The card still waits for {needed(record.approval, record.consents)}.")


def show_decision(screen: Screen, card: Approval, decision: Decision, mode: str) -> None:
    """What was decided, and what carries it out: the chat or `ask` that the thread began with."""
    screen.flow(said_of(card, decision), style=STRONG)
    done = "to carry it out" if decision.outcome == "approved" else "to go on"
    if mode == "chat":
        screen.flow(f"An open chat of this thread goes on by itself. If none is open, {done}:")
    else:
        screen.flow(f"{done.capitalize()}:")
    screen.command(resuming(card, mode), indent=2)


def resuming(card: Approval, mode: str) -> str:
    """The line that takes the thread of a card up again."""
    return f"opssquad {mode} --resume {card.thread}"


def _status(record: ApprovalRecord, now: datetime) -> tuple[str, str]:
    status = record.status(now)
    return status, _STATUS[status]
