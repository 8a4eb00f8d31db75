"""The act itself, at most once: reads, what is behind a card, and the check that follows a change.

No graph here; `graph` puts these steps into nodes around its one interrupt.
"""

import asyncio
import time
from collections.abc import Sequence

from opssquad.errors import OpsError
from opssquad.events import Returned, Started, Verified
from opssquad.findings import Check, ToolResult, output
from opssquad.squad.context import CURRENT_CALL, Context
from opssquad.squad.judging import Pending, standing
from opssquad.squad.ledger import check_of
from opssquad.squad.settling import settled
from opssquad.squad.suspecting import suspected
from opssquad.squad.vetting import clean_check
from opssquad.squad.way_on import with_way_back
from opssquad.toolbox import Tool
from opssquad.types import Approval, Cleared, Decision, Json, ToolCall


async def act(ctx: Context, pending: Sequence[Pending]) -> list[tuple[ToolResult, Check | None]]:
    """Carry the calls out: free reads side by side, what is behind a card one after another, results in call
    order."""
    reads = {p.call.id: asyncio.create_task(_read(ctx, p)) for p in pending if not p.approval}
    results: list[tuple[ToolResult, Check | None]] = []
    try:
        for each in pending:
            # Results keep call order: a transcript must replay the same way twice.
            if each.approval:
                results.append(await _approved(ctx, each))
            else:
                results.append((await reads[each.call.id], None))
    finally:
        for task in reads.values():
            task.cancel()
    return results


async def _read(ctx: Context, pending: Pending) -> ToolResult:
    call, verdict = pending.call, pending.verdict
    CURRENT_CALL.set(call.id)
    if verdict.outcome == "allow":
        # A card beside it may have waited for hours.
        verdict = await standing(ctx, call)
    if pending.problem:
        text, found = pending.problem, pending.suspicions
        result = ToolResult(call=call.id, status="error", text=text, suspicions=found)
    elif pending.suggestion:
        result = _suggested(await ctx.records.approval(pending.suggestion))
    elif verdict.outcome != "allow":
        said = f"refused by {verdict.rule}: {verdict.reason or 'not allowed'}"
        if verdict.outcome == "ask":
            said = f"not made: rule {verdict.rule} asks about it now; ask for it again to put up its card"
        result = ToolResult(call=call.id, status="refused", text=said)
    else:
        await ctx.emit(Started, call=call)
        result = await ctx.executor.run(Cleared(call=call, verdict=verdict))
    return await _returned(ctx, call, result)


async def _returned(ctx: Context, call: ToolCall, result: ToolResult) -> ToolResult:
    await ctx.records.keep(result)
    await ctx.emit(Returned, call=call, result=result)
    await suspected(ctx, call, result.suspicions)
    return result


async def _approved(ctx: Context, pending: Pending) -> tuple[ToolResult, Check | None]:
    call, tool = pending.call, ctx.toolbox.get(pending.call.tool)
    CURRENT_CALL.set(call.id)
    card = await ctx.records.approval(pending.approval)
    decision = await settled(ctx, tool, card.id)
    if decision.outcome != "approved":
        return await _returned(ctx, call, _declined(card, decision)), None
    earlier = await ctx.records.outcome(call.id)
    if isinstance(earlier, ToolResult):
        # Whoever did it may have died before it said so.
        return await _returned(ctx, call, earlier), await _verify(ctx, tool, card)
    if earlier != "new" or not await ctx.claim(call):
        result = _unended(call, tool)
        await ctx.records.done(call.id, result)
        return await _returned(ctx, call, result), await _verify(ctx, tool, card)
    grant = ctx.sign(call, decision, card.expires_at)
    result = await ctx.executor.run(Cleared(call=call, verdict=pending.verdict, grant=grant))
    if result.status == "ok" and card.undo.tool:
        result = result.model_copy(update={"data": {**result.data, "undo": card.undo.note}})
    await ctx.records.done(call.id, result)
    await _returned(ctx, call, result)
    # What may have happened is looked at like what did.
    return result, await _verify(ctx, tool, card) if result.status in {"ok", "unknown"} else None


def _unended(call: ToolCall, tool: Tool) -> ToolResult:
    """A call that was begun by a process which died. A read can be asked for anew; its yes is used up."""
    text = "This was started before and its end is not on record: it is not done again. "
    if tool.effect == "read":
        return ToolResult(call=call.id, status="error", text=f"{text}Ask for it anew.")
    return ToolResult(call=call.id, status="unknown", text=f"{text}See the check below.")


def _suggested(card: Approval) -> ToolResult:
    """What the model is told of a change that is only suggested."""
    text = f"suggested, not done: the engineer may run what is on screen now: {card.preview.command}"
    data = {"declined": "suggested", "again": _again(card), "command": card.preview.command}
    return ToolResult(call=card.call.id, status="refused", text=text, data=data)


def _again(card: Approval) -> Json:
    """The arguments with which the same would be proposed again."""
    return {**card.call.args, **card.preview.settled}


def _declined(card: Approval, decision: Decision) -> ToolResult:
    """A card that came to nothing. `data`: how, and the call with which it would be proposed again."""
    why = decision.reason
    said = {
        "refused": f"refused by {decision.by}" + (f": {why}" if why else ""),
        "expired": f"the card expired at {card.expires_at:%H:%M:%S} UTC, before it was carried out",
        "voided": f"the card is void: {why}",
    }[decision.outcome]
    data = {"declined": decision.outcome, "again": _again(card), "command": card.preview.command}
    return ToolResult(call=card.call.id, status="refused", text=said, data=data)


async def _verify(ctx: Context, tool: Tool, card: Approval) -> Check | None:
    """Whether the change helped; there is nothing to see after a read."""
    if tool.effect == "read":
        return None
    began = time.monotonic()
    try:
        check = await tool.check(card.call.args, card.preview.before, ctx.handles)
    except OpsError as error:
        check = Check(outcome="unknown", text=f"the check failed: {error}")
    found = ctx.lookout(check.sources, output(check_of(card.call.id), check.text))
    check = with_way_back(clean_check(ctx.redact, check), card)
    read = ToolResult(call=check_of(card.call.id), status="ok", text=check.text, sources=check.sources)
    await ctx.records.keep(read)
    check = check.model_copy(update={"sources": ()})
    ctx.seconds["tools"] = ctx.seconds.get("tools", 0.0) + time.monotonic() - began
    await ctx.emit(Verified, call=card.call, check=check)
    await suspected(ctx, card.call, found)
    return check
