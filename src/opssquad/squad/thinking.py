"""One request to the model: what it is shown, and going on without it when its endpoint fails."""

import asyncio
import json
import time
from collections.abc import Sequence

from opssquad.errors import ModelError, ModelUnreachable
from opssquad.events import Streamed, Thought, Warned
from opssquad.findings import Choice
from opssquad.gate.redact import spoken
from opssquad.models.base import (
    CONCLUDE,
    Case,
    Draft,
    Message,
    Model,
    Reply,
    Request,
    ToolSpec,
    Transfer,
    wordless,
)
from opssquad.squad.context import Context
from opssquad.squad.crew import hand_over_spec
from opssquad.squad.fence import fenced
from opssquad.squad.offering import spec_of
from opssquad.squad.spec import SquadSpec
from opssquad.toolbox import Tool, Toolbox
from opssquad.types import Restraint

GRACE = 30.0
"""Seconds that a model has to conclude once the question's time is used up."""


def tool_specs(
    toolbox: Toolbox, squad: SquadSpec | None = None, restraint: Restraint = "none"
) -> tuple[ToolSpec, ...]:
    """The squad's tools as a model sees them, and the pseudo-tools that end an investigation or hand it over.
    A thread that only reads offers no other tools."""
    specs = [spec_of(tool) for tool in offerable(toolbox, restraint)]
    conclude = ToolSpec(
        name=CONCLUDE,
        description="End the investigation: causes with evidence ids, no fault, or what is missing.",
        parameters=Draft.model_json_schema(),
    )
    return (*specs, *(hand_over_spec(squad) if squad else ()), conclude)


def offerable(toolbox: Toolbox, restraint: Restraint) -> tuple[Tool, ...]:
    """The tools that a thread may offer at all."""
    return tuple(tool for tool in toolbox if tool.effect == "read" or restraint != "read")


class Voice:
    """Passes on what a model says while it works; keeps warnings until they can go on record."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.warnings: list[str] = []
        self._paragraph = self._shown = ""

    def text(self, piece: str) -> None:
        """A piece of the answer. What a secret may still be made of waits for the next one; where it has
        begun to show, nothing more streams, and the whole reply tells it."""
        self._paragraph += piece
        self._tell(self._paragraph[: max(map(self._paragraph.rfind, " \n")) + 1])

    def end(self) -> None:
        """The answer is whole."""
        self._tell(self._paragraph)

    def _tell(self, settled: str) -> None:
        clean = self._ctx.redact.clean(spoken(settled))
        if clean.startswith(self._shown) and clean != self._shown:
            self._ctx.publish(self._ctx.event(Streamed, text=clean[len(self._shown) :]))
            self._shown = clean
        if "\n\n" in settled and clean == self._shown:
            self._paragraph, self._shown = self._paragraph[len(settled) :], ""

    def warn(self, text: str) -> None:
        self.warnings.append(text)


async def think(ctx: Context, messages: Sequence[Message], case: Case, more: Sequence[str] = ()) -> Reply:
    """Ask the model; when it fails, say so and let the fallback answer for the rest of this utterance.
    `more` are tools that it asked to be offered."""
    case = ctx.rank(case)
    page, member = ledger_page(ctx, case), ctx.member(case.squad)
    request = Request(
        system=member.system(),
        messages=(*messages, Message(role="user", text=page)) if page else tuple(messages),
        tools=member.specs if wordless(ctx.speaking, case) else member.offered(case, more),
        case=case,
    )
    if not ctx.model_down:
        try:
            return await _ask(ctx, request)
        except ModelError as error:
            if ctx.fallback is None:
                raise
            ctx.model_down = True
            said = ctx.redact.clean(f"model {ctx.model.name} failed ({error}); going on offline")
            await ctx.emit(Warned, text=said)
    # What the model that failed could not put into words was not looked at.
    made = case.model_copy(update={"calls": tuple(c for c in case.calls if c.made)})
    return await _ask(ctx, request.model_copy(update={"case": made, "tools": member.specs}))


async def _ask(ctx: Context, request: Request) -> Reply:
    model, voice, began = ctx.speaking, Voice(ctx), time.monotonic()
    try:
        reply = await _in_time(ctx, model, request, voice)
        reply = reply.model_copy(update={"text": spoken(reply.text)})
    finally:
        voice.end()
        spent = time.monotonic() - began
        ctx.seconds["model"] = ctx.seconds.get("model", 0.0) + spent
        for text in voice.warnings:
            await ctx.emit(Warned, text=ctx.redact.clean(text))
    reply = reply.model_copy(update={"text": ctx.redact.clean(reply.text)})
    if model is not ctx.fallback:
        ctx.tokens += reply.usage.prompt + reply.usage.completion or _estimated(request, reply)
    await ctx.emit(Thought, model=model.name, text=reply.text, usage=reply.usage, ms=int(spent * 1000))
    return reply


async def _in_time(ctx: Context, model: Model, request: Request, voice: Voice) -> Reply:
    """The reply, as long as the question has time. Raises ModelError."""
    left = max(GRACE, ctx.squad.limits.seconds - sum(ctx.seconds.values()))
    try:
        async with asyncio.timeout(left) as deadline:
            return await model.reply(request, voice)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise ModelUnreachable(f"no whole answer in the {left:.0f} s that the question had left") from error


def _estimated(request: Request, reply: Reply) -> int:
    """Tokens where the endpoint does not count them: four characters each."""
    tools = sum(len(str(spec.parameters)) + len(spec.description) for spec in request.tools)
    said = sum(len(m.text) + sum(len(str(c.args)) for c in m.calls) for m in request.messages)
    written = len(reply.text) + sum(len(str(c.args)) for c in reply.calls)
    return (len(request.system) + tools + said + written) // 4


def ledger_page(ctx: Context, case: Case) -> str:
    """The ledger as a model reads it; empty before anything was looked at."""
    if not case.calls:
        return ""
    signals = "\n".join(
        f"- {s.signal.id} {s.signal.owner}: {s.signal.text} [{', '.join(s.evidence)}]"
        for s in case.signals[:40]
    )
    rows = [
        f"{n}. {h.fault} {h.title} at {h.component}, {h.confidence} ({h.score:.2f}); {h.root_cause}"
        + "".join(f"\n   not: {each}" for each in h.inadmissible)
        + "".join(f"\n   would tell more: {_call(each)}" for each in h.next_calls[:2])
        for n, h in enumerate(case.differential[:5], 1)
    ]
    rows += [f"- {_offered(each)}" for each in case.transfers]
    rows += [f"- not on the list before this is looked at: {_call(each)}" for each in case.leads[:3]]
    spent = sum(1 for c in case.calls if c.turn == case.turn)
    must = " The budget is used up: call `conclude` now, with what you have." if case.must_conclude else ""
    return ctx.ledger_page.format(
        calls=spent,
        limit=ctx.squad.limits.calls_soft,
        must=must,
        signals=fenced(signals, ctx.thread) if signals else "- none",
        differential=fenced("\n".join(rows), ctx.thread) if rows else "nothing in the catalogue fits yet",
    )


def _offered(transfer: Transfer) -> str:
    if transfer.closed:
        return f"squad {transfer.to} could tell more, but {transfer.closed} ({transfer.why})"
    return f"squad {transfer.to} could tell more: {transfer.why} [{', '.join(transfer.evidence)}]"


def _call(choice: Choice) -> str:
    return f"{choice.tool} {json.dumps(choice.args, ensure_ascii=False)} ({choice.label})"
