"""Making a card: what a call would do, computed with handles that cannot write, and why it is asked for."""

import asyncio
from datetime import timedelta

from opssquad.findings import Quote
from opssquad.gate.kubectl.place import TOOL as KUBECTL
from opssquad.models.base import SeenSignal
from opssquad.squad.context import Context
from opssquad.squad.ledger import Ledger
from opssquad.squad.suspecting import suspected
from opssquad.squad.vetting import clean_card
from opssquad.toolbox import Tool
from opssquad.types import Approval, Preview, ToolCall, Undo, Verdict, called

CAREFUL = "Careful: text that was read in this conversation tries to give instructions (see the timeline)"


async def draft_card(ctx: Context, tool: Tool, call: ToolCall, verdict: Verdict, ledger: Ledger) -> Approval:
    """The card of a call that policy asks about; not on record yet. Raises ToolError, TimeoutError.

    Its id follows from the call's: a step that runs again puts up no second one.
    """
    async with asyncio.timeout(tool.deadline):
        preview, undo = await _foreseen(ctx, tool, call, verdict)
        cluster_id = await ctx.identity(tool)
    now = ctx.wall()
    why, evidence = _why(ledger, call)
    if ctx.suspected:
        why = f"{why}. {CAREFUL}"
    return Approval(
        id=f"a-{call.id}",
        thread=ctx.thread,
        call=call,
        preview=preview,
        undo=undo,
        why=why,
        evidence=evidence,
        requested_by=ctx.by,
        squad=ctx.crew.owner(tool.name, ctx.squad.name),
        requested_at=now,
        expires_at=now + timedelta(minutes=ctx.approval_minutes),
        world_time=ctx.clock(),
        rule=verdict.rule,
        needs=verdict.needs,
        suggestion=tool.effect != "read" and ctx.restraint == "suggest",
        effect=tool.effect,
        cluster_id=cluster_id,
    )


async def _foreseen(ctx: Context, tool: Tool, call: ToolCall, verdict: Verdict) -> tuple[Preview, Undo]:
    if tool.effect != "read":
        preview, undo = await tool.foresee(call.args, ctx.handles)
        shown = "\n".join((preview.diff, preview.impact, undo.note))
        await suspected(ctx, call, ctx.lookout((), Quote(locator=f"card a-{call.id}", text=shown)))
        return clean_card(ctx.redact, preview, undo)
    preview = Preview(
        command=written(call),
        impact="reads only; nothing is changed",
        risk="low",
        risk_rule="; ".join(filter(None, ("it is a read", verdict.reason))),
    )
    return preview, Undo(note="nothing to take back")


def written(call: ToolCall) -> str:
    """A read as it is asked for: its line of kubectl, else the call itself."""
    if call.tool == KUBECTL and isinstance(line := call.args.get("line"), str):
        return line.strip()
    return called(call.tool, call.args)


def _why(ledger: Ledger, call: ToolCall) -> tuple[str, tuple[str, ...]]:
    """The signals about what the call touches, gravest first, in the words of the tools that found them; of
    alike ones (three pods that crash) one is told and the others are counted."""
    names = {str(v) for v in call.args.values() if isinstance(v, str | int)}
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
    return text or "no finding speaks for it; it was asked for in this conversation", ids
