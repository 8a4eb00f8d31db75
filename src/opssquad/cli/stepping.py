"""Runs a runbook: at a terminal its cards are answered there; elsewhere they wait, and it is said how to go
on.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opssquad.cli.ask import follow, follow_quietly
from opssquad.cli.failures import INCONCLUSIVE, INTERNAL, OK, PENDING
from opssquad.cli.opening import open_session
from opssquad.cli.report import AskReport, fold
from opssquad.cli.session import Approve, Wanted
from opssquad.cli.shared import Shared
from opssquad.errors import UsageError
from opssquad.settings import Settings
from opssquad.squad.runbooks.passed import Passed
from opssquad.squad.runbooks.walk import Ended, Walk
from opssquad.squad.runbooks.walker import Run
from opssquad.types import Value

if TYPE_CHECKING:
    from opssquad.cli.repl.sources import Lines, Mood
    from opssquad.events import Event
    from opssquad.investigation import Investigation

LONGEST = 253
"""Characters of a parameter: names of objects are no longer."""


class Stepped(Value):
    """The steps that were passed with their outcomes and evidence, what is left, and how it ended; where
    nothing was found, what was looked at and what was not."""

    runbook: str
    ended: Ended
    steps: tuple[Passed, ...]
    left: tuple[str, ...]
    looked_at: tuple[str, ...]
    not_looked_at: tuple[str, ...]


class RunReport(Value):
    """What `runbook run --json` prints: the walk, and the report of its thread."""

    walk: Stepped
    report: AskReport


def with_squad(wanted: Wanted, id: str, runbooks: Path | None) -> Wanted:
    """The same with the squad whose runbook it is, where none is named. Raises UsageError."""
    from opssquad.cli.opening import squad_of
    from opssquad.squad.runbooks.known import whose

    return replace(wanted, squad=wanted.squad or whose(id, runbooks, likely=squad_of(wanted)))


def wanted_run(settings: Settings, wanted: Wanted, id: str, given: tuple[str, ...]) -> Run:
    """The run that the command line asks for. Raises UsageError for a runbook or parameters that will
    not do."""
    from opssquad.squad.runbooks.known import sound
    from opssquad.squad.runbooks.walker import facts_for

    values = _pairs(given)
    book = sound(wanted.squad, settings.runbooks, settings.faults, id)
    if wanted.namespace and "namespace" in book.head.value.parameters:
        values.setdefault("namespace", wanted.namespace)
    facts = facts_for(book, values)
    _plain(values)
    return Run(id=id, digest=book.digest, given={n: str(v) for n, v in facts.items() if n != "target"})


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--set {text!r}: give NAME=VALUE")
        if name in values:
            raise UsageError(f"--set {name} is given twice; leave one out")
        values[name] = value.strip()
    return values


def _plain(values: dict[str, str]) -> None:
    """Parameters are names, and on record: nothing else goes through."""
    from opssquad.cli.clean import last_resort

    for name, value in values.items():
        if not value.isprintable() or len(value) > LONGEST:
            raise UsageError(f"--set {name}: give a name, at most {LONGEST} printable characters")
        # No state folder need be there yet: nothing is kept of this.
        if last_resort(f"{name}={value}") != f"{name}={value}":
            raise UsageError(f"--set {name}: this looks like a secret, and would be on record")


async def step_through(
    shared: Shared, wanted: Wanted, begun: Run | None, approve: Approve, as_json: bool
) -> int:
    """Walk until the end or a card that waits. Returns the exit code."""
    typed = sys.stdin.isatty() and sys.stdout.isatty() and approve == "ask" and not as_json
    settings = shared.settings()
    async with await open_session(settings, wanted, mode="ask", approve=approve, run=begun) as session:
        if session.options.run is None:
            raise UsageError(f"thread {session.thread} runs no runbook; go on with `opssquad chat --resume`")
        if typed:
            code = await _at_a_terminal(shared, settings, session, begun)
        else:
            code = await _by_itself(shared, session, begun, as_json)
        if not as_json:
            await _show_end(shared, session)
    return code


async def _by_itself(shared: Shared, session: "Investigation", begun: Run | None, as_json: bool) -> int:
    said = session.ask(begun.words) if begun else session.resume()
    events = await (follow_quietly(said) if as_json else follow(shared, session, said))
    if as_json:
        report = fold(
            events,
            thread=session.thread,
            squad=session.squad,
            model=session.model,
            timeline=await session.timeline(),
        )
        click.echo(RunReport(walk=await _walk(session), report=report).model_dump_json(indent=2))
    return await _code(session, events)


async def _at_a_terminal(
    shared: Shared, settings: Settings, session: "Investigation", begun: Run | None
) -> int:
    from opssquad.cli.clean import cleaner
    from opssquad.cli.render.scope import Scope
    from opssquad.cli.render.stream import Stream
    from opssquad.cli.repl.loop import Repl
    from opssquad.cli.repl.prompt import Prompt

    screen = shared.screen()
    stream = Stream(screen, Scope(session.target, session.squad, session.model), bodies=False)
    prompt = Prompt(settings.state / "history", cleaner(settings), no_color=shared.no_color)
    repl = Repl(session, screen, stream, Cards(prompt, begun.words if begun else ""), by=settings.by)
    await repl.talk(resumed=begun is None)
    return await _code(session, [])


class Cards:
    """The lines of a run at a terminal: its question first, then the answers to its cards, and no more."""

    live = False

    def __init__(self, prompt: "Lines", first: str) -> None:
        self._prompt, self._first = prompt, first

    async def next(self, mood: "Mood") -> str:
        """The question, then what is typed while a card is up. Raises EOFError when none is."""
        if self._first:
            first, self._first = self._first, ""
            return first
        if not mood.card:
            raise EOFError
        return await self._prompt.next(mood)

    def see(self, event: "Event") -> None:
        """For completion."""
        self._prompt.see(event)


async def _walk(session: "Investigation") -> Stepped:
    walk = Walk.model_validate(await session.memo())
    run = session.options.run
    return Stepped(
        runbook=run.id if run else "",
        ended=walk.ended,
        steps=walk.passed,
        left=walk.left,
        looked_at=walk.looked_at,
        not_looked_at=walk.not_looked_at,
    )


async def _code(session: "Investigation", events: "list[Event]") -> int:
    from opssquad.events import Stopped

    if await session.pending():
        return PENDING
    if any(isinstance(event, Stopped) and event.status == "failed" for event in events):
        return INTERNAL
    return OK if (await _walk(session)).ended in ("steady", "mended") else INCONCLUSIVE


async def _show_end(shared: Shared, session: "Investigation") -> None:
    from opssquad.cli.render.card import needed
    from opssquad.cli.render.screen import MUTED

    screen = shared.screen()
    screen.gap()
    pending = [await session.record(card.id) for card in await session.pending()]
    for record in pending:
        card = record.approval
        needs = f", and needs {needs}" if (needs := needed(card, record.consents)) else ""
        screen.flow(f"approval {card.id} of thread {session.thread} is pending{needs}; to carry it out:")
        screen.command(f"opssquad approvals approve {card.id}", indent=2)
        screen.command(f"opssquad runbook run --resume {session.thread}", indent=2)
    if not pending:
        screen.line((f"thread {session.thread}; go on with: opssquad chat --resume {session.thread}", MUTED))
