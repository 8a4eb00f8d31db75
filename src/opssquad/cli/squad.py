"""`opssquad squad`: which squads there are, and what one may do."""

import click

from opssquad.cli.shared import Shared, screen_options, shared


@click.group("squad")
def command() -> None:
    """List squads, show what one may do."""


@command.command("list")
@screen_options
@shared
def list_(shared: Shared) -> None:
    """Every squad, and what it is for."""
    from opssquad.cli.render.squads import show_squads

    show_squads(shared.screen())


@command.command("show")
@click.argument("name")
@screen_options
@shared
def show(shared: Shared, name: str) -> None:
    """A squad's limits and tools."""
    from opssquad.cli.render.squads import show_squad

    show_squad(shared.screen(), name)
