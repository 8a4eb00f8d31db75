"""`opssquad policy`: what policy says of a line or a call, and whether its files are sound."""

from pathlib import Path

import click

from opssquad.cli.failures import INTERNAL, OK, USAGE
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.errors import UsageError

FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE...]")


@click.group("policy")
def command() -> None:
    """Say what policy makes of a call, check and lint its files.

    In force are the bundled policy, the organisation's (OPSSQUAD_POLICY, or policy.yaml in
    ~/.config/opssquad) and the squad's; docs/policy.md says how they are written.
    """


@command.command("explain")
@click.argument("asked", metavar="LINE|JSON", required=False)
@click.option("--destination", default="", metavar="HOST:PORT", help="Whether that may be probed, instead.")
@click.option("--squad", default="k8s", show_default=True, metavar="NAME", help="Whose call it is.")
@click.option("--context", "--cluster", "cluster", default="", metavar="NAME", help="Where it goes.")
@click.option("--namespace", default="", metavar="NAME", help="Where it goes if it names none itself.")
@click.option("--at", default="", metavar="TIME", help="When, such as 2026-12-24T18:00:00Z; now if left out.")
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE",
              help="The organisation's file (also: OPSSQUAD_POLICY).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@screen_options
@shared
def explain(
    shared: Shared,
    asked: str | None,
    destination: str,
    squad: str,
    cluster: str,
    namespace: str,
    at: str,
    policy: Path | None,
    as_json: bool,
) -> int:
    """What policy says of a line, a call or a destination.

    A line is one of kubectl; a call is JSON such as '{"tool": "scale", "args": {"name": "api"}}'. The first
    word is the verdict: allow, ask or refuse. The exit code is 0 for each of them, and 2 for what is
    neither a line nor a call. Nothing is run, and no cluster is asked.
    """
    from opssquad.cli.explaining import HOW, Explained, Place, explained
    from opssquad.cli.reaching import Reached, reached
    from opssquad.cli.render.policy import show_explained, show_reached

    if (asked is None) == (not destination):
        raise UsageError(f"{HOW}; or --destination HOST:PORT instead")
    own = policy or shared.settings().policy
    found: Explained | Reached
    if asked is None:
        found = reached(destination, squad, own)
    else:
        found = explained(asked, Place(squad, cluster, namespace, at), own)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    elif isinstance(found, Reached):
        show_reached(shared.screen(), found)
    else:
        show_explained(shared.screen(), found)
    return OK


@command.command("check")
@FILES
@screen_options
@shared
def check(shared: Shared, files: tuple[Path, ...]) -> int:
    """Whether policy files can be read.

    One line each; exit code 2 if one cannot. Without FILE, the files in force. A FILE beside a squad.yaml is
    read as that squad's, any other as the organisation's.
    """
    from opssquad.cli.linting import checked
    from opssquad.cli.text import visible

    screen, bad = shared.screen(), False
    for line in checked(files, shared.settings().policy):
        bad = bad or not line.good
        screen.line(visible(line.text))
    return USAGE if bad else OK


@command.command("lint")
@FILES
@screen_options
@shared
def lint(shared: Shared, files: tuple[Path, ...]) -> int:
    """What is odd about rules that can be read.

    Rules that are shadowed, contradict each other, are void, or are about nothing that there is. Exit code 1
    if anything is found, 2 if a file cannot be read. Without FILE, the layers in force of every squad; a FILE
    is looked at as it would be in its place among them.
    """
    from opssquad.cli.linting import linted
    from opssquad.cli.text import visible

    screen = shared.screen()
    findings, rules = linted(files, shared.settings().policy)
    for each in findings:
        screen.line(visible(str(each)))
    if not findings:
        screen.line(f"{rules} {'rule' if rules == 1 else 'rules'}, nothing is odd")
    return INTERNAL if findings else OK
