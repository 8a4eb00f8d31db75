"""The options that say which world and squad a conversation is about, for chat, ask and demo alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--squad", default="", metavar="NAME",
                 help="The squad to talk with; else the recording's, database with --dsn alone, or k8s."),
    click.option("--recording", default="", metavar="DIR|ID", help="A recorded incident, not a cluster."),
    click.option("--context", default="", metavar="NAME", help="Kubeconfig context; else the current one."),
    click.option("--namespace", "-n", default="", metavar="NAME", help="Namespace to look in first."),
    click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; else KUBECONFIG."),
    click.option("--dsn", default="", metavar="DSN",
                 help="A PostgreSQL database: host=... dbname=..., postgresql://..., service=NAME, or "
                 "secret:NAMESPACE/NAME of the cluster; else OPSSQUAD_DSN."),
    click.option("--model", default="", metavar="NAME", help="`offline`, or a model at OPENAI_BASE_URL."),
    click.option("--read-only", is_flag=True, help="Nothing can be changed, nor proposed to be."),
    click.option("--suggest-only", is_flag=True, help="Changes are shown as commands to copy, never done."),
    click.option("--resume", default="", metavar="THREAD", help="Go on with an earlier thread."),
)  # fmt: skip


def call_options(function: F) -> F:
    """Add those of a run that may come to a card in a script: `as_json` and `approve`."""
    function = click.option(
        "--approve", type=click.Choice(["never", "ask", "all"]), default="ask", show_default=True,
        help="Cards: refuse them, leave them pending (a runbook asks at a terminal), or (recordings only) "
        "approve them.",
    )(function)  # fmt: skip
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(
        function
    )


def world_options(function: F) -> F:
    """Add the options; they reach the command as the fields of `session.Wanted`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
