"""`opssquad demo`: a recorded incident solved before your eyes; the script approves, and says so."""

import shutil

import click

from opssquad.cli.shared import Shared, screen_options, shared

RECORDING = "auth-0308"
PACE = 0.03
"""Seconds per typed character."""


@click.command("demo")
@click.option("--fast", is_flag=True, help="Do not wait between and inside lines.")
@screen_options
@shared
def command(shared: Shared, fast: bool) -> int:
    """Watch a recorded incident being solved: no cluster, no key."""
    from opssquad.cli.running import run

    return run(demo(shared, 0.0 if fast else PACE))


async def demo(shared: Shared, pace: float) -> int:
    """Play the conversation; ends with the timeline and with what to type next. Returns the exit code."""
    from opssquad.cli.failures import OK
    from opssquad.cli.opening import open_session
    from opssquad.cli.render.greeting import show_greeting, show_next
    from opssquad.cli.render.scope import Scope
    from opssquad.cli.render.screen import STRONG
    from opssquad.cli.render.stream import Stream
    from opssquad.cli.render.timeline import show_timeline
    from opssquad.cli.repl.loop import Repl
    from opssquad.cli.repl.sources import Line, Script
    from opssquad.cli.session import Wanted

    lines = (
        Line(
            "I'm seeing high error rates on the authentication service in the production namespace. "
            "Can you check the pod status?"
        ),
        Line("Yes, get the last 50 lines of logs from the first pod."),
        Line("Check recent deployments first."),
        Line("Yes, verify we can roll back safely."),
        Line("Yes, please roll back."),
        Line(
            "yes", answers_card=True, note="(the demo's script answers the card; in a chat it waits for you)"
        ),
    )
    settings, screen = shared.settings(), shared.screen()
    wanted = Wanted(recording=RECORDING, model="offline")
    async with await open_session(settings, wanted, mode="chat") as session:
        show_greeting(screen, session, resumed=False)
        stream = Stream(screen, Scope(session.target, session.squad, session.model))
        await Repl(session, screen, stream, Script(lines, screen, pace), by=f"demo of {settings.by}").talk()
        screen.gap()
        screen.line(("What happened", STRONG))
        show_timeline(screen, await session.timeline())
    show_next(screen, RECORDING, on_path=bool(shutil.which("opssquad")))
    return OK
