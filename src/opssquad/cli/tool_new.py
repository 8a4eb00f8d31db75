"""`opssquad tool new` and `tool test`: a tool of one's own begun, with its test and recording, and tested."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.extensions.sources import Source
    from opssquad.extensions.starting import Kind, Started
    from opssquad.types import Effect

NO_TESTS = 5
"""How pytest ends where it found none."""


@click.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(["python", "command", "http"]), default="python",
              show_default=True, help="A Python function, a program, a request.")  # fmt: skip
@click.option("--effect", type=click.Choice(["read", "mutate"]), default="read", show_default=True,
              help="Whether it only reads, or changes something and needs a yes.")  # fmt: skip
@click.option("--squad", default="k8s", show_default=True, metavar="NAME", help="The squad that it joins.")
@click.option("--project", is_flag=True, help="Into ./opssquad, which is trusted with it.")
@screen_options
@shared
def new(shared: Shared, name: str, kind: "Kind", effect: "Effect", squad: str, project: bool) -> None:
    """Write a tool NAME that works, its test, and a recording for it; says what to do next.

    Into ~/.config/opssquad (or the folder that OPSSQUAD_OWN names): tools/NAME.py, tests/test_NAME.py and
    tests/recordings/NAME. Nothing is ever written over.
    """
    from opssquad import content
    from opssquad.errors import UsageError
    from opssquad.extensions.library import library
    from opssquad.extensions.sources import PROJECT, trust
    from opssquad.extensions.starting import fits, start
    from opssquad.squad.known import spec_of

    settings = shared.settings()
    fits(name)
    world = spec_of(squad).world
    if kind == "python" and world != "cluster":
        said = f"what Python begins with works on a cluster, and squad {squad} on a {world}"
        raise UsageError(
            f"{said}; take --kind command or http, or begin with k8s and change handle and squads"
        )
    if name in content.tool_names():
        raise UsageError(f"{name!r} is the name of one of ours; take another")
    if (there := library()).without(name) or name in there.tools:
        raise UsageError(f"{name!r} is a tool of yours already; see: opssquad tool show {name}")
    folder = Path.cwd() / PROJECT if project else settings.own
    begun = start(name, kind, effect, squad, folder)
    if project:
        trust(settings.state, folder)
    _told(shared, name, effect, begun)


def _told(shared: Shared, name: str, effect: "Effect", begun: "Started") -> None:
    from opssquad.cli.text import visible
    from opssquad.cli.tools import place as home_place

    def place(path: Path) -> str:
        here = path.is_relative_to(Path.cwd())
        return f"./{path.relative_to(Path.cwd())}" if here else home_place(str(path))

    screen, recording = shared.screen(), place(begun.recording)
    args = " ".join(f"--arg {quote(f'{key}={value}')}" for key, value in begun.args.items())
    approve = " --approve all" if effect == "mutate" else ""
    for path in (begun.tool, begun.test, begun.recording):
        screen.line(f"wrote {visible(place(path))}")
    screen.line("next:")
    for line in (
        f"opssquad tool test {name}",
        f"opssquad tool run {name} {args}{approve} --recording {visible(recording)}",
        f"opssquad tool show {name}",
    ):
        # Not folded: it is there to be copied.
        click.echo(f"  {line}")


@click.command("test")
@click.argument("name", required=False, default="")
@screen_options
@shared
def test(shared: Shared, name: str) -> int:
    """Run the tests of your own tools, or of the tool NAME, with pytest.

    Exit code: 0 all passed, 1 one failed, 2 there is none or no pytest.
    """
    from opssquad.errors import UsageError
    from opssquad.extensions.sources import sources

    if find_spec("pytest") is None:
        raise UsageError(f"pytest is not installed where opssquad is: {sys.executable} -m pip install pytest")
    meant = [(each, files) for each in sources(shared.settings()) if (files := _files(each, name))]
    if not meant:
        what = f"test_{name}.py in tests/" if name else "tests/test_*.py"
        raise UsageError(f"no {what} of your own folder or ./opssquad; begin one: opssquad tool new NAME")
    for source, _ in meant:
        if not source.trusted:
            raise UsageError(
                f"{source.folder} is not trusted; to run its code: opssquad tool trust {source.folder}"
            )
    return OK if all([_passed(source, files) for source, files in meant]) else INTERNAL


def _files(source: "Source", name: str) -> list[str]:
    return [str(each) for each in sorted((source.folder / "tests").glob(f"test_{name or '*'}.py"))]


def _passed(source: "Source", files: list[str]) -> bool:
    """Run them beside the tools, so that a project's settings of pytest count and ours do not."""
    folder = source.folder if source.kind == "user" else source.folder.parent
    command = [sys.executable, "-m", "pytest", "-q", *files]
    return subprocess.run(command, cwd=folder, check=False).returncode in (0, NO_TESTS)
