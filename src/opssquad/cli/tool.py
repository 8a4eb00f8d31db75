"""`opssquad tool`: the tools and their effects."""

import click

from opssquad.cli.shared import Shared, screen_options, shared


@click.group("tool")
def command() -> None:
    """List the tools and their effects."""


@command.command("list")
@screen_options
@shared
def list_(shared: Shared) -> None:
    """Every tool: whether it only reads, and what it does."""
    from opssquad import content
    from opssquad.cli.render.squads import show_tools

    show_tools(shared.screen(), content.all_tools().values())
