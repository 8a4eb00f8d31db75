"""The first and the last lines of a conversation: what it is about, and how it is taken up again."""

from collections.abc import Sequence

from opssquad import __version__
from opssquad.cli.render.scope import where
from opssquad.cli.render.screen import MUTED, STRONG, WARN, Screen
from opssquad.cli.session import Session
from opssquad.cli.text import visible
from opssquad.types import Approval


def show_greeting(screen: Screen, session: Session, *, resumed: bool) -> None:
    """Cluster, namespace, squad, model, and the thread's id."""
    screen.line(
        (f"opssquad {__version__}", STRONG),
        f" · squad {visible(session.squad)} · model {visible(session.model)}",
    )
    screen.line((where(session.target), STRONG))
    how = "taken up again" if resumed else f"take it up again with: opssquad chat --resume {session.thread}"
    screen.line((f"thread {session.thread}, {how}", MUTED))
    screen.line(("Say what you see. /help lists commands, Ctrl-D leaves.", MUTED))


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
