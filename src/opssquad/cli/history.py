"""`opssquad history`: what looks have shown of the revisions of workloads: kept, shown, let go."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from opssquad.cli.failures import OK
from opssquad.cli.shared import Shared, screen_options, shared


@click.group("history")
def command() -> None:
    """Watch how the revisions of workloads run, show what is known of them."""


@command.command("watch")
@click.option("--context", default="", metavar="NAME", help="Kubeconfig context; else the current one.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; else KUBECONFIG.")
@click.option("--recording", default="", metavar="DIR|ID", help="A recording, to try it: nothing is kept.")
@click.option("--namespace", "-n", "namespaces", multiple=True, metavar="NAME",
              help="A namespace to look at; may be given several times. None: all of them.")  # fmt: skip
@click.option("--every", default="60s", metavar="TIME", show_default=True, help="Time between two looks.")
@click.option("--once", is_flag=True, help="Look once and leave, for cron.")
@screen_options
@shared
def watch(shared: Shared, /, **given: Any) -> int:
    """Look at every workload again and again, and keep what is seen of its revisions.

    Says a line for each change. Only reads. Ctrl-C ends it; what was seen until then is kept.
    """
    from opssquad.cli.running import run
    from opssquad.cli.watching import Order, watch

    order = Order(**{**given, "namespaces": tuple(dict.fromkeys(given["namespaces"])) or ("",)})
    return run(watch(shared.settings(), shared.screen(), order))


@command.command("show")
@click.argument("workload", default="", metavar="[WORKLOAD]")
@click.option("--namespace", "-n", default="", metavar="NAME", help="Only workloads of this namespace.")
@screen_options
@shared
def show(shared: Shared, workload: str, namespace: str) -> int:
    """What is known of each revision: from when to when it was looked at, how closely, its restarts, and
    whether that shows that it ran well. No cluster is asked."""
    from opssquad.cli.looking import with_store
    from opssquad.cli.render.seen import chosen, show_seen

    kept = with_store(shared, lambda store: store.all_stretches())
    show_seen(shared.screen(), chosen(kept, workload, namespace))
    return OK


@command.command("prune")
@click.option("--older", default="90d", metavar="TIME", show_default=True,
              help="Let go of what was last seen longer ago than this.")  # fmt: skip
@screen_options
@shared
def prune(shared: Shared, older: str) -> int:
    """Let go of what was seen long ago. After 90 days that happens by itself."""
    from opssquad.cli.looking import with_store
    from opssquad.cli.which import span
    from opssquad.times import wall_clock

    before = wall_clock() - span(older, "--older", timedelta(), timedelta(days=36500))
    gone = with_store(shared, lambda store: store.forget_stretches(before))
    shared.screen().line(f"{gone} stretch{'es' * (gone != 1)} of looks let go")
    return OK
