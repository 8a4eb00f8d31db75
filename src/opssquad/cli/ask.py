"""`opssquad ask`: one question, an answer, an exit code; for scripts and alerts."""

from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INCONCLUSIVE, INTERNAL, OK, PENDING
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.world import call_options, world_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from opssquad.cli.report import AskReport, Status
    from opssquad.cli.session import Approve, Session, Wanted
    from opssquad.events import Event
    from opssquad.store.base import ApprovalRecord

EXIT: "dict[Status, int]" = {
    "concluded": OK,
    "inconclusive": INCONCLUSIVE,
    "pending": PENDING,
    "failed": INTERNAL,
}


@click.command("ask")
@click.argument("question", default="")
@call_options
@world_options
@screen_options
@shared
def command(shared: Shared, /, question: str, as_json: bool, approve: "Approve", **world: Any) -> int:
    """Ask one question and leave.

    Exit codes: 0 concluded, 1 failed, 2 usage, 3 inconclusive, 4 an approval is pending. With --resume and no
    question, an earlier run goes on, for example after its card was approved.
    """
    from opssquad.cli.running import run
    from opssquad.cli.session import Wanted

    wanted = Wanted(**world)
    if not question.strip() and not wanted.resume:
        raise click.UsageError("what is the question? opssquad ask 'why do logins fail?'")
    report = run(ask(shared, question.strip(), wanted, approve, as_json))
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    return EXIT[report.status]


async def ask(
    shared: Shared, question: str, wanted: "Wanted", approve: "Approve", quiet: bool
) -> "AskReport":
    """Run one question and fold its events; draws them as they come unless `quiet`."""
    from opssquad.cli.opening import open_session
    from opssquad.cli.report import fold

    settings = shared.settings()
    async with await open_session(settings, wanted, mode="ask", approve=approve) as session:
        said = session.ask(question) if question else session.resume()
        events = await (follow_quietly(said) if quiet else follow(shared, session, said))
        report = fold(
            events,
            thread=session.thread,
            squad=session.squad,
            model=session.model,
            timeline=await session.timeline(),
        )
        if not quiet:
            records = [await session.record(card.id) for card in await session.pending()]
            show_end(shared, session.thread, records)
    return report


async def follow_quietly(events: "AsyncIterator[Event]") -> "list[Event]":
    """The events of a run, to its end."""
    return [event async for event in events]


async def follow(
    shared: Shared, session: "Session", events: "AsyncIterator[Event]", *, bodies: bool = False
) -> "list[Event]":
    """The same, drawn as they come; with `bodies` the text of results too."""
    from opssquad.cli.render.scope import Scope
    from opssquad.cli.render.stream import Stream

    stream = Stream(shared.screen(), Scope(session.target, session.squad, session.model), bodies=bodies)

    seen = []
    async for event in events:
        seen.append(event)
        stream.show(event)
    return seen


def show_end(shared: Shared, thread: str, pending: "list[ApprovalRecord]") -> None:
    """How cards that wait are carried out, and how the thread goes on."""
    from opssquad.cli.render.card import needed
    from opssquad.cli.render.screen import MUTED

    screen = shared.screen()
    screen.gap()
    for record in pending:
        card = record.approval
        needs = f", and needs {needs}" if (needs := needed(card, record.consents)) else ""
        screen.flow(f"approval {card.id} of thread {thread} is pending{needs}; to carry it out:")
        screen.command(f"opssquad approvals approve {card.id}", indent=2)
        screen.command(f"opssquad ask --resume {thread}", indent=2)
    screen.line((f"thread {thread}; go on with: opssquad chat --resume {thread}", MUTED))
