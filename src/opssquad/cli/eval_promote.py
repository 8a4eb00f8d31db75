"""`opssquad eval promote`: a real investigation becomes a case, with a human's verdict as its truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.eval_run import FILE
from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.events import Event


@click.command("promote")
@click.argument("incident", metavar="INCIDENT")
@click.option("--verdict", type=FILE, metavar="FILE", help="The human's verdict; without it, one is drafted.")
@click.option("--capture", "captured", type=click.Path(path_type=Path), metavar="DIR|ID",
              help="The recording of its cluster, captured while it lasted.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The case's folder, a new one.")
@screen_options
@shared
def promote_incident(
    shared: Shared, incident: str, verdict: Path | None, captured: Path | None, out: Path | None
) -> int:
    """Make a case of a real investigation, with a human's verdict as its truth.

    First without --verdict: a draft is written for you to mend and put your name to. Then with it.
    """
    from opssquad.cli.looking import with_store
    from opssquad.evals.promoting import draft

    events = with_store(shared, lambda store: _events(store, incident))
    screen = shared.screen()
    if verdict:
        return _promoted(shared, incident, events, verdict, captured, out)
    file = Path(f"{incident}-verdict.yaml")
    if file.exists():
        raise click.UsageError(f"{file} is there already; give it with --verdict, or move it away")
    file.write_text(draft(incident, events, file), encoding="utf-8")
    screen.flow(f"drafted {file} from what the squad concluded; mend it, put your name to it, then:")
    screen.command(f"opssquad eval promote {incident} --verdict {file} --capture DIR --out DIR", indent=2)
    return OK


async def _events(store: Any, incident: str) -> "list[Event]":
    return list(await store.events((await store.thread(incident)).id))


def _promoted(
    shared: Shared,
    incident: str,
    events: "list[Event]",
    verdict: Path,
    captured: Path | None,
    out: Path | None,
) -> int:
    from opssquad import content
    from opssquad.cli.render.recordings import show_linted
    from opssquad.evals.promoting import promote
    from opssquad.gate.own import load_own

    if captured is None or out is None:
        raise click.UsageError("a case needs --capture, the recording of its cluster, and --out, its folder")
    own, screen = load_own(shared.settings().redaction), shared.screen()
    found = promote(incident, events, verdict, content.recording(str(captured)), out.absolute(), own)
    show_linted(screen, out, found)
    if found.problems:
        screen.flow(f"mend {verdict} and try again; nothing was written to {out}")
        return INTERNAL
    screen.flow(
        "what is worth knowing: world.yaml says how its world answers a change, truth.yaml what does harm"
    )
    screen.command(f"opssquad eval run {out}", indent=2)
    return OK
