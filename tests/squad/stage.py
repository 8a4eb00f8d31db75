"""A small stage for the graph: real store, executor, signer and checkpoints; a counter as the world; replies
played in order as the model."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from opssquad import Check, Handle, Preview, Quote, Ref, Result, Signal, Toolbox, Undo, tool
from opssquad.events import Event
from opssquad.executor import Executor
from opssquad.gate.grant import Signer
from opssquad.gate.injection import Lookout
from opssquad.gate.redact import Redactor
from opssquad.models.base import Message, ModelCall
from opssquad.models.scripted import Scripted
from opssquad.squad.context import Context
from opssquad.squad.crew import Member
from opssquad.squad.graph.engine import Engine
from opssquad.squad.spec import Limits, SquadSpec
from opssquad.squad.thinking import tool_specs
from opssquad.store.base import AuditDraft, ThreadRecord
from opssquad.store.sqlite import Store
from opssquad.testing import concludes, scripted
from opssquad.types import Decision, Effect, Target, ToolCall, Verdict

COUNTER = Ref(kind="Counter", namespace="ns", name="main")


class Counter(Handle):
    """The world: a number, and a version that moves with every change."""

    def __init__(self, value: int = 0) -> None:
        self.value, self.version = value, 1

    def add(self, by: int) -> None:
        self.value, self.version = self.value + by, self.version + 1


@tool(effect="read")
async def look(counter: Counter) -> Result:
    """Look at the counter."""
    source = Quote(locator=str(COUNTER), text=f"value={counter.value}")
    stuck = Signal(
        id="counter.low", entity=COUNTER, owner=COUNTER, text="the counter is low", quotes=(source,)
    )
    return Result(text=f"The counter stands at {counter.value}.", sources=(source,), signals=(stuck,))


@tool(effect="mutate")
async def bump(counter: Counter, by: int = 1) -> Result:
    """Raise the counter."""
    counter.add(by)
    return Result(text=f"raised by {by}")


@bump.preview
async def _(counter: Counter, by: int) -> Preview:
    return Preview(
        command=f"count bump --by {by}",
        impact=f"{counter.value} becomes {counter.value + by}",
        risk="low",
        risk_rule="counters are cheap",
        binding={str(COUNTER): f"version={counter.version}"},
        before={"value": counter.value},
    )


@bump.undo
def _(by: int) -> Undo:
    return Undo(note=f"lower it by {by}", tool="bump", args={"by": -by})


@bump.observe
async def _(counter: Counter) -> dict[str, str]:
    return {str(COUNTER): f"version={counter.version}"}


@bump.verify
async def _(counter: Counter, by: int, before: dict[str, int]) -> Check:
    better = counter.value == before["value"] + by
    source = Quote(locator=str(COUNTER), text=f"checked value={counter.value}")
    text = f"the counter stands at {counter.value}"
    raised = Signal(id="counter.raised", entity=COUNTER, owner=COUNTER, text=text, quotes=(source,))
    return Check(
        outcome="better" if better else "worse",
        text=f"it stands at {counter.value}",
        signals=(raised,),
        sources=(source,),
    )


def conclude(evidence: Sequence[str] = ("e1",), component: str = str(COUNTER)) -> ModelCall:
    return concludes(component, "it is low", fault="F1", evidence=evidence)


async def judge(call: ToolCall, effect: Effect | None) -> Verdict:
    outcome = {"read": "allow", "mutate": "ask", None: "refuse"}[effect]
    return Verdict.model_validate({"outcome": outcome, "rule": "test", "reason": f"{effect}"})


@dataclass
class Stage:
    """An open thread with its parts at hand."""

    ctx: Context
    store: Store
    engine: Engine
    counter: Counter
    events: list[Event] = field(default_factory=list)

    async def ask(self, text: str, mode: str = "chat", chosen: Sequence[ModelCall] = ()) -> list[str]:
        """Say something, or choose calls that were offered; the kinds of the events that followed."""

        state = await self.engine.state()
        self.ctx.turn = state.turn + 1
        message = Message(role="user", text=text)
        update = {"question": text, "turn": self.ctx.turn, "mode": mode, "rounds": 0, "strikes": 0}
        update |= {"conclusion": None, "chosen": list(chosen), "messages": [*state.messages, message]}
        return await self._kinds(self.engine.start(update))

    async def go_on(self) -> list[str]:
        return await self._kinds(self.engine.go_on())

    async def _kinds(self, run: Any) -> list[str]:
        before = len(self.events)
        await run
        return [e.kind for e in self.events[before:]]

    async def decide(self, outcome: str, reason: str = "", by: str = "ada", **more: Any) -> Decision:
        (waiting,) = await self.engine.waiting()
        card = await self.store.approval(waiting)
        fields = {"approval": card.id, "call_digest": card.call.digest, "outcome": outcome, "by": by, **more}
        return await self.store.decide(
            Decision.model_validate({**fields, "at": datetime.now(UTC), "reason": reason})
        )


@asynccontextmanager
async def stage(
    folder: Path,
    model: Scripted,
    fallback: Scripted | None = None,
    counter: Counter | None = None,
    toolbox: Toolbox | None = None,
    audit: Callable[[Event], AuditDraft | None] | None = None,
    **limits: Any,
) -> AsyncIterator[Stage]:
    """Open the thread `t` in a state folder; opening it again goes on where it stood."""
    counter, lookout = counter or Counter(), Lookout(Redactor())
    toolbox, signer, events = toolbox or Toolbox([look, bump]), Signer.open(folder), list[Event]()
    spec = SquadSpec(
        name="s", title="S", description="", prompt="", tools=("look", "bump"), limits=Limits(**limits)
    )
    now = lambda: datetime.now(UTC)  # noqa: E731
    run = partial(Executor, admit=signer.admit, redact=Redactor(), lookout=lookout)
    async with await Store.open(folder) as store:
        if not await store.threads():
            await store.create_thread(
                ThreadRecord(id="t", squad="s", model="m", started_at=now(), world_started_at=now())
            )

        ctx = Context(
            thread="t",
            squad=spec,
            members={"s": Member(spec, lambda: "You count.", tool_specs(toolbox))},
            ledger_page="{calls} of {limit}{must}\n{signals}\n{differential}",
            model=model,
            fallback=fallback or scripted(),
            toolbox=toolbox,
            handles={Counter: counter},
            target=Target(cluster="c", namespace="ns"),
            by="ada",
            judge=judge,
            roles=lambda person: (),
            rank=lambda case: case,
            sign=signer.grant,
            executor=run(toolbox, {Counter: counter}),
            redact=Redactor(),
            lookout=lookout,
            records=store,
            audit=audit or (lambda event: None),
            publish=events.append,
            clock=now,
            wall=now,
        )
        async with Engine(store.checkpoints, ctx) as engine:
            yield Stage(ctx, store, engine, counter, events)
