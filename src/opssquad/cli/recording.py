"""`opssquad recording`: recorded incidents as clusters of their own."""

from pathlib import Path

import click

from opssquad.cli.failures import INTERNAL
from opssquad.cli.shared import Shared, screen_options, shared


@click.group("recording")
def command() -> None:
    """Serve a recorded incident as a cluster, or check one."""


@command.command("check")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@screen_options
@shared
def check(shared: Shared, folders: tuple[Path, ...]) -> int:
    """Whether recordings can be served and are fair cases; says file, line and reason where not."""
    from opssquad.worlds.kube.recording import check as problems_of

    screen, bad = shared.screen(), 0
    for folder in folders:
        problems = problems_of(folder)
        bad += bool(problems)
        screen.line(f"{folder}: {'ok' if not problems else f'{len(problems)} problems'}")
        for problem in problems:
            screen.flow(problem, indent=4, first="  - ")
    return INTERNAL if bad else 0
