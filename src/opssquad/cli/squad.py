"""`opssquad squad`: which squads there are, what one may do, and squads of one's own."""

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared


@click.group("squad")
def command() -> None:
    """List squads, show what one may do; make one of your own, and lint it.

    Your own are found in ~/.config/opssquad/squads (or in squads/ of the folder that OPSSQUAD_OWN names), and
    in ./opssquad/squads once it is trusted; docs/squads.md says how they are written.
    """


@command.command("list")
@screen_options
@shared
def list_(shared: Shared) -> None:
    """Every squad, and what it is for."""
    from opssquad.cli.render.squads import show_squads

    show_squads(shared.screen())


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@screen_options
@shared
def show(shared: Shared, name: str, as_json: bool) -> None:
    """The permission sheet of a squad.

    Its tools with policy's word on each (as for a call that names nothing yet, so that the strictest rule
    which may be meant counts), whose yes a change takes and whether it can be undone, where probes may go,
    its limits, faults and hand-overs, what a first request costs in tokens, and where all that stands.
    """
    from opssquad.cli.render.sheet import show_sheet
    from opssquad.cli.sheet import sheet

    found = sheet(name, shared.settings())
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_sheet(shared.screen(), found)


@command.command("new")
@click.argument("name")
@click.option("--extends", default="", metavar="SQUAD", help="The squad whose parts it takes over.")
@click.option("--project", is_flag=True, help="Into ./opssquad, which is trusted with it.")
@screen_options
@shared
def new(shared: Shared, name: str, extends: str, project: bool) -> None:
    """Write the folder of a squad NAME that works; says where, and what next.

    With --extends only what is to be other than there; NAME may be that squad's own, which then is amended in
    place. Nothing is ever written over.
    """
    from opssquad.cli.squad_files import begin

    screen, settings = shared.screen(), shared.settings()
    begun = begin(name, extends, settings, project=project)
    for path in begun:
        screen.line(f"written: {path}")
    screen.line("next: edit squad.yaml, then")
    for line in (
        f"opssquad squad lint {name}",
        f"opssquad squad show {name}",
        f"opssquad chat --squad {name}",
    ):
        screen.command(line, indent=2)


@command.command("lint")
@click.argument("name", required=False, default="")
@screen_options
@shared
def lint(shared: Shared, name: str) -> int:
    """Whether the files of a squad, or of all, can be meant: squad.yaml, faults, runbooks, prompt and policy.

    A line for each flaw, with file and line; exit code 1 if there is any.
    """
    from opssquad.cli.squad_files import linted
    from opssquad.cli.text import visible

    screen = shared.screen()
    flaws, squads = linted(name, shared.settings())
    for each in flaws:
        screen.line(visible(each))
    if not flaws:
        screen.line(f"{squads} {'squad' if squads == 1 else 'squads'}, nothing is wrong")
    return INTERNAL if flaws else OK
