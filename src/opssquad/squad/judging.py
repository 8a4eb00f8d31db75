"""From the calls a model wrote to what becomes of each: refused, free, suggested, or behind a card.

What humans said before counts here: a yes to a read for the session, and a no that is not asked for again.
"""

import re
from collections.abc import Sequence

from opssquad.errors import ToolError
from opssquad.events import Called, Judged, Requested
from opssquad.findings import Suspicion, output
from opssquad.gate.kubectl import namespace_of
from opssquad.gate.restraint import restrained
from opssquad.models.base import ModelCall, PastCall
from opssquad.squad.cards import draft_card
from opssquad.squad.context import Context
from opssquad.squad.ledger import Ledger
from opssquad.store.base import ApprovalRecord
from opssquad.store.consent import short_of
from opssquad.toolbox import Tool
from opssquad.types import Approval, Decision, Json, Target, ToolCall, Value, Verdict

EARLIER = "an earlier no"
"""The rule that answers a call which a human refused before in the thread."""
BETWEEN = r"\w{0,3}\W+(?:\w+\W+){0,3}"
"""What may stand inside the name of a tool in a sentence: `rolling it back` names rollback."""


class Pending(Value):
    """A call of the last reply on its way: refused at once (`problem`), free, behind a card (`approval`), or
    only put on screen for the engineer to run (`suggestion`); the latter two are ids of cards."""

    call: ToolCall
    verdict: Verdict
    problem: str = ""
    approval: str = ""
    suggestion: str = ""
    suspicions: tuple[Suspicion, ...] = ()


async def judge_calls(
    ctx: Context, calls: Sequence[ModelCall], ledger: Ledger, question: str
) -> list[Pending]:
    """Validate and judge what the model asked for; what asks gets its card, on record and on screen.
    `question` is what the engineer said in this turn."""
    return [await _judge(ctx, call, ledger, question) for call in calls]


async def verdict_on(ctx: Context, call: ToolCall) -> Verdict:
    """What policy and the thread's restraint say of a call now."""
    effect = ctx.toolbox.get(call.tool).effect if call.tool in ctx.toolbox else None
    return restrained(await ctx.judge(call, effect), effect, ctx.restraint)


async def standing(ctx: Context, call: ToolCall) -> Verdict:
    """The verdict now; a yes for the session that still holds stands for asking."""
    return await _remembered(ctx, call, await verdict_on(ctx, call))


async def _judge(ctx: Context, written: ModelCall, ledger: Ledger, question: str) -> Pending:
    call = ToolCall(id=written.id, tool=written.tool, args=written.args, target=_target(ctx, written))
    verdict = await standing(ctx, call)
    await ctx.tell(ctx.event(Called, call=call), ctx.event(Judged, call=call, verdict=verdict))
    if written.problem:
        return Pending(call=call, verdict=verdict, problem=written.problem)
    try:
        tool = ctx.toolbox.get(written.tool)
        tool.validate(written.args)
        if verdict.outcome == "ask":
            card = await draft_card(ctx, tool, call, verdict, ledger)
            anew = written.chosen or names(question, tool.name)
            return await _put_up(ctx, card, verdict, await _said_before(ctx, tool, card, ledger, anew))
    except ToolError as error:
        # Such a text may say what a server said.
        found, problem = ctx.lookout((), output(call.id, str(error))), ctx.redact.clean(str(error))
        return Pending(call=call, verdict=verdict, problem=problem, suspicions=found)
    except TimeoutError:
        late = f"{tool.name}: what it would do could not be foreseen within {tool.deadline:g} s; try again"
        return Pending(call=call, verdict=verdict, problem=late)
    return Pending(call=call, verdict=verdict)


def _target(ctx: Context, written: ModelCall) -> Target:
    namespace = namespace_of(written.tool, written.args)
    return ctx.target if namespace is None else ctx.target.model_copy(update={"namespace": namespace})


async def _put_up(ctx: Context, card: Approval, verdict: Verdict, before: str) -> Pending:
    """The card on record and on screen, or the refusal of what was refused before."""
    if before:
        refused = Verdict(outcome="refuse", rule=EARLIER, reason=before)
        await ctx.emit(Judged, call=card.call, verdict=refused)
        return Pending(call=card.call, verdict=refused)
    # The card of a step that runs again is on record, and may be decided: that one is shown.
    card = await ctx.records.add_approval(card)
    await ctx.emit(Requested, approval=card)
    field = "suggestion" if card.suggestion else "approval"
    return Pending.model_validate({"call": card.call, "verdict": verdict, field: card.id})


async def _remembered(ctx: Context, call: ToolCall, verdict: Verdict) -> Verdict:
    """The verdict, or that a yes for the session to an alike read of this thread still holds: the same tool
    on the same target of the same cluster, asked about by the same rule, which wants no more than it did."""
    known = call.tool in ctx.toolbox
    if verdict.outcome != "ask" or not known or ctx.toolbox.get(call.tool).effect != "read":
        return verdict
    for record in await ctx.records.approvals("approved", ctx.thread):
        card, yes = record.approval, record.decision
        if yes is None or not yes.session or card.effect != "read":
            continue
        alike = (card.call.tool, card.call.target, card.rule) == (call.tool, call.target, verdict.rule)
        # Who asks now may be another than who asked then, and the yes be that one's own.
        asked = card.model_copy(update={"requested_by": ctx.by})
        enough = alike and not short_of(asked, verdict.needs, yeses(ctx, record))
        if enough and await _same_cluster(ctx, card):
            reason = f"{yes.by} said yes to reads like this for the session ({card.id})"
            return Verdict(outcome="allow", rule=verdict.rule, reason=reason)
    return verdict


def yeses(ctx: Context, record: ApprovalRecord) -> list[Decision]:
    """The yeses to a card, each with the roles that policy gives its author now."""
    return [each.model_copy(update={"roles": ctx.roles(each.by)}) for each in record.yeses]


async def _same_cluster(ctx: Context, card: Approval) -> bool:
    try:
        return card.cluster_id == await ctx.identity(ctx.toolbox.get(card.call.tool))
    except ToolError:  # it cannot be asked now: then nothing is taken for granted
        return False


async def _said_before(ctx: Context, tool: Tool, card: Approval, ledger: Ledger, anew: bool) -> str:
    """Why the card is not put up: a human refused the same call, by the arguments as they would be carried
    out. In the turn of the no nothing brings it back; in a later one the engineer may ask for it (`anew`)."""
    args = {**card.call.args, **card.preview.settled}
    alike = (c for c in reversed(ledger.calls) if c.tool == tool.name and _same(tool, _meant(c), args))
    past = next((c for c in alike if c.status in ("ok", "unknown") or "declined" in c.data), None)
    declined, again = past and past.data.get("declined"), past and past.turn == ctx.turn
    if past is None or declined not in ("refused", "suggested") or (not again and anew):
        return ""
    if declined == "suggested":
        return "it was suggested already and stands on the engineer's screen; go on without it" * bool(again)
    decision = await ctx.records.decision(f"a-{past.call}")
    by, why = (decision.by, decision.reason) if decision else ("the engineer", "")
    said = f"{by} refused this before" + (f": {why}" if why else "") + "; propose something else, or ask"
    return said if again else f"{said} (the engineer brings it back by asking for {tool.name} by name)"


def _meant(past: PastCall) -> Json:
    meant: Json = past.data.get("again", past.args)
    return meant


def _same(tool: Tool, one: Json, other: Json) -> bool:
    """Whether two calls are the same once defaults are filled in."""
    try:
        return tool.validate(one) == tool.validate(other)
    except ToolError:
        return False


def names(said: str, tool: str) -> bool:
    """Whether the engineer's words name a tool: `roll it back` names rollback, `set the image` set_image."""
    name = re.sub(r"[^a-z0-9]", "", tool.lower())
    parted = [rf"\b{name[:at]}{BETWEEN}{name[at:]}" for at in range(3, len(name) - 2)]
    return any(re.search(form, said.lower()) for form in (tool.lower(), name, *parted))
