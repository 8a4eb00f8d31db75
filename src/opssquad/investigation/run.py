"""The conversation itself: an utterance in, a stream of events out; cards decided, runs resumed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self

from opssquad.errors import UsageError
from opssquad.events import Asked, Ended, Event, Progressed, Stopped, Warned
from opssquad.findings import Choice, Evidence
from opssquad.incident.timeline import fold, render
from opssquad.investigation import assemble, speaking
from opssquad.investigation.choosing import beyond, chosen, last_undo, picked_call
from opssquad.investigation.deciding import Cards
from opssquad.investigation.in_force import policy_of
from opssquad.investigation.opening_audit import Opening
from opssquad.investigation.options import Options
from opssquad.investigation.outside import outside
from opssquad.investigation.systems import connect
from opssquad.investigation.walking import walked
from opssquad.models.base import Message, Model, ModelCall
from opssquad.squad.context import CURRENT_CALL, Context
from opssquad.squad.crew import others_of
from opssquad.squad.fence import heard
from opssquad.squad.graph.engine import Engine
from opssquad.squad.graph.nodes import AFRESH
from opssquad.store.base import ApprovalRecord, ThreadRecord
from opssquad.store.sqlite import Store
from opssquad.store.threads import alone
from opssquad.times import wall_clock
from opssquad.types import Approval, Decision, Json, Restraint, Ruling, Target, called

UNDO = "/undo"
"""The words that take the last change back, typed or offered as a choice."""


class Investigation:
    """A thread that is open in this process. Made by `open`; use as an async context manager."""

    def __init__(self, opening: Opening, record: ThreadRecord, ctx: Context, engine: Engine) -> None:
        self.options, self.thread, self.squad = opening.options, record.id, record.squad
        self._record, self._ctx, self._store, self._engine = record, ctx, opening.store, engine
        self._cards = Cards(opening.store, ctx)
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._opening = opening
        self._stack = AsyncExitStack()
        self._asked: Asked | None = None
        self._turns = 0
        self._make_model: Callable[[str], Model]
        self._reload: Callable[[], Awaitable[tuple[str, ...]]]

    @classmethod
    async def open(cls, options: Options, resume: str = "") -> Self:
        """Start a thread, or take one up again. Raises UsageError, StoreError."""
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(await Store.open(options.state))
            now = wall_clock()
            record = await store.thread(resume) if resume else None
            options = assemble.options_of(record, options) if record else options
            assemble.check(options)
            thread = record.id if record else assemble.thread_id()
            stack.enter_context(alone(options.state, thread))
            systems = await connect(options, thread, record.started_at if record else now, stack)
            run: list[Self] = []
            voices = assemble.Voices(lambda text: run[0]._progress(text), lambda: run[0].timeline())
            past = await store.events(thread)
            opening = Opening(store, options, thread)
            make = partial(speaking.make_model, options=options, store=store, systems=systems)
            model = walked(opening.watched(make(options.model)), options)
            policy = policy_of(options, others_of(options.squad, systems.has))
            beside = outside(options, stack)
            ctx = assemble.make_context(opening, policy, systems, beside, voices, model, past)
            ctx.recall(past)
            await opening.record(ctx, policy.now(), systems)
            if record is None:
                record = assemble.record_of(options, ctx, thread, now)
                await store.create_thread(record)
            elif record.restraint != options.restraint:
                record = record.model_copy(update={"restraint": options.restraint})
                await store.update_thread(record)
            engine = await stack.enter_async_context(Engine(store.checkpoints, ctx))
            self = cls(opening, record, ctx, engine)
            self._make_model, self._reload = make, partial(assemble.reload, ctx, opening, policy, systems)
            run.append(self)
            if asked := next((e for e in reversed(past) if isinstance(e, Asked)), None):
                self._asked, self._turns = asked, asked.turn
            ctx.publish = self._queue.put_nowait
            self._stack = stack.pop_all()
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._stack.aclose()

    @property
    def model(self) -> str:
        """The model's name as the screen shows it."""
        return self._ctx.speaking.name

    @property
    def restraint(self) -> Restraint:
        """What this thread may do at most."""
        return self.options.restraint

    @property
    def masked(self) -> str:
        """What the model gets under other names, in words; empty where it gets everything as it is."""
        return "" if self._ctx.model_down else str(getattr(self._ctx.model, "says", ""))

    @property
    def target(self) -> Target:
        """Where this thread looks and acts."""
        return self._ctx.target

    def use_model(self, name: str) -> None:
        """Go on with another model. Raises UsageError."""
        model = walked(self._opening.watched(self._make_model(name)), self.options)
        self._ctx.model, self._ctx.model_down = model, False

    async def ask(self, text: str) -> AsyncIterator[Event]:
        """One utterance: yields events until `Stopped`. Closing the iterator cancels the run."""
        if not await self.pending() and await self._amid_a_change():
            # Decided elsewhere and not carried out yet, or cut off: that comes before anything new.
            async for event in self.resume():
                yield event
        if await self.pending():
            raise UsageError("a card waits for an answer; approve or refuse it first")
        async for event in self._understood(text):
            yield event

    async def _amid_a_change(self) -> bool:
        """Whether the thread stopped before it had said what became of a card."""
        if not await self._engine.unfinished():
            return False
        state = await self._engine.state()
        calls = {c.id for c in state.calls} | {c.call for c in state.ledger.of_turn(state.turn)}
        return any(r.approval.call.id in calls for r in await self._store.approvals(thread=self.thread))

    async def _understood(self, text: str) -> AsyncIterator[Event]:
        """The utterance as what it means: a choice that was offered, the way back, or words for the squad."""
        state = await self._engine.state()
        if said := beyond(text, state.choices):
            raise UsageError(said)
        picked = chosen(text, state.choices)
        if (picked.say if picked else text).strip() == UNDO:
            async for event in self.undo():
                yield event
            return
        call = picked_call("chosen", picked.tool, picked.args) if picked and picked.tool else None
        words = (picked.say or picked.label) if picked else text
        async for event in self._turn(text, words, call):
            yield event

    async def call(self, tool: str, args: Json) -> AsyncIterator[Event]:
        """One call of a tool, as if the engineer had chosen it: through policy, card and record."""
        said = called(tool, args)
        async for event in self._turn(said, said, picked_call("asked", tool, args)):
            yield event

    async def reload(self) -> tuple[str, ...]:
        """Go on with squads and tools as their files are now; what is new, gone, changed or left out. Raises
        UsageError, and nothing has changed then; StoreError."""
        return await self._reload()

    async def undo(self) -> AsyncIterator[Event]:
        """Propose to take the last mutation back, as it was stored before the act: a new call, a new card."""
        undo = await last_undo(self._store, self.thread)
        if not undo.tool:
            raise UsageError(f"the last change cannot be undone by a tool: {undo.note}")
        call = picked_call("undo", undo.tool, undo.args)
        async for event in self._turn("/undo", f"undo: {undo.note}", call):
            yield event

    async def _turn(self, said: str, words: str, call: ModelCall | None) -> AsyncIterator[Event]:
        # What is typed is kept and sent to the model: a pasted secret is not.
        state, ctx = await self._engine.state(), self._ctx
        said, words = ctx.redact.clean(said), ctx.redact.clean(words)
        ctx.turn = self._turns = max(self._turns, state.turn) + 1
        ctx.seconds, ctx.tokens = {}, 0
        await ctx.emit(Asked, text=said, squad=self.squad, by=ctx.by, target=ctx.target)
        if ctx.turn == 1:
            for line in assemble.left_out(ctx):
                await ctx.emit(Warned, text=line)
        if not self._record.title:
            self._record = self._record.model_copy(update={"title": said[:140]})
            await self._store.update_thread(self._record)
        # Every call that a model made must be answered, also where the run was stopped before it.
        unmade = [Message(role="tool", text="stopped before this was made", call=c.id) for c in state.calls]
        update: dict[str, Any] = {
            **AFRESH,
            "question": words,
            "turn": ctx.turn,
            "mode": self.options.mode,
            "chosen": [call] if call else [],
            "messages": [
                *state.messages,
                *unmade,
                Message(role="user", text=heard(said, words, self.thread)),
            ],
        }
        async for event in self._follow(update):
            yield event

    async def resume(self) -> AsyncIterator[Event]:
        """Go on after decisions, or where a dead process stopped; only `Stopped` if all is done."""
        turn, (asked, self._asked) = (await self._engine.state()).turn, (self._asked, None)
        if asked and asked.turn > turn:
            # On record, and the process died before the squad had it.
            self._ctx.turn, self._turns = asked.turn, asked.turn - 1
            await self._ctx.emit(Warned, text=f"asked before, and not taken up until now: {asked.text}")
            async for event in self._understood(asked.text):
                yield event
            return
        self._ctx.turn = turn
        async for event in self._follow(None):
            yield event

    async def _follow(self, update: dict[str, Any] | None) -> AsyncIterator[Event]:
        task = asyncio.create_task(self._drive(update))
        task.add_done_callback(lambda _: self._queue.put_nowait(None))
        try:
            while (event := await self._queue.get()) is not None:
                yield event
            await task
        finally:
            # Whoever listened has gone: stop the work, keep the thread resumable, and leave nothing of this
            # run for the next one to read.
            task.cancel()
            await asyncio.wait([task])
            while not self._queue.empty():
                self._queue.get_nowait()

    async def _drive(self, update: dict[str, Any] | None) -> None:
        """Run the graph; answer cards by policy where `--approve` says so; say how it ended."""
        if update is not None:
            await self._engine.start(update)
        while True:
            waiting = await self._engine.waiting()
            if open_cards := await self._cards.open(waiting, self.options.approve):
                await self._ctx.emit(Stopped, status="pending", reason=", ".join(open_cards))
                return
            if not await self._engine.go_on():
                break
        await self._ctx.emit(Stopped, status=await self._status())

    async def _status(self) -> Ended:
        conclusion = (await self._engine.state()).conclusion
        return conclusion.status if conclusion else "answered"

    async def decide(
        self, approval_id: str, outcome: Ruling, by: str, reason: str = "", *, session: bool = False
    ) -> Decision:
        """Put a decision on record; the one that stands comes back, which may be an earlier one, or
        `consented`: more people must say yes yet. `session`: a yes to a read holds for alike reads from then
        on. Raises Refused for a yes of somebody who may not give it."""
        card = (await self._cards.record(approval_id)).approval
        stands = await self._cards.decide(card, outcome, by, reason, session=session)
        if stands.session and stands.outcome == "approved":
            await self._cards.free_alike(card, stands, await self.pending())
        return stands

    async def pending(self) -> list[Approval]:
        """Cards of this thread that wait for an answer, and whose time is not over."""
        return await self._cards.pending(await self._engine.waiting())

    async def record(self, approval_id: str) -> ApprovalRecord:
        """A card and what was said to it so far. Raises UsageError."""
        return await self._cards.record(approval_id)

    async def memo(self) -> Json:
        """What the model wrote down for itself: of a runbook, how far it was walked."""
        return (await self._engine.state()).memo

    async def choices(self) -> Sequence[Choice]:
        """The numbered next steps offered last."""
        return (await self._engine.state()).choices

    async def evidence(self, id: str) -> tuple[Evidence, str]:
        """A piece of evidence and the whole text it stands in. Raises UsageError."""
        ledger = (await self._engine.state()).ledger
        found = ledger.cited([id])
        if not found:
            known = ", ".join(e.id for e in ledger.evidence[-8:]) or "none yet"
            raise UsageError(f"no evidence {id!r}; the latest are: {known}")
        output = await self._store.output(found[0].call)
        source = next((s.text for s in output.sources if s.locator == found[0].locator), "")
        return found[0], source

    async def timeline(self) -> str:
        """The incident's timeline as `HH:MM - text`."""
        return render(fold(await self._store.events(self.thread)))

    def _progress(self, text: str) -> None:
        self._queue.put_nowait(
            self._ctx.event(Progressed, call=CURRENT_CALL.get(), text=self._ctx.redact.clean(text))
        )
