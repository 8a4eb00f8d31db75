"""`opssquad incident`: investigations on record, and the timeline of one."""

from typing import TYPE_CHECKING

import click

from opssquad.cli.looking import with_store
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.events import Event
    from opssquad.store.base import ThreadRecord
    from opssquad.store.sqlite import Store


@click.group("incident")
def command() -> None:
    """List investigations, show one's timeline."""


@command.command("list")
@screen_options
@shared
def list_(shared: Shared) -> None:
    """Investigations, the newest first."""
    from opssquad.cli.render.incidents import show_threads

    show_threads(shared.screen(), with_store(shared, lambda store: store.threads()))


@command.command("show")
@click.argument("thread")
@screen_options
@shared
def show(shared: Shared, thread: str) -> None:
    """What happened, as HH:MM - text."""
    from opssquad.cli.render.incidents import show_incident

    async def found(store: "Store") -> "tuple[ThreadRecord, list[Event]]":
        return await store.thread(thread), await store.events(thread)

    show_incident(shared.screen(), *with_store(shared, found))
