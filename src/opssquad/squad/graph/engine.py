"""The graph of one thread with its checkpoints: start, wait, go on. Every step is on disk before the next."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, StateSnapshot
from langsmith import tracing_context
from pydantic import ValidationError

from opssquad.errors import StoreError
from opssquad.squad.context import Context
from opssquad.squad.graph import nodes
from opssquad.squad.graph.nodes import State
from opssquad.store.database import translate

STEPS = 150
"""Most steps of one utterance; budgets end it long before."""


class Engine:
    """Runs the squad's graph for one thread."""

    def __init__(self, path: Path, ctx: Context) -> None:
        self._path, self._ctx = path, ctx
        self._config: RunnableConfig = {"configurable": {"thread_id": ctx.thread}, "recursion_limit": STEPS}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        with translate(self._path):
            self._path.touch(mode=0o600)
            saver = await self._stack.enter_async_context(AsyncSqliteSaver.from_conn_string(str(self._path)))
            # The file is read now: a damaged one is told before anything is asked or done.
            await saver.setup()
        self._graph = _build(saver)
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._stack.aclose()

    async def state(self) -> State:
        """What the thread remembers; an empty state for a new one."""
        snapshot = await self._snapshot()
        try:
            return State.model_validate(snapshot.values)
        except ValidationError as error:
            raise StoreError(self._unreadable()) from error

    async def waiting(self) -> list[str]:
        """The cards that the graph stopped at."""
        snapshot = await self._snapshot()
        return [card for i in snapshot.interrupts for card in i.value["approvals"]]

    async def unfinished(self) -> bool:
        """Whether there is something left to run, or a card to wait for."""
        return bool((await self._snapshot()).next)

    async def start(self, update: dict[str, Any]) -> None:
        """Run from an utterance until it ends or a card is up."""
        await self._invoke(update)

    async def go_on(self) -> bool:
        """Run on from a decided card or a crash; False if there was nothing left to do."""
        snapshot = await self._snapshot()
        if not snapshot.next:
            return False
        await self._invoke(Command(resume=True) if snapshot.interrupts else None)
        return True

    async def _snapshot(self) -> StateSnapshot:
        try:
            with translate(self._path):
                return await self._graph.aget_state(self._config)
        # Bytes that are no checkpoint fail wherever they first make no sense.
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(self._unreadable()) from error

    def _unreadable(self) -> str:
        thread = self._ctx.thread
        return (
            f"{self._path}: the state of thread {thread} cannot be read; restore a copy, or ask anew"
            f" (what was done is kept: `opssquad incident show {thread}`)"
        )

    async def _invoke(self, value: Any) -> None:
        # Graph state stays on this machine, whatever tracing variables the shell has set.
        with tracing_context(enabled=False), translate(self._path):
            await self._graph.ainvoke(value, self._config, context=self._ctx, durability="sync")


def _build(saver: AsyncSqliteSaver) -> CompiledStateGraph[State, Context, State, State]:
    """No node has a retry policy: what failed is told, and a mutation happens at most once."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("think", nodes.think_node)
    graph.add_node("judge", nodes.judge_node)
    graph.add_node("approve", nodes.approve_node)
    graph.add_node("act", nodes.act_node)
    graph.add_node("hand_over", nodes.hand_over_node)
    graph.add_node("more", nodes.more_node)
    graph.add_node("answer", nodes.answer_node)
    graph.add_node("conclude", nodes.conclude_node)
    graph.set_entry_point("think")
    return graph.compile(checkpointer=saver)
