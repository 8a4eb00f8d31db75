"""`opssquad mcp serve`: what an agent asks becomes a thread like anybody's, and what it may not decide waits
for a human.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import click

from opssquad import content
from opssquad.cli.ask import follow_quietly
from opssquad.cli.opening import open_session, options, squad_of
from opssquad.cli.report import fold
from opssquad.cli.session import Session, Wanted
from opssquad.cli.shared import Shared
from opssquad.errors import OpsError, UsageError
from opssquad.events import Event, Returned
from opssquad.extensions.library import tools
from opssquad.gate.keys import load_key
from opssquad.settings import OFFLINE, Settings
from opssquad.squad.fence import NOTE, fenced
from opssquad.squad.spec import load_squad
from opssquad.toolbox import Tool
from opssquad.types import Json
from opssquad.worlds.mcp.offered import Told
from opssquad.worlds.mcp.servers import MISSING, absent

ASK = "ask"
QUESTIONS = 4
"""Questions that are worked on at one time; the others wait their turn."""
CALLS = 50
"""Calls that share a thread: it is read whole at each of them."""
WORDS = (
    "opssquad investigates what is wrong with a system. `ask` has a squad look for the cause, which may take"
    " minutes and ends in a conclusion with evidence; the other tools are those that the squad works with."
    " Nothing is changed by a call: what would change something becomes a card that a human decides."
)
ASKS = (
    "Ask a squad what is wrong: it looks by itself, and concludes with causes, evidence and what may be done."
)
PROPOSES = "Puts up a card for a human, who decides whether it happens. "


async def serve_agents(shared: Shared, wanted: Wanted, port: int | None) -> None:
    """Serve until stdin ends, or with a port until the process is told to go. Raises UsageError."""
    try:
        from opssquad.worlds.mcp import serving
    except ModuleNotFoundError as error:
        if not absent(error):
            raise
        raise UsageError(MISSING) from error

    # First of all: nothing that is printed on the way may be among the messages.
    pipes = serving.claimed() if port is None else None
    settings = shared.settings()
    desk = Desk(settings, wanted)
    offered = [
        serving.Served(ASK, ASKS, desk.question(), reads=True),
        *(serving.Served(t.name, _words(t), t.parameters(), t.effect == "read") for t in desk.tools.values()),
    ]
    try:
        # What cannot be served is said before anybody asks.
        await desk.open()
        if pipes:
            await serving.serve(offered, desk.answer, WORDS, pipes)
            return
        at, url = serving.bound(port or 0)
        with at:
            click.echo(f"serving at {url}; its token: opssquad mcp token", err=True)
            await serving.serve_http(offered, desk.answer, WORDS, at, token_of(settings.state))
    finally:
        await desk.close()


def token_of(state: Path) -> str:
    """What agents show to be let in over HTTP; made when first wanted. Raises StoreError."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_key(state / "mcp.key").hex()


def _words(tool: Tool) -> str:
    return tool.description if tool.effect == "read" else f"{PROPOSES}{tool.description}"


class Desk:
    """Answers agents. Each question is a thread; calls of tools share one, until a card is put up in it."""

    def __init__(self, settings: Settings, wanted: Wanted) -> None:
        self._settings, self._wanted = settings, wanted
        self._squad = squad_of(wanted)
        self.tools = {
            tool.name: tool
            for tool in tools(load_squad(content.squad(self._squad)).tools)
            if tool.name != ASK and (tool.effect == "read" or not (settings.read_only or wanted.read_only))
        }
        self._lock, self._questions = asyncio.Lock(), asyncio.Semaphore(QUESTIONS)
        self._session: Session | None = None
        self._stack = AsyncExitStack()
        self._calls = 0

    def question(self) -> Json:
        """The schema of a question. The squad is the command line's where that names one."""
        properties: Json = {"question": {"type": "string", "description": "such as: why do logins fail?"}}
        if not self._wanted.squad:
            about = f"which squad to ask, {self._squad} where none is named"
            properties["squad"] = {"type": "string", "enum": list(content.squads()), "description": about}
        return {"type": "object", "properties": properties, "required": ["question"]}

    async def answer(self, name: str, args: Json) -> Told:
        """What a call comes to; every way in which it fails is told."""
        try:
            if name == ASK:
                return await self._ask(args)
            if name in self.tools:
                return await self._call(name, args)
        except OpsError as error:
            return Told(str(error), failed=True)
        return Told(f"there is no tool {name!r}; there is {', '.join((ASK, *self.tools))}", failed=True)

    async def open(self) -> Session:
        """The thread that calls of tools share. Raises OpsError."""
        if self._session is None or self._calls >= CALLS:
            await self.close()
            # A model would only talk about what the agent reads itself.
            wanted = replace(self._wanted, squad=self._squad, model=OFFLINE)
            opened = await open_session(self._settings, wanted, mode="chat")
            self._session = await self._stack.enter_async_context(opened)
        return self._session

    async def close(self) -> None:
        """Let go of it: a human may take it up."""
        self._session, self._calls = None, 0
        await self._stack.aclose()

    async def _ask(self, args: Json) -> Told:
        question = args.get("question")
        if not isinstance(question, str) or not question.strip():
            return Told("what is the question? give it as `question`", failed=True)
        squad = self._wanted.squad or str(args.get("squad") or self._squad)
        wanted = replace(self._wanted, squad=squad)
        options(self._settings, wanted, mode="ask")
        async with self._questions, await open_session(self._settings, wanted, mode="ask") as session:
            events = await follow_quietly(session.ask(question.strip()))
            report = fold(
                events,
                thread=session.thread,
                squad=session.squad,
                model=session.model,
                timeline=await session.timeline(),
            )
            waiting = await _waiting(session)
        told = {**report.model_dump(mode="json"), "approvals": waiting}
        return Told(json.dumps(told, indent=1, ensure_ascii=False), told, failed=report.status == "failed")

    async def _call(self, name: str, args: Json) -> Told:
        async with self._lock:
            session = await self.open()
            self._calls += 1
            events = await follow_quietly(session.call(name, args))
            waiting = await _waiting(session)
            if waiting:
                await self.close()
        if waiting:
            said = {"status": "approval pending", "approvals": waiting}
            return Told(json.dumps(said, indent=1, ensure_ascii=False), said)
        return _returned(name, events)


async def _waiting(session: Session) -> list[Json]:
    """The cards that wait, and how a human decides them."""
    return [
        {
            "id": card.id,
            "command": card.preview.command,
            "impact": card.preview.impact,
            "undo": card.undo.note,
            "show": f"opssquad approvals show {card.id}",
            "approve": f"opssquad approvals approve {card.id}",
            "refuse": f"opssquad approvals refuse {card.id}",
            "then": f"opssquad ask --resume {session.thread}",
            "note": "a human decides this; nothing is carried out before, and no call of an agent decides it",
        }
        for card in await session.pending()
    ]


def _returned(name: str, events: Sequence[Event]) -> Told:
    result = next((e.result for e in events if isinstance(e, Returned) and e.call.tool == name), None)
    if result is None:
        return Told(f"{name} was not carried out", failed=True)
    text = f"{fenced(result.text, result.call)}\n{NOTE}" if result.suspicions else result.text
    return Told(text, failed=result.status != "ok")
