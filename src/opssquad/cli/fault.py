"""`opssquad fault`: which faults a squad can tell apart, why one stood on the list of a thread, and whether
the files that say so are sound.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.looking import with_store
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.events import Event
    from opssquad.store.base import ThreadRecord
    from opssquad.store.sqlite import Store

SQUAD = click.option("--squad", default="k8s", show_default=True, metavar="NAME", help="Whose catalogue.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group("fault")
def command() -> None:
    """List, show and explain the faults a squad can tell apart; lint their files.

    In force are the squad's catalogue and the organisation's file for it (<squad>.yaml in the folder that
    OPSSQUAD_FAULTS names, or in ~/.config/opssquad/faults); docs/faults.md says how they are written.
    """


@command.command("list")
@SQUAD
@JSON
@click.option("--markdown", "as_page", is_flag=True, help="A table for a page of documentation.")
@screen_options
@shared
def list_(shared: Shared, squad: str, as_json: bool, as_page: bool) -> None:
    """Every fault: its id and title, the signals that open it, what may be done.

    With --markdown also what speaks for and against it, the calls that would tell, what must not be done.
    """
    from opssquad.cli.faultpage import markdown
    from opssquad.cli.knowledge import listed
    from opssquad.cli.render.faults import show_faults
    from opssquad.errors import UsageError
    from opssquad.squad.knowledge import known_faults

    known = known_faults(squad, shared.settings().faults)
    if as_json and as_page:
        raise UsageError("--json and --markdown are two forms of one list; give one of them")
    if as_json:
        click.echo(listed(known).model_dump_json(indent=2))
    elif as_page:
        click.echo(markdown(known))
    else:
        show_faults(shared.screen(), listed(known))


@command.command("show")
@click.argument("fault", metavar="ID")
@SQUAD
@JSON
@screen_options
@shared
def show(shared: Shared, fault: str, squad: str, as_json: bool) -> None:
    """One fault in plain words.

    What opens it, what speaks for it and against it, the calls that tell most, what is said of it, what may
    be done and what not, and where it is defined.
    """
    from opssquad.cli.knowledge import described
    from opssquad.cli.render.faults import show_fault
    from opssquad.squad.knowledge import known_faults

    known = known_faults(squad, shared.settings().faults)
    found = described(known, fault)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show_fault(shared.screen(), found)


@command.command("explain")
@click.argument("thread", metavar="THREAD|INCIDENT")
@click.argument("fault", metavar="[ID]", default="")
@JSON
@screen_options
@shared
def explain(shared: Shared, thread: str, fault: str, as_json: bool) -> None:
    """Why a past investigation held a fault for the cause, or did not.

    What is on record of the thread is ranked by the catalogue as it is now: what opened each fault, what
    spoke for it and against it, with the ids of the evidence, and which calls would tell more. With ID only
    that fault, also where it did not fit, with what was missing.
    """
    from opssquad.cli.knowledge import explained
    from opssquad.cli.render.faults import show_accounts

    async def found(store: "Store") -> "tuple[ThreadRecord, list[Event]]":
        return await store.thread(thread), await store.events(thread)

    record, events = with_store(shared, found)
    told = explained(record, events, fault, shared.settings().faults)
    if as_json:
        click.echo(told.model_dump_json(indent=2))
    else:
        show_accounts(shared.screen(), told)


@command.command("lint")
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--squad", default="", metavar="NAME", help="Whose file it is; else the file's name says so.")
@screen_options
@shared
def lint(shared: Shared, file: Path | None, squad: str) -> int:
    """Whether what a catalogue says can be so.

    Ids that stand twice, holes that nothing fills, clauses and signals that there are none of, calls that no
    tool of the squad takes, an action that is offered and inadmissible. Exit code 1 if anything is found, 2
    if a file cannot be read. Without FILE, the files in force of every squad; a FILE beside a squad.yaml is
    that squad's, any other the organisation's.
    """
    from opssquad.cli.knowledge import linted
    from opssquad.cli.text import visible

    screen = shared.screen()
    flaws, faults = linted(file, squad, shared.settings().faults)
    for each in flaws:
        screen.line(visible(str(each)))
    if not flaws:
        screen.line(f"{faults} {'fault' if faults == 1 else 'faults'}, nothing is wrong")
    return INTERNAL if flaws else OK
