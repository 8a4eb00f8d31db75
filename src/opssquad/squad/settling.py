"""What a decision is worth at the moment of the act: a yes to what is no longer so is void.

A yes holds for one call on one cluster, as policy and the world were; each is looked at anew.
"""

import asyncio

from opssquad.errors import Refused, ToolError
from opssquad.events import Decided
from opssquad.squad.context import Context
from opssquad.squad.judging import verdict_on, yeses
from opssquad.store.base import ApprovalRecord
from opssquad.store.consent import short_of
from opssquad.toolbox import Tool
from opssquad.types import Approval, Decision

ABSENT = "absent"


async def settled(ctx: Context, tool: Tool, card_id: str) -> Decision:
    """The decision as it holds now: an approved card is void if policy or the world is no longer what it was.
    Raises Refused for a card without a decision."""
    record = await ctx.records.approval_record(card_id)
    card, decision = record.approval, record.decision
    if decision is None:
        raise Refused(f"{card.id} has no decision")
    if decision.outcome == "approved" and await ctx.records.outcome(card.call.id) == "new":
        if why := await _changed(ctx, tool, card) or await barred(ctx, record):
            decision = await ctx.records.decide(_replace(ctx, card, "voided", why))
        elif ctx.wall() > card.expires_at:
            late = f"it expired at {card.expires_at:%H:%M:%S} UTC"
            decision = await ctx.records.decide(_replace(ctx, card, "expired", late))
    await ctx.emit(Decided, approval=card, decision=decision)
    return decision


async def barred(ctx: Context, record: ApprovalRecord) -> str:
    """Why policy lets the call of a card pass no more, in words; empty while it does. Before its answer a
    card may have all the yeses it needs yet."""
    card = record.approval
    if card.effect != "read" and ctx.restraint == "suggest":
        return "this conversation only suggests changes now (--suggest-only)"
    verdict = await verdict_on(ctx, card.call)
    if verdict.outcome == "refuse":
        return f"it is refused now by {verdict.rule}" + (f": {verdict.reason}" if verdict.reason else "")
    if record.decision and (short := short_of(card, verdict.needs, yeses(ctx, record))):
        return f"policy has become stricter: rule {verdict.rule} wants {short} now"
    return ""


def _replace(ctx: Context, card: Approval, outcome: str, reason: str) -> Decision:
    return Decision.model_validate(
        {
            "approval": card.id,
            "call_digest": card.call.digest,
            "outcome": outcome,
            "by": "opssquad",
            "at": ctx.wall(),
            "reason": reason,
        }
    )


async def _changed(ctx: Context, tool: Tool, card: Approval) -> str:
    """What differs from what the card showed, in words; empty when nothing does."""
    try:
        async with asyncio.timeout(tool.deadline):
            here = await ctx.identity(tool)
            if card.cluster_id != here:
                return f"this is another system than the card's: {_moved(card.cluster_id, here)}"
            now = await tool.observed(card.call.args, ctx.handles) if card.effect != "read" else {}
    except (ToolError, TimeoutError) as error:
        return ctx.redact.clean(f"the world cannot be looked at again: {error}")
    then = card.preview.binding
    return "; ".join(
        f"{ref} changed after the card was shown: {_moved(then.get(ref, ABSENT), now.get(ref, ABSENT))}"
        for ref in sorted({*then, *now})
        if then.get(ref) != now.get(ref)
    )


def _moved(then: str, now: str) -> str:
    """`generation 3 -> 4` of what was seen as `uid=1a generation=3`; whole where the parts do not match."""
    old, new = (dict(part.partition("=")[::2] for part in seen.split()) for seen in (then, now))
    if old.keys() != new.keys():
        return f"{then} -> {now}"
    return ", ".join(f"{key} {old[key]} -> {new[key]}" for key in old if old[key] != new[key])
