"""The first and the last lines of a conversation: what it is about, and how it is taken up again."""

import sys
from collections.abc import Sequence
from pathlib import Path

from opssquad import __version__
from opssquad.cli.render.scope import where
from opssquad.cli.render.screen import MUTED, STRONG, WARN, Screen
from opssquad.cli.session import Session
from opssquad.cli.text import visible
from opssquad.types import Approval, Restraint

_RESTRAINED: dict[Restraint, str] = {
    "read": "read-only: nothing can be changed in this conversation",
    "suggest": "suggest-only: changes are shown as commands to copy, and never done",
}


def show_greeting(screen: Screen, session: Session, *, resumed: bool) -> None:
    """Cluster, namespace, squad, model, and the thread's id."""
    screen.line(
        (f"opssquad {__version__}", STRONG),
        f" · squad {visible(session.squad)} · model {visible(session.model)}",
    )
    screen.line((where(session.target), STRONG))
    if session.restraint != "none":
        screen.line((_RESTRAINED[session.restraint], WARN))
    if session.masked:
        screen.line((f"model {visible(session.model)} gets other names for: {session.masked}", MUTED))
    how = "taken up again" if resumed else f"take it up again with: opssquad chat --resume {session.thread}"
    screen.line((f"thread {session.thread}, {how}", MUTED))
    screen.line(("Say what you see. /help lists commands, Ctrl-D leaves.", MUTED))


def show_next(screen: Screen, recording: str, *, on_path: bool) -> None:
    """What a newcomer may type next; first, where the command is not on the PATH, how it gets there."""
    screen.gap()
    screen.line(("Your turn", STRONG))
    lines = [
        (f"opssquad chat --recording {recording}", "this incident, at your own prompt"),
        ("opssquad chat --context NAME -n NAMESPACE", "your own cluster"),
        ("opssquad doctor", "what is set up, what is missing"),
    ]
    activate = Path(sys.prefix) / "bin" / "activate"
    if not on_path and activate.exists():
        here = Path.cwd()
        shown = activate.relative_to(here) if activate.is_relative_to(here) else activate
        lines.insert(0, (f". {shown}", "puts opssquad on the PATH"))
    for command, what in lines:
        screen.line(f"  {command:<43}", (what, MUTED))


def show_goodbye(screen: Screen, session: Session, cards: Sequence[Approval]) -> None:
    """How to go on later, and which cards still wait."""
    screen.gap()
    for card in cards:
        screen.line(
            (f"approval {visible(card.id)} of thread {session.thread} is pending; answer it with:", WARN)
        )
        screen.command(f"opssquad approvals approve {card.id}", indent=2)
    screen.line(
        (f"thread {session.thread} is kept; go on with: opssquad chat --resume {session.thread}", MUTED)
    )
