"""`opssquad chat`: a conversation with a squad, at a prompt, or line by line through a pipe."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import OK, PENDING
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.world import world_options

if TYPE_CHECKING:
    from opssquad.cli.render.screen import Screen
    from opssquad.cli.repl.sources import Lines
    from opssquad.cli.session import Wanted
    from opssquad.settings import Settings


@click.command("chat")
@world_options
@screen_options
@shared
def command(shared: Shared, /, **world: Any) -> int:
    """Talk with a squad about what is wrong.

    Through a pipe, each line is one utterance or one answer to a card.
    """
    from opssquad.cli.running import run
    from opssquad.cli.session import Wanted

    return run(chat(shared, Wanted(**world)))


async def chat(shared: Shared, wanted: "Wanted") -> int:
    """Open the session, hold the conversation, say how it is taken up again. Returns the exit code."""
    from opssquad.cli.opening import open_session
    from opssquad.cli.render.greeting import show_goodbye, show_greeting
    from opssquad.cli.render.scope import Scope
    from opssquad.cli.render.stream import Stream
    from opssquad.cli.repl.loop import Repl

    settings, typed = shared.settings(), sys.stdin.isatty() and sys.stdout.isatty()
    async with await open_session(settings, wanted, mode="chat") as session:
        with _above_the_prompt(typed):
            screen = shared.screen()
            show_greeting(screen, session, resumed=bool(wanted.resume))
            lines = _lines(shared, settings, screen, typed)
            stream = Stream(screen, Scope(session.target, session.squad, session.model))
            repl = Repl(session, screen, stream, lines, by=settings.by)
            await repl.talk(resumed=bool(wanted.resume))
            show_goodbye(screen, session, repl.desk.cards)
        return PENDING if repl.desk.cards else OK


def _above_the_prompt(typed: bool) -> Any:
    """While a prompt is up, what is printed scrolls above it."""
    if not typed:
        return nullcontext()
    from prompt_toolkit.patch_stdout import patch_stdout

    return patch_stdout(raw=True)


def _lines(shared: Shared, settings: "Settings", screen: "Screen", typed: bool) -> "Lines":
    from opssquad.cli.clean import cleaner

    clean = cleaner(settings)
    if not typed:
        from opssquad.cli.repl.sources import Pipe

        return Pipe(sys.stdin, screen, clean)
    from opssquad.cli.repl.prompt import Prompt

    return Prompt(settings.state / "history", clean, no_color=shared.no_color)
