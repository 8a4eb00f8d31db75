"""`opssquad approvals`: the cards that wait, from any terminal. Deciding here carries nothing out: the run
that waits does, or the one that takes its thread up again.
"""

import sys
from typing import TYPE_CHECKING

import click

from opssquad.cli.looking import with_store
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.store.base import ApprovalRecord, ThreadRecord
    from opssquad.store.sqlite import Store
    from opssquad.types import Ruling


@click.group("approvals")
def command() -> None:
    """List, show, approve or refuse cards that wait."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also cards that were decided or have expired.")
@screen_options
@shared
def list_(shared: Shared, everything: bool) -> None:
    """Cards that wait for an answer."""
    from opssquad.cli.render.approvals import show_records

    records = with_store(shared, lambda store: store.approvals(None if everything else "pending"))
    show_records(shared.screen(), records)


@command.command("show")
@click.argument("approval")
@screen_options
@shared
def show(shared: Shared, approval: str) -> None:
    """The whole card, and what became of it."""
    from opssquad.cli.render.approvals import show_record

    record, thread = with_store(shared, lambda store: _found(store, approval))
    show_record(shared.screen(), record, thread.squad, thread.model)


@command.command("approve")
@click.argument("approval")
@click.option("--yes", is_flag=True, help="Do not ask again after showing the card.")
@click.option("--session", is_flag=True, help="Reads only: also reads like it, in its thread.")
@click.option("--reason", default="", help="Kept with the decision.")
@screen_options
@shared
def approve(shared: Shared, approval: str, yes: bool, session: bool, reason: str) -> None:
    """Say yes to a card."""
    from opssquad.cli.render.approvals import show_record

    record, thread = with_store(shared, lambda store: _found(store, approval))
    _still_open(record, "approved")
    show_record(shared.screen(), record, thread.squad, thread.model)
    if not yes and sys.stdin.isatty() and not click.confirm("Approve?", default=False):
        click.echo("not decided; the card still waits")
        return
    _decide(shared, record, thread, "approved", reason, session=session)


@command.command("refuse")
@click.argument("approval")
@click.argument("reason", nargs=-1)
@screen_options
@shared
def refuse(shared: Shared, approval: str, reason: tuple[str, ...]) -> None:
    """Say no to a card, with a reason if you like."""
    record, thread = with_store(shared, lambda store: _found(store, approval))
    _still_open(record, "refused")
    _decide(shared, record, thread, "refused", " ".join(reason))


async def _found(store: "Store", approval: str) -> tuple["ApprovalRecord", "ThreadRecord"]:
    """The card with its thread."""
    record = await store.approval_record(approval)
    return record, await store.thread(record.approval.thread)


def _still_open(record: "ApprovalRecord", wanted: "Ruling") -> None:
    """Refuse to decide a card that something became of; the same answer again is no fault. Raises Refused."""
    from opssquad.cli.render.approvals import resuming
    from opssquad.cli.render.card import said_of
    from opssquad.errors import Refused
    from opssquad.store.consent import SUGGESTION
    from opssquad.times import wall_clock

    card, decision, status = record.approval, record.decision, record.status(wall_clock())
    if status in ("pending", wanted):
        return
    if status == "suggested":
        raise Refused(f"{card.id} {SUGGESTION}")
    if decision and status in ("approved", "refused"):
        raise Refused(f"{card.id} is {status} already, by {decision.by} at {decision.at:%H:%M:%S} UTC")
    said = said_of(card, decision) if decision else f"{card.id} expired at {card.expires_at:%H:%M:%S} UTC"
    anew = f"for a new card: {resuming(card, 'chat')}"
    raise Refused(f"{said}; it cannot be {wanted} any more, nothing was done; {anew}")


def _decide(
    shared: Shared,
    record: "ApprovalRecord",
    thread: "ThreadRecord",
    outcome: "Ruling",
    reason: str,
    *,
    session: bool = False,
) -> None:
    from opssquad.cli.clean import cleaner
    from opssquad.cli.render.approvals import show_consent, show_decision
    from opssquad.cli.roles import roles_of
    from opssquad.times import wall_clock
    from opssquad.types import Decision

    card, settings = record.approval, shared.settings()
    decision = Decision(
        approval=card.id,
        call_digest=card.call.digest,
        outcome=outcome,
        by=settings.by,
        at=wall_clock(),
        reason=cleaner(settings)(reason),
        roles=roles_of(settings, thread.squad),
        session=session,
    )

    async def decide(store: "Store") -> "tuple[Decision, ApprovalRecord]":
        return await store.decide(decision), await store.approval_record(card.id)

    stands, now = with_store(shared, decide)
    if stands.outcome == "consented":
        show_consent(shared.screen(), now, stands)
        return
    # Between the look at the card and now its time may have ended, or another may have answered.
    _still_open(record.model_copy(update={"decisions": (*record.decisions, stands)}), outcome)
    show_decision(shared.screen(), card, stands, thread.mode)
