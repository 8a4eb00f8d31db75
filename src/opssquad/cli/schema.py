"""`opssquad schema`: JSON Schema of the files that people write, for editors."""

from pathlib import Path

import click

from opssquad.cli.shared import Shared, screen_options, shared

KINDS = ("squad", "policy", "tool", "recording", "faults")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write it there; says what to put on top of your file.")  # fmt: skip
@screen_options
@shared
def command(shared: Shared, kind: str, out: Path | None) -> None:
    """JSON Schema of a kind of file, by which an editor completes and checks it.

    squad: squad.yaml of your own; policy: policy.yaml; tool: tools/*.yaml; recording: incident.yaml; faults:
    what is added to a squad's faults.
    """
    import json

    from opssquad.cli.schemas import schema_of
    from opssquad.errors import UsageError

    text = json.dumps(schema_of(kind), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    screen = shared.screen()
    screen.line(f"written: {out}; put this on top of your file:")
    click.echo(f"# yaml-language-server: $schema={out.absolute()}")
