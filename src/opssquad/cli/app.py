"""The root command: which commands there are, and what becomes of an error. Imports click and little else,
so that `--help` is instant; each command lives in a module of its own.
"""

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Self

import click

from opssquad.cli.failures import report
from opssquad.cli.shared import Shared, screen_options
from opssquad.errors import UsageError

# Name, module, and the one line that --help shows: kept here so that listing imports nothing.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Watch a recorded incident being solved: no cluster, no key."),
    "chat": ("chat", "Talk with a squad about what is wrong."),
    "ask": ("ask", "Ask one question and leave; for scripts and alerts."),
    "incident": ("incident", "List investigations, show one's timeline."),
    "approvals": ("approvals", "List, show, approve or refuse cards that wait."),
    "audit": ("audit", "Show or export the audit log, verify that nothing was altered."),
    "history": ("history", "Watch how revisions of workloads run, show what is known of them."),
    "store": ("store", "Check what is on disk, make a backup of it."),
    "policy": ("policy", "Say what policy makes of a call, check and lint its files."),
    "fault": ("fault", "List, show and explain the faults a squad can tell apart."),
    "runbook": ("runbook", "List, show and run runbooks: documents that are programs."),
    "squad": ("squad", "List squads, show what one may do, make your own."),
    "tool": ("tool", "List the tools and their effects."),
    "schema": ("schema", "JSON Schema of the files that you write, for editors."),
    "mcp": ("mcp", "Use MCP servers as tools, be one for other agents."),
    "recording": ("recording", "Capture a live system; lint, show or serve a recorded incident."),
    "eval": ("evals", "Play suites of recorded incidents, score and compare."),
    "doctor": ("doctor", "Check what opssquad needs, and say what to do."),
    "version": ("version", "Print the version."),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are chosen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"opssquad.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is refused with the nearest names."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1) or list(COMMANDS)
            ctx.fail(f"no command {args[0]!r}; nearest: {', '.join(near)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for --help, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from opssquad import __version__

    click.echo(f"opssquad {__version__}")
    ctx.exit()


@click.group(
    name="opssquad",
    cls=Lazy,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version and leave.")  # fmt: skip
@screen_options
@click.pass_context
def root(ctx: click.Context) -> None:
    """Ask a squad what is wrong with your cluster; approve the fix; see that it helped.

    \b
    Try it:      opssquad demo
    Your own:    opssquad chat --context NAME --namespace NAME
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 concluded, 1 internal error, 2 usage, 3 inconclusive,
    4 an approval is pending, 130 interrupted."""
    shared = Shared()
    with Outermost(shared) as frame:
        if sys.stdout is None:
            raise UsageError("standard output is closed; nothing could be shown")
        _all_text(arguments)
        result = root.main(args=list(arguments), prog_name="opssquad", standalone_mode=False, obj=shared)
        frame.code = result if isinstance(result, int) else 0
    return frame.code


def _all_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no UTF-8: they could be neither searched for, nor kept, nor shown."""
    for each in arguments:
        if any("\ud800" <= char <= "\udfff" for char in each):
            raise click.UsageError(f"{each!a} is not UTF-8 text; write it in UTF-8")


class Outermost:
    """The last frame: whatever is raised becomes one line for the engineer and an exit code."""

    def __init__(self, shared: Shared) -> None:
        self.code = 0
        self._shared = shared

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is not None:
            self.code = report(error, self._shared.state)
        return True
