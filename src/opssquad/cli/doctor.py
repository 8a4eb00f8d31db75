"""`opssquad doctor`: what opssquad needs, line by line, and what to do where something is missing."""

from pathlib import Path

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared


@click.command("doctor")
@click.option("--context", default="", metavar="NAME", help="Kubeconfig context; else the current one.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; else KUBECONFIG.")
@screen_options
@shared
def command(shared: Shared, context: str, kubeconfig: Path | None) -> int:
    """Check what opssquad needs, and say what to do. Exit code 1 if something must be mended."""
    from opssquad.cli.checkup import checkup
    from opssquad.cli.render.findings import show_findings
    from opssquad.cli.running import run

    screen = shared.screen()
    failed = show_findings(screen, run(checkup(shared.settings(), kubeconfig, context)))
    screen.line("something must be mended" if failed else "ready")
    return INTERNAL if failed else OK
