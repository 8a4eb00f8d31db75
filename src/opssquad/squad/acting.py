"""From the calls a model wrote to results: judging, cards, and the act itself, at most once.

No graph here; `graph` puts these steps into nodes around its one interrupt.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from opssquad.errors import OpsError, Refused, ToolError
from opssquad.events import Called, Decided, Judged, Requested, Returned, Started, Verified
from opssquad.findings import Check, ToolResult
from opssquad.gate.kubectl import namespace_of
from opssquad.models.base import ModelCall, SeenSignal
from opssquad.squad.context import CURRENT_CALL, Context
from opssquad.squad.ledger import Ledger, check_of
from opssquad.squad.vetting import clean_card, clean_check
from opssquad.toolbox import Tool
from opssquad.types import Approval, Cleared, Decision, Target, ToolCall, Value, Verdict

ABSENT = "absent"


class Pending(Value):
    """A call of the last reply on its way: refused at once (`problem`), free, or behind a card."""

    call: ToolCall
    verdict: Verdict
    problem: str = ""
    approval: str = ""


async def judge_calls(ctx: Context, calls: Sequence[ModelCall], ledger: Ledger) -> list[Pending]:
    """Validate and judge what the model asked for; what asks gets its card, on record and on screen."""
    return [await _judge(ctx, call, ledger) for call in calls]


async def _judge(ctx: Context, written: ModelCall, ledger: Ledger) -> Pending:
    call = ToolCall(id=written.id, tool=written.tool, args=written.args, target=_target(ctx, written))
    known = written.tool in ctx.toolbox
    verdict = ctx.judge(call, ctx.toolbox.get(written.tool).effect if known else None)
    await ctx.tell(ctx.event(Called, call=call), ctx.event(Judged, call=call, verdict=verdict))
    if written.problem:
        return Pending(call=call, verdict=verdict, problem=written.problem)
    try:
        tool = ctx.toolbox.get(written.tool)
        tool.validate(written.args)
        if verdict.outcome == "ask":
            card = await _card(ctx, tool, call, verdict, ledger)
            return Pending(call=call, verdict=verdict, approval=card.id)
    except ToolError as error:
        return Pending(call=call, verdict=verdict, problem=ctx.redact.clean(str(error)))
    except TimeoutError:
        late = f"{tool.name}: what it would do could not be foreseen within {tool.deadline:g} s; try again"
        return Pending(call=call, verdict=verdict, problem=late)
    return Pending(call=call, verdict=verdict)


def _target(ctx: Context, written: ModelCall) -> Target:
    namespace = namespace_of(written.tool, written.args)
    return ctx.target if namespace is None else ctx.target.model_copy(update={"namespace": namespace})


async def _card(ctx: Context, tool: Tool, call: ToolCall, verdict: Verdict, ledger: Ledger) -> Approval:
    """Make the card. Its id follows from the call's: a step that runs again puts up no second one."""
    if tool.effect == "read":
        raise ToolError(
            f"{tool.name}: {verdict.reason or 'policy asks before this read'}; nobody can approve reads yet"
        )
    async with asyncio.timeout(tool.deadline):
        preview, undo = clean_card(ctx.redact, *await tool.foresee(call.args, ctx.handles))
    now = ctx.wall()
    why, evidence = _why(ledger, call)
    approval = Approval(
        id=f"a-{call.id}",
        thread=ctx.thread,
        call=call,
        preview=preview,
        undo=undo,
        why=why,
        evidence=evidence,
        requested_by=ctx.by,
        requested_at=now,
        expires_at=now + timedelta(minutes=ctx.approval_minutes),
        world_time=ctx.clock(),
        rule=verdict.rule,
    )
    await ctx.records.add_approval(approval)
    await ctx.emit(Requested, approval=approval)
    return approval


def _why(ledger: Ledger, call: ToolCall) -> tuple[str, tuple[str, ...]]:
    """The signals about what the call touches, gravest first, in the words of the tools that found them; of
    alike ones (three pods that crash) one is told and the others are counted."""
    names = {str(v) for v in call.args.values() if isinstance(v, str)}
    about = [s for s in ledger.signals if {s.signal.owner.name, s.signal.entity.name} & names]
    rank = {"critical": 0, "warning": 1, "info": 2}
    about.sort(key=lambda s: rank[s.signal.severity])
    kinds: dict[str, list[SeenSignal]] = {}
    for each in about:
        kinds.setdefault(each.signal.id, []).append(each)
    told = list(kinds.values())[:3]
    text = "; ".join(
        alike[0].signal.text + (f" (+{len(alike) - 1} alike)" if len(alike) > 1 else "") for alike in told
    )
    ids = tuple(dict.fromkeys(i for alike in told for s in alike[:2] for i in s.evidence))
    return text or "asked for by the engineer", ids


async def act(ctx: Context, pending: Sequence[Pending]) -> list[tuple[ToolResult, Check | None]]:
    """Carry the calls out: reads side by side, mutations one after another, results in call order."""
    reads = {p.call.id: asyncio.create_task(_read(ctx, p)) for p in pending if not p.approval}
    results: list[tuple[ToolResult, Check | None]] = []
    try:
        for each in pending:
            # Results keep call order: a transcript must replay the same way twice.
            if each.approval:
                results.append(await _mutate(ctx, each))
            else:
                results.append((await reads[each.call.id], None))
    finally:
        for task in reads.values():
            task.cancel()
    return results


async def _read(ctx: Context, pending: Pending) -> ToolResult:
    call, outcome = pending.call, pending.verdict.outcome
    CURRENT_CALL.set(call.id)
    if pending.problem:
        result = ToolResult(call=call.id, status="error", text=pending.problem)
    elif outcome != "allow":
        said = f"refused by {pending.verdict.rule}: {pending.verdict.reason or 'not allowed'}"
        result = ToolResult(call=call.id, status="refused", text=said)
    else:
        await ctx.emit(Started, call=call)
        result = await ctx.executor.run(Cleared(call=call, verdict=pending.verdict))
    return await _returned(ctx, call, result)


async def _returned(ctx: Context, call: ToolCall, result: ToolResult) -> ToolResult:
    await ctx.records.keep(result)
    await ctx.emit(Returned, call=call, result=result)
    return result


async def _mutate(ctx: Context, pending: Pending) -> tuple[ToolResult, Check | None]:
    call, tool = pending.call, ctx.toolbox.get(pending.call.tool)
    CURRENT_CALL.set(call.id)
    card = await ctx.records.approval(pending.approval)
    decision = await _settled(ctx, tool, card)
    if decision.outcome != "approved":
        return await _returned(ctx, call, _declined(card, decision)), None
    earlier = await ctx.records.outcome(call.id)
    if isinstance(earlier, ToolResult):
        # Whoever did it may have died before it said so.
        return await _returned(ctx, call, earlier), await _verify(ctx, tool, card)
    if earlier != "new" or not await ctx.records.claim(call.id, call.digest):
        text = (
            "This was started before and its end is not on record: it is not done again. See the check below."
        )
        result = await _returned(ctx, call, ToolResult(call=call.id, status="unknown", text=text))
        return result, await _verify(ctx, tool, card)
    await ctx.emit(Started, call=call)
    grant = ctx.sign(call, decision, card.expires_at)
    result = await ctx.executor.run(Cleared(call=call, verdict=pending.verdict, grant=grant))
    if result.status == "ok" and card.undo.tool:
        result = result.model_copy(update={"data": {**result.data, "undo": card.undo.note}})
    await ctx.records.done(call.id, result)
    await _returned(ctx, call, result)
    # What may have happened is looked at like what did.
    return result, await _verify(ctx, tool, card) if result.status in {"ok", "unknown"} else None


def _declined(card: Approval, decision: Decision) -> ToolResult:
    """A card that came to nothing. `data`: how, and the call with which it would be proposed again."""
    why = decision.reason
    said = {
        "refused": f"refused by {decision.by}" + (f": {why}" if why else ""),
        "expired": f"the card expired at {card.expires_at:%H:%M:%S} UTC, before it was carried out",
        "voided": f"the card is void: {why}",
    }[decision.outcome]
    again = {**card.call.args, **card.preview.settled}
    data = {"declined": decision.outcome, "again": again, "command": card.preview.command}
    return ToolResult(call=card.call.id, status="refused", text=said, data=data)


async def _settled(ctx: Context, tool: Tool, card: Approval) -> Decision:
    """The decision as it holds now: an approved card is void if the world is no longer the one it showed."""
    decision = await ctx.records.decision(card.id)
    if decision is None:
        raise Refused(f"{card.id} has no decision")
    if decision.outcome == "approved" and await ctx.records.outcome(card.call.id) == "new":
        if change := await _changed(ctx, tool, card):
            decision = await ctx.records.decide(_replace(ctx, card, "voided", change))
        elif ctx.wall() > card.expires_at:
            late = f"it expired at {card.expires_at:%H:%M:%S} UTC"
            decision = await ctx.records.decide(_replace(ctx, card, "expired", late))
    await ctx.emit(Decided, approval=card, decision=decision)
    return decision


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
            now = await tool.observed(card.call.args, ctx.handles)
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


async def _verify(ctx: Context, tool: Tool, card: Approval) -> Check:
    began = time.monotonic()
    try:
        check = await tool.check(card.call.args, card.preview.before, ctx.handles)
    except OpsError as error:
        check = Check(outcome="unknown", text=f"the check failed: {error}")
    check = clean_check(ctx.redact, check)
    read = ToolResult(call=check_of(card.call.id), status="ok", text=check.text, sources=check.sources)
    await ctx.records.keep(read)
    check = check.model_copy(update={"sources": ()})
    ctx.seconds["tools"] = ctx.seconds.get("tools", 0.0) + time.monotonic() - began
    await ctx.emit(Verified, call=card.call, check=check)
    return check
