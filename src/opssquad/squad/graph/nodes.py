"""The steps of a squad: think, judge, approve, act, until an answer or a conclusion.

The one interrupt has a node of its own with nothing before it: a resumed node runs again from its first line.
"""

import time
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from opssquad.errors import ToolError
from opssquad.events import Answered, Concluded, HandedOver, Warned
from opssquad.findings import Answer, Check, Choice, Conclusion, ToolResult
from opssquad.models.base import CONCLUDE, HAND_OVER, MORE, Case, Message, ModelCall, Reply
from opssquad.squad.acting import act
from opssquad.squad.concluding import conclude, read_draft
from opssquad.squad.context import Context
from opssquad.squad.crew import more_tools, taken_over
from opssquad.squad.fence import NOTE, fenced
from opssquad.squad.judging import Pending, judge_calls
from opssquad.squad.ledger import Ledger
from opssquad.squad.thinking import think
from opssquad.squad.vetting import vetted
from opssquad.squad.way_on import first_of_all, ways_on
from opssquad.types import Json, Mode

Next = Literal["think", "more", "judge", "approve", "act", "hand_over", "answer", "conclude", "__end__"]


class State(BaseModel):
    """What a thread remembers. Large outputs are in the store; here are only compact texts and references."""

    question: str = ""
    turn: int = 0
    mode: Mode = "ask"
    steps: int = 0
    rounds: int = 0
    messages: list[Message] = []
    ledger: Ledger = Ledger()
    calls: list[ModelCall] = []
    pending: list[Pending] = []
    text: str = ""
    chosen: list[ModelCall] = []
    """Calls that the engineer chose by number: they go before the model's."""
    choices: list[Choice] = []
    conclusion: Conclusion | None = None
    strikes: int = 0
    idle: int = 0
    spent: str = ""
    memo: Json = {}
    """What the model wrote down for itself."""
    squads: list[str] = []
    """The squads that have taken this turn's question over, the last one works on it; none: who was asked."""
    brief: str = ""
    """What the last one was asked to find out."""
    more: list[str] = []
    """Tools that the model asked to be offered besides."""


AFRESH: Json = {
    "rounds": 0,
    "strikes": 0,
    "idle": 0,
    "spent": "",
    "conclusion": None,
    "text": "",
    "calls": [],
    "squads": [],
    "brief": "",
    "more": [],
}
"""What a new question forgets of the one before."""
STRIKES = 2
"""Unusable answers of a model before the run goes on offline."""
IDLE = 3
"""Rounds on end in which no call could be made (unknown tools, wrong arguments), before it does likewise."""


async def think_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Ask the model. Its calls get ids of our own, unique over all threads and short enough to cite."""
    ctx, case = runtime.context, case_of(state, runtime.context)
    if spent := "" if state.spent else used_up(state, ctx):
        await ctx.emit(Warned, text=f"{spent}; the squad must conclude with what it has")
    if (state.strikes >= STRIKES or state.idle >= IDLE) and ctx.fallback and not ctx.model_down:
        ctx.model_down = True
        if ctx.model.name != ctx.fallback.name:
            await ctx.emit(Warned, text=f"model {ctx.model.name} gave no usable answer; going on offline")
    chosen = tuple(state.chosen)
    reply = Reply(calls=chosen) if chosen else await think(ctx, state.messages, case, state.more)
    reply = await _within(ctx, case, reply)
    calls = [
        vetted(ctx.redact, ctx.toolbox, c).model_copy(update={"id": f"{ctx.thread}-{state.steps}.{n}"})
        for n, c in enumerate(reply.calls, 1)
    ]
    update: dict[str, Any] = {
        "steps": state.steps + 1,
        "rounds": state.rounds + 1,
        "spent": state.spent or spent,
        "chosen": [],
        "calls": calls,
        "text": reply.text,
        "choices": list(reply.choices),
        "memo": reply.memo or state.memo,
        "messages": [*state.messages, Message(role="assistant", text=reply.text, calls=tuple(calls))],
    }
    return Command(update=update, goto=_after(reply, case))


async def _within(ctx: Context, case: Case, reply: Reply) -> Reply:
    """The reply with no more calls than the budget has left: the rest is not made, and that is said."""
    spent = sum(call.turn == case.turn for call in case.calls)
    room = max(1, ctx.squad.limits.calls_hard - spent)
    if len(reply.calls) <= room:
        return reply
    text = f"{len(reply.calls)} calls were asked for at once; the budget has room for {room}"
    await ctx.emit(Warned, text=text)
    return reply.model_copy(update={"calls": reply.calls[:room]})


def _after(reply: Reply, case: Case) -> Next:
    if any(c.tool == CONCLUDE for c in reply.calls) or (case.must_conclude and reply.calls):
        return "conclude"
    if any(c.tool == HAND_OVER for c in reply.calls):
        return "hand_over"
    if any(c.tool == MORE for c in reply.calls):
        return "more"
    return "judge" if reply.calls else "answer"


async def more_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Offer further tools from here on; what else was called goes its way."""
    ctx, case = runtime.context, runtime.context.rank(case_of(state, runtime.context))
    more, messages = list(state.more), [*state.messages]
    for call in (c for c in state.calls if c.tool == MORE):
        found, text = more_tools(ctx.member(case.squad), case, more, call)
        more += found
        messages.append(Message(role="tool", text=text, call=call.id))
    calls = [call for call in state.calls if call.tool != MORE]
    update = {"more": more, "messages": messages, "calls": calls}
    return Command(update=update, goto="judge" if calls else "think")


async def hand_over_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Let another squad go on with the question and the whole ledger; it must be reachable here."""
    ctx, case = runtime.context, case_of(state, runtime.context)
    call = next(c for c in state.calls if c.tool == HAND_OVER)
    try:
        if call.problem:
            raise ToolError(call.problem)
        transfer = taken_over(ctx.crew, case, call.args)
    except ToolError as error:
        return _struck(state, str(error))
    cited = state.ledger.cited(transfer.evidence)
    await ctx.emit(HandedOver, squad=case.squad, to=transfer.to, why=transfer.why, evidence=cited)
    # Why may be told in words of a log: it is data like that.
    asked = fenced(transfer.why, call.id)
    said = f"squad {transfer.to} goes on from here, with everything on the ledger, for this:\n{asked}"
    messages = [*state.messages, *(Message(role="tool", text=said, call=c.id) for c in state.calls)]
    update = {
        "squads": [*state.squads, transfer.to],
        "brief": transfer.why,
        "messages": messages,
        "calls": [],
    }
    return Command(update=update, goto="think")


async def judge_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Policy, and cards for what asks."""
    pending = await judge_calls(runtime.context, state.calls, state.ledger, state.question)
    idle = state.idle + 1 if all(p.problem for p in pending) else 0
    update = {"pending": pending, "idle": idle}
    return Command(update=update, goto="approve" if any(p.approval for p in pending) else "act")


async def approve_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Wait. Decisions are in the store before this resumes; the value it resumes with means nothing."""
    interrupt({"approvals": [p.approval for p in state.pending if p.approval]})
    return Command(goto="act")


async def act_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Carry out what is free or approved, and write down what came back."""
    ctx, ledger, messages = runtime.context, state.ledger, list(state.messages)
    earlier, began = ctx.seconds.get("tools", 0.0), time.monotonic()
    results = await act(ctx, state.pending)
    ctx.seconds["tools"] = earlier + time.monotonic() - began
    for pending, (result, check) in zip(state.pending, results, strict=True):
        ledger = ledger.took(pending.call, result, state.turn, check, made=not pending.problem)
        messages.append(Message(role="tool", text=told(result, check), call=result.call))
    update = {"ledger": ledger, "messages": messages, "pending": [], "calls": []}
    return Command(update=update, goto="think")


async def answer_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """End the utterance with the model's words; asked for a conclusion, words alone will not do."""
    ctx = runtime.context
    if state.mode == "ask" and state.strikes < STRIKES:
        return _struck(state, "End with a call of `conclude`.")
    choices = state.choices or offered(ctx.rank(case_of(state, ctx)))
    choices = first_of_all(ways_on(state.ledger.of_turn(state.turn)), choices)
    text = state.text or "The model gave no answer."
    await ctx.emit(Answered, answer=Answer(text=text, choices=tuple(choices)))
    return Command(update={"choices": choices}, goto="__end__")


async def conclude_node(state: State, runtime: Runtime[Context]) -> Command[Next]:
    """Check the draft; what does not stand goes back to the model, and after three strikes is not said."""
    ctx, case = runtime.context, runtime.context.rank(case_of(state, runtime.context))
    call = next((c for c in state.calls if c.tool == CONCLUDE), None)
    messages = [*state.messages]
    try:
        if call is None:
            raise ToolError("the budget is used up: call `conclude`")
        conclusion = await conclude(ctx, read_draft(call), state.ledger, case)
    except ToolError as error:
        if state.strikes < STRIKES + 1:
            return _struck(state, str(error))
        conclusion = Conclusion(status="inconclusive", missing=(str(error),))
    messages += [Message(role="tool", text="concluded", call=c.id) for c in state.calls]
    await ctx.emit(Concluded, conclusion=conclusion)
    choices = [o.choice() for o in conclusion.options]
    update = {"conclusion": conclusion, "choices": choices, "messages": messages, "calls": []}
    return Command(update=update, goto="__end__")


def _struck(state: State, text: str) -> Command[Next]:
    """Send the model back with what was wrong; each call it made must be answered."""
    answers = [Message(role="tool", text=text, call=c.id) for c in state.calls]
    messages = [*state.messages, *(answers or [Message(role="user", text=text)])]
    return Command(update={"messages": messages, "calls": [], "strikes": state.strikes + 1}, goto="think")


def case_of(state: State, ctx: Context) -> Case:
    """The ledger as models get it; the differential is filled in by `ctx.rank`."""
    squads = (ctx.squad.name, *state.squads)
    case = Case(
        question=state.question,
        turn=state.turn,
        mode=state.mode,
        target=ctx.target,
        signals=state.ledger.signals,
        evidence=state.ledger.evidence,
        calls=state.ledger.calls,
        choices=tuple(state.choices),
        must_conclude=bool(state.spent or used_up(state, ctx)),
        squad=squads[-1],
        squads=squads,
        brief=state.brief,
        memo=state.memo,
    )
    return case.model_copy(update={"transfers": ctx.crew.transfers(case)})


def used_up(state: State, ctx: Context) -> str:
    """Which of the question's budgets is used up, in words; empty while there is room."""
    limits = ctx.squad.limits
    used = {
        "calls": (len(state.ledger.of_turn(state.turn)), limits.calls_hard),
        "rounds": (state.rounds, limits.rounds),
        "tokens": (ctx.tokens, limits.tokens),
        "seconds": (int(sum(ctx.seconds.values())), limits.seconds),
    }
    return next(
        (
            f"the question has used up its {name} ({n} of {most:g})"
            for name, (n, most) in used.items()
            if n >= most
        ),
        "",
    )


def offered(case: Case) -> list[Choice]:
    """Next steps from the differential for a model that offered none: what would tell most, then fixes."""
    top = case.differential[:1]
    steps = [c for h in top for c in h.next_calls[:2]] + [o.choice() for h in top for o in h.options[:2]]
    return steps[:4]


def told(result: ToolResult, check: Check | None) -> str:
    """A call's result as a model reads it: what came from outside is fenced, what we say of it is not."""
    text = fenced(result.text, result.call)
    if check:
        text += f"\nVerified: {check.outcome}.\n{fenced(check.text, result.call)}"
    return f"{text}\n{NOTE}" if result.suspicions else text
