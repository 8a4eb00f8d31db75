"""`opssquad store`: is what is on disk sound, and a copy of it that can be taken while others write."""

import shlex
from pathlib import Path

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared


@click.group("store")
def command() -> None:
    """Check what is on disk, make a backup of it."""


@command.command("check")
@screen_options
@shared
def check(shared: Shared) -> int:
    """Look through the state folder line by line; nothing is changed.

    Exit code 1 if something is broken or open to others. Others may go on working meanwhile.
    """
    from opssquad.cli.render.findings import show_findings
    from opssquad.store.checking import check

    screen = shared.screen()
    failed = show_findings(screen, check(shared.settings().state))
    screen.line("something must be mended" if failed else "sound")
    return INTERNAL if failed else OK


@command.command("backup")
@click.option("--to", type=click.Path(path_type=Path), metavar="DIR|FILE.tar",
              help="A folder to put it in, or its new name; else `backups` of the state folder.")  # fmt: skip
@click.option("--keys", is_flag=True, help="Also the keys of this installation; keep such a copy as safe.")
@screen_options
@shared
def backup(shared: Shared, to: Path | None, keys: bool) -> int:
    """Copy both databases and the journals of recorded worlds, and verify the copy.

    Others may go on writing meanwhile. Keys are left out unless asked for: where they are missing, new ones
    are made, and only the tags by which two mentions of one secret are told to be the same begin anew.
    Exit code 1 if the audit log was altered: it is copied as it is.
    """
    from opssquad.store.backup import backup, place_of
    from opssquad.times import wall_clock

    screen, state, now = shared.screen(), shared.settings().state, wall_clock()
    place = place_of(state, to.absolute() if to else None, now)
    made = backup(state, place, now, keys=keys)
    size = sum(file.size for file in made.files) / 1e6
    screen.flow(
        f"{place}: threads {made.threads}, audit records {made.audit_records}, {size:.1f} MB, verified"
    )
    if made.anchor:
        screen.line("its audit log ends with")
        screen.line(f"  {made.anchor}")
    screen.line("to restore it into a new folder:")
    there = shlex.quote(str(place))
    unpack = (
        f"mkdir -m 700 NEW && tar -xpf {there} -C NEW" if place.suffix == ".tar" else f"cp -a {there} NEW"
    )
    screen.command(unpack, indent=2)
    screen.command("opssquad store check --state NEW", indent=2)
    if made.problem:
        click.echo(f"the audit log was altered, and was copied as it is: {made.problem}", err=True)
    return INTERNAL if made.problem else OK
