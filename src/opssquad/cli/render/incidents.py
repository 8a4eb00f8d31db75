"""Investigations from the store on screen."""

from collections.abc import Sequence

from opssquad.cli.render.screen import MUTED, STRONG, Screen
from opssquad.cli.render.timeline import show_timeline
from opssquad.cli.text import visible
from opssquad.events import Event, Stopped
from opssquad.incident.timeline import fold, render
from opssquad.store.base import ThreadRecord


def show_threads(screen: Screen, threads: Sequence[ThreadRecord]) -> None:
    """Each investigation: its thread, when it began, where it looks, what was asked."""
    if not threads:
        screen.line("no investigation yet; begin with: opssquad chat")
    for thread in threads:
        _head(screen, thread)
        screen.flow(thread.title or "(nothing was asked)", indent=2)


def show_incident(screen: Screen, thread: ThreadRecord, events: Sequence[Event]) -> None:
    """One investigation with its timeline and how it stands."""
    _head(screen, thread)
    stopped = [e.status for e in events if isinstance(e, Stopped)]
    screen.line((f"  {stopped[-1] if stopped else 'not finished'}", MUTED))
    show_timeline(screen, render(fold(list(events))))
    screen.line((f"  go on with: opssquad chat --resume {visible(thread.id)}", MUTED))


def _head(screen: Screen, thread: ThreadRecord) -> None:
    world = (
        f"recording {thread.recording.rsplit('/', 1)[-1]}"
        if thread.recording
        else f"cluster {thread.cluster}"
    )
    screen.line(
        (visible(thread.id), STRONG),
        (
            f"  {thread.started_at:%Y-%m-%d %H:%M} UTC · {visible(world)} · squad {visible(thread.squad)}",
            MUTED,
        ),
    )
