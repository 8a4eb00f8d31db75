"""`opssquad runbook`: documents that are programs. List, show and lint them; run one step by step."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.world import call_options, world_options

if TYPE_CHECKING:
    from opssquad.cli.session import Approve

SQUAD = click.option("--squad", default="", metavar="NAME", help="Whose runbooks; else every squad's.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group("runbook")
def command() -> None:
    """List, show and run runbooks; lint their files.

    In force are the squad's and the organisation's for it (<squad>/*.md in the folder that OPSSQUAD_RUNBOOKS
    names, or in ~/.config/opssquad/runbooks); docs/runbooks.md says how they are written.
    """


@command.command("list")
@SQUAD
@JSON
@screen_options
@shared
def list_(shared: Shared, squad: str, as_json: bool) -> None:
    """Every runbook: its id, what it is about, the faults that it is for."""
    from opssquad.cli.render.runbooks import show_runbooks
    from opssquad.cli.runbooks import listed

    found = listed(squad, shared.settings().runbooks)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_runbooks(shared.screen(), found)


@command.command("show")
@click.argument("id", metavar="ID")
@SQUAD
@JSON
@screen_options
@shared
def show(shared: Shared, id: str, squad: str, as_json: bool) -> None:
    """One runbook: its sections, its steps in plain words, how it is run, where it is defined."""
    from opssquad.cli.render.runbooks import show_runbook
    from opssquad.cli.runbooks import described

    found = described(id, squad, shared.settings().runbooks)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_runbook(shared.screen(), found)


@command.command("run")
@click.argument("id", metavar="[ID]", default="")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of the runbook.")
@call_options
@world_options
@screen_options
@shared
def run(
    shared: Shared, /, id: str, given: tuple[str, ...], as_json: bool, approve: "Approve", **world: Any
) -> int:
    """Walk through a runbook, each step with its evidence.

    At a terminal a card is answered there; elsewhere it is left pending, and how to approve it and go on is
    said. --resume THREAD goes on, after an answer or where a process died. --namespace is the parameter of
    that name, too.

    Exit codes: 0 the steady state holds at the end, 1 failed, 2 usage, 3 it does not, something else is
    wrong, or nobody knows, 4 an approval is pending.
    """
    from opssquad.cli.running import run as run_
    from opssquad.cli.session import Wanted
    from opssquad.cli.stepping import step_through, wanted_run, with_squad

    wanted = Wanted(**world)
    if bool(id) == bool(wanted.resume):
        raise click.UsageError("give the ID of a runbook (see `opssquad runbook list`), or --resume THREAD")
    if wanted.resume and given:
        raise click.UsageError("--set is for a new run; one that is resumed keeps its parameters")
    begun = None
    if id:
        wanted = with_squad(wanted, id, shared.settings().runbooks)
        begun = wanted_run(shared.settings(), wanted, id, given)
    return run_(step_through(shared, wanted, begun, approve, as_json))


@command.command("lint")
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option(
    "--squad", default="", metavar="NAME", help="Whose runbook FILE is; k8s unless its folder says."
)
@screen_options
@shared
def lint(shared: Shared, file: Path | None, squad: str) -> int:
    """Whether what runbooks say can be done.

    Sections that are missing, keys that are none, calls that no tool of the squad takes, signals that none
    gives, steps that nothing leads to, ways that go round. Exit code 1 if anything is found, 2 if FILE cannot
    be read. Without FILE, those in force of every squad.
    """
    from opssquad.cli.runbooks import linted
    from opssquad.cli.text import visible

    screen, settings = shared.screen(), shared.settings()
    flaws, books = linted(file, squad, settings.runbooks, settings.faults)
    for each in flaws:
        screen.line(visible(str(each)))
    if not flaws:
        screen.line(f"{books} {'runbook' if books == 1 else 'runbooks'}, nothing is wrong")
    return INTERNAL if flaws else OK
