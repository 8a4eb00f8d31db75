"""`opssquad audit`: the hash-chained log of what was asked, decided and done."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.looking import with_store
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.which import wanted, which_options
from opssquad.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opssquad.store.base import AuditRecord, Misfit
    from opssquad.store.sqlite import Store

ANCHOR = "SEQ:HASH"


@click.group("audit")
def command() -> None:
    """Show or export the audit log, verify that nothing was altered."""


@command.command("show")
@which_options
@click.option("--last", default=50, show_default=True, type=click.IntRange(min=0), help="Lines; 0 shows all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every field.")
@screen_options
@shared
def show(shared: Shared, /, last: int, as_json: bool, **which: Any) -> None:
    """The log, oldest first."""
    from opssquad.cli.render.audit import show_records

    asked = wanted(which, last)
    found = with_store(shared, lambda store: store.audit_lines(asked))
    if as_json:
        for _, text in found:
            click.echo(text)
    else:
        show_records(shared.screen(), [record for record, _ in found], some=asked.narrows)


@command.command("export")
@which_options
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True,
              help="JSON Lines can be verified; CSV is for a spreadsheet.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else the screen.")
@click.option("--force", is_flag=True, help="Replace the file.")
@screen_options
@shared
def export(shared: Shared, /, form: str, to: Path | None, force: bool, **which: Any) -> None:
    """Write the log out, oldest first, for others to keep or read.

    JSON Lines are the records byte by byte: `audit verify --file` checks them without this machine, as long
    as no line between the first and the last was left out.
    """
    from opssquad.store.export import gaps, table
    from opssquad.store.folder import write_private

    asked = wanted(which)
    found = with_store(shared, lambda store: store.audit_lines(asked))
    records = [record for record, _ in found]
    text = table(records) if form == "csv" else "".join(f"{line}\n" for _, line in found)
    if to is None:
        click.echo(text.encode(), nl=False)
    else:
        _write(write_private, to, text.encode(), force)
    left_out = gaps(records)
    said = f"{_counted(len(records), 'record')}{f' to {to}' if to else ''}"
    if left_out and form == "jsonl":
        said += f"; with {_counted(left_out, 'gap')} between them, so no chain that can be verified"
    click.echo(said, err=True)


def _write(write: Any, to: Path, data: bytes, force: bool) -> None:
    try:
        write(to, data, replace=force)
    except UsageError as error:
        raise UsageError(f"{error}, or pass --force to replace it") from None


@command.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, metavar=ANCHOR, help="A hash noted earlier; may be given again."
)
@click.option("--quick", is_flag=True, help="Only from the last checkpoint on.")
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="Verify an exported file (JSON Lines), not the log.")  # fmt: skip
@screen_options
@shared
def verify(shared: Shared, anchors: tuple[str, ...], quick: bool, file: Path | None) -> int:
    """Recompute the chain; name the first record that does not fit.

    Whoever can write the log can write all of it anew; that is found by an anchor, noted where they cannot.
    """
    noted = _noted(anchors)
    if quick and (noted or file):
        raise UsageError("--quick looks from the last checkpoint on: leave it out with --anchor or --file")
    if file:
        return _verify_file(file, noted)

    async def both(store: "Store") -> "tuple[Misfit | None, AuditRecord | None]":
        misfit = await store.verify_audit(noted, quick=quick)
        return misfit, None if misfit else await store.audit_head()

    misfit, head = with_store(shared, both)
    if misfit:
        return _altered("the audit log was altered", misfit)
    fits = "every one from the last checkpoint on fits" if quick else "every one fits"
    fits += f", and {_counted(len(noted), 'anchor')}" if noted else ""
    click.echo(f"{_counted(head.seq if head else 0, 'record')}, {fits}")
    return OK


def _verify_file(file: Path, noted: "Mapping[int, str]") -> int:
    from opssquad.store.export import verify

    try:
        found = verify(file.read_bytes(), noted)
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; check its permissions") from error
    if found.misfit:
        return _altered(f"{file} was altered, or has a gap", found.misfit)
    click.echo(f"records {found.first} to {found.last}, every one fits; the last is")
    click.echo(f"{found.last}:{found.hash}")
    return OK


def _altered(what: str, misfit: "Misfit") -> int:
    click.echo(f"{what}: {misfit}", err=True)
    return INTERNAL


def _noted(anchors: tuple[str, ...]) -> dict[int, str]:
    """The anchors by number. Raises UsageError for what is none, and for two that contradict."""
    from opssquad.store.audit import anchor

    noted: dict[int, str] = {}
    for text in anchors:
        seq, hash = anchor(text)
        if noted.setdefault(seq, hash) != hash:
            raise UsageError(f"two anchors of record {seq} differ: one of them is not of this log")
    return noted


@command.command("anchor")
@screen_options
@shared
def anchor(shared: Shared) -> int:
    """Print number and hash of the newest record, to be noted where the log is not.

    `audit verify --anchor` finds a log that was written anew, or cut short, after it was noted.
    """
    from opssquad.times import rfc3339

    async def both(store: "Store") -> "tuple[Misfit | None, AuditRecord | None]":
        misfit = await store.verify_audit()
        return misfit, None if misfit else await store.audit_head()

    misfit, head = with_store(shared, both)
    if misfit:
        return _altered("the audit log was altered, so its end is no anchor", misfit)
    if head is None:
        raise UsageError("the audit log is empty; there is nothing to note yet")
    click.echo(f"{head.seq}:{head.hash}")
    click.echo(f"written {rfc3339(head.ts)}")
    return OK


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
