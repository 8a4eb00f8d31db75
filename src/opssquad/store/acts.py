"""Cards, decisions and the ledger of acts, as steps inside one transaction: who wins, what may still change.

Every function takes the connection of a transaction that its caller has begun.
"""

import sqlite3
from typing import Literal

from opssquad.errors import Refused, StoreError
from opssquad.findings import ToolResult
from opssquad.store import audit as chain
from opssquad.store import auditlog as log
from opssquad.store.base import ApprovalRecord
from opssquad.store.consent import SUGGESTION, objection, together
from opssquad.store.rows import dump, parse
from opssquad.types import Approval, Decision, person

Outcome = ToolResult | Literal["new", "claimed"]


def add_card(c: sqlite3.Connection, card: Approval) -> Approval:
    """Put a card on record; the first text of a card stays and comes back, another call under its id is
    refused."""
    row = (card.id, card.thread, card.call.id, card.call.digest, dump(card))
    c.execute("insert into approvals values (?, ?, ?, ?, ?) on conflict do nothing", row)
    known, body = c.execute("select digest, body from approvals where id = ?", (card.id,)).fetchone()
    if known != card.call.digest:
        raise StoreError(f"approval {card.id} is already the card of another call; ids are used once")
    return parse(Approval, body, f"approval {card.id}")


def cards(c: sqlite3.Connection, where: str, value: str) -> list[ApprovalRecord]:
    """Cards with their decisions, in the order they were asked for."""
    rows = c.execute(f"select id, body from approvals where {where} order by rowid", (value,)).fetchall()
    return [
        ApprovalRecord(
            approval=parse(Approval, body, f"approval {id}"),
            decisions=answers(c, id),
            consents=consents(c, id),
        )
        for id, body in rows
    ]


def answers(c: sqlite3.Connection, card: str) -> tuple[Decision, ...]:
    """What was decided about a card: nothing, an answer, or a yes and its voiding."""
    rows = c.execute("select body from decisions where approval = ? order by step", (card,))
    return tuple(parse(Decision, body, f"a decision on {card}") for (body,) in rows)


def consents(c: sqlite3.Connection, card: str) -> tuple[Decision, ...]:
    """The yeses to a card of those whose yes is needed, in the order they came."""
    rows = c.execute("select body from consents where approval = ? order by rowid", (card,))
    return tuple(parse(Decision, body, f"a consent to {card}") for (body,) in rows)


def settle(c: sqlite3.Connection, card: Approval, decision: Decision) -> Decision:
    """Record the decision if it may still change anything; returns what holds.

    A yes that is not enough by itself comes back as `consented`: the card still waits. Raises Refused for a
    yes of somebody who may not give it, and for any word on a suggestion.
    """
    if card.suggestion:
        raise Refused(f"{card.id} {SUGGESTION}")
    past = answers(c, card.id)
    if not past:
        new = _late(card, decision)
        if new.outcome == "approved" and (new := _counted(c, card, new)).outcome == "consented":
            return new
    elif _ends(card, decision) and past[-1].outcome == "approved" and _unclaimed(c, card.call.id):
        new = decision
    else:
        return past[-1]
    c.execute("insert into decisions values (?, ?, ?)", (card.id, len(past), dump(new)))
    log.append(c, chain.of_decision(card, new))
    return new


def _counted(c: sqlite3.Connection, card: Approval, decision: Decision) -> Decision:
    """The yes as an answer if it is the last that was missing, else as one of several. Raises Refused."""
    if why := objection(card, decision):
        raise Refused(f"{card.id} cannot be approved by {decision.by}: {why}")
    if card.needs.approvers == 1:
        return decision
    given = consents(c, card.id)
    if earlier := next((each for each in given if person(each.by) == person(decision.by)), None):
        return earlier
    yes = decision.model_copy(update={"outcome": "consented"})
    c.execute("insert into consents values (?, ?, ?)", (card.id, person(yes.by), dump(yes)))
    log.append(c, chain.of_decision(card, yes))
    given = (*given, yes)
    return together(decision, given) if len(given) >= card.needs.approvers else yes


def _ends(card: Approval, decision: Decision) -> bool:
    """Whether the decision takes back a yes that was not acted on: void, or not acted on in time."""
    late = decision.outcome == "expired" and decision.at >= card.expires_at
    return late or decision.outcome == "voided"


def _late(card: Approval, decision: Decision) -> Decision:
    if decision.outcome == "voided" or decision.at < card.expires_at:
        return decision
    said = f"{decision.outcome} by {decision.by} after it had expired"
    return decision.model_copy(
        update={"outcome": "expired", "reason": decision.reason if decision.outcome == "expired" else said}
    )


def _unclaimed(c: sqlite3.Connection, call: str) -> bool:
    return c.execute("select 1 from ledger where call = ?", (call,)).fetchone() is None


def claim(c: sqlite3.Connection, call: str, digest: str) -> bool:
    """Take the right to carry a call out: True for the first. Raises Refused, StoreError."""
    for record in cards(c, "call = ?", call):
        decision = record.decision
        if decision is None or decision.outcome != "approved":
            said = decision.outcome if decision else "not decided"
            raise Refused(f"approval {record.approval.id} is {said}; its call is not carried out")
        if decision.call_digest != digest:
            raise Refused(f"approval {record.approval.id} is approved for another call than this one")
    new = c.execute("insert into ledger values (?, ?, 'claimed') on conflict do nothing", (call, digest))
    (known,) = c.execute("select digest from ledger where call = ?", (call,)).fetchone()
    if known != digest:
        raise StoreError(f"call {call} was claimed before with another content; ids are used once")
    return new.rowcount == 1


def finish(c: sqlite3.Connection, call: str, result: ToolResult) -> None:
    """Record the end of a claimed call; the first end stays. Raises StoreError if it was not claimed."""
    row = c.execute("select status from ledger where call = ?", (call,)).fetchone()
    if row is None:
        raise StoreError(f"call {call} ended and was never claimed")
    if row[0] == "claimed":
        _put(c, call, result)
        c.execute("update ledger set status = 'done' where call = ?", (call,))


def outcome(c: sqlite3.Connection, call: str) -> Outcome:
    """How a claimed call stands."""
    row = c.execute("select status from ledger where call = ?", (call,)).fetchone()
    if row is None:
        return "new"
    return "claimed" if row[0] == "claimed" else output(c, call)


def keep(c: sqlite3.Connection, result: ToolResult) -> None:
    """Keep a whole result; what the ledger recorded as the end of a call is never replaced."""
    row = c.execute("select 1 from ledger where call = ? and status = 'done'", (result.call,)).fetchone()
    if row is None:
        _put(c, result.call, result)


def _put(c: sqlite3.Connection, call: str, result: ToolResult) -> None:
    c.execute(
        "insert into outputs values (?, ?) on conflict do update set body = excluded.body",
        (call, dump(result)),
    )


def output(c: sqlite3.Connection, call: str) -> ToolResult:
    """The whole result of a call. Raises StoreError if none is kept."""
    row = c.execute("select body from outputs where call = ?", (call,)).fetchone()
    if row is None:
        raise StoreError(f"no output of call {call} is kept")
    return parse(ToolResult, row[0], f"the output of call {call}")
