"""`opssquad audit`: the hash-chained log of what was asked, decided and done."""

from typing import TYPE_CHECKING

import click

from opssquad.cli.failures import INTERNAL
from opssquad.cli.looking import with_store
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.store.base import Misfit
    from opssquad.store.sqlite import Store


@click.group("audit")
def command() -> None:
    """Show the audit log, verify that nothing was altered."""


@command.command("show")
@click.option("--thread", default="", metavar="THREAD", help="Only this thread.")
@click.option("--last", default=50, show_default=True, type=click.IntRange(min=0), help="Lines; 0 shows all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every field.")
@screen_options
@shared
def show(shared: Shared, thread: str, last: int, as_json: bool) -> None:
    """The log, oldest first."""
    from opssquad.cli.render.audit import show_records

    records = with_store(shared, lambda store: store.audit_records(thread, last))
    if as_json:
        for record in records:
            click.echo(record.model_dump_json())
    else:
        show_records(shared.screen(), records)


@command.command("verify")
@screen_options
@shared
def verify(shared: Shared) -> int:
    """Recompute the chain; name the first record that does not fit."""

    async def both(store: "Store") -> tuple["Misfit | None", int]:
        return await store.verify_audit(), len(await store.audit_records())

    misfit, count = with_store(shared, both)
    if misfit:
        click.echo(f"the audit log was altered: {misfit}", err=True)
        return INTERNAL
    click.echo(f"{count} records, every one fits")
    return 0
