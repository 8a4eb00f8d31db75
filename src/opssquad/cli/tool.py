"""`opssquad tool`: the tools, ours and one's own: list, show, lint and run them; trust a project's."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.world import call_options, world_options

if TYPE_CHECKING:
    from opssquad.cli.session import Approve

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group("tool")
def command() -> None:
    """List, show, lint and run tools.

    Your own are found in ~/.config/opssquad/tools (or in tools/ of the folder that OPSSQUAD_OWN names), in
    ./opssquad/tools once it is trusted, and in packages; docs/tools.md says how they are written.
    """


@command.command("list")
@click.option("--own", is_flag=True, help="Only those that are not ours.")
@JSON
@screen_options
@shared
def list_(shared: Shared, own: bool, as_json: bool) -> None:
    """Every tool: whether it only reads, what it does, its squads, what it costs a model to know it."""
    from opssquad.cli.render.tools import show_list
    from opssquad.cli.tools import listed

    found = listed(own)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_list(shared.screen(), found)


@command.command("show")
@click.argument("name")
@JSON
@screen_options
@shared
def show(shared: Shared, name: str, as_json: bool) -> None:
    """One tool as a model sees it, and where it is."""
    from opssquad.cli.render.tools import show_one
    from opssquad.cli.tools import described

    found = described(name)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_one(shared.screen(), found)


@command.command("lint")
@screen_options
@shared
def lint(shared: Shared) -> int:
    """Whether your own tools can be used; exit code 1 if one is left out, with the line to mend."""
    from opssquad.cli.text import visible
    from opssquad.extensions.library import library

    screen, known = shared.screen(), library()
    for each in known.broken:
        screen.line(visible(str(each)))
    if not known.broken:
        count = len(known.tools)
        screen.line(f"{count} {'tool' if count == 1 else 'tools'} of your own, nothing is wrong")
    return INTERNAL if known.broken else OK


@command.command("run")
@click.argument("name")
@click.option("--arg", "given", multiple=True, metavar="NAME=VALUE", help="An argument of the tool.")
@call_options
@world_options
@screen_options
@shared
def run(
    shared: Shared,
    /,
    name: str,
    given: tuple[str, ...],
    as_json: bool,
    approve: "Approve",
    **world: Any,
) -> int:
    """Call one tool, through policy, card and record as a squad would.

    Exit codes: 0 it did what was asked, 1 it failed or was refused, 2 usage, 4 an approval is pending.
    """
    from opssquad.cli.running import run as run_
    from opssquad.cli.session import Wanted
    from opssquad.cli.tool_run import run_tool

    return run_(run_tool(shared, name, given, Wanted(**world), approve, as_json))


@command.command("trust")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("opssquad"))
@screen_options
@shared
def trust(shared: Shared, folder: Path) -> None:
    """Load the tools and squads of a project's FOLDER (./opssquad) from now on: they run as you."""
    from opssquad.cli.text import visible
    from opssquad.extensions.sources import trust as trust_

    trust_(shared.settings().state, folder)
    shared.screen().line(f"trusted: {visible(str(folder.resolve()))}")
