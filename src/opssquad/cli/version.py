"""`opssquad version`."""

import click

from opssquad import __version__


@click.command("version")
def command() -> None:
    """Print the version."""
    click.echo(f"opssquad {__version__}")
