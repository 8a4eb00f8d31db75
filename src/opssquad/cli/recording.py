"""`opssquad recording`: recorded incidents: captured, made from scenarios, linted, shown and served."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INCONCLUSIVE, INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared

if TYPE_CHECKING:
    from opssquad.evals.capture import Captured
    from opssquad.worlds.kube.cluster import Cluster
    from opssquad.worlds.net.asks import Ask
    from opssquad.worlds.net.network import Backend

DEADLINE = 30.0
"""Seconds for one read of a capture: a whole log takes longer than what a tool asks for."""


@click.group("recording")
def command() -> None:
    """Make recordings, from live systems or scenarios; lint, show or serve them."""


@command.command("capture")
@click.option("--context", default="", metavar="NAME", help="Kubeconfig context; else the current one.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig file; else KUBECONFIG.")
@click.option("--namespace", "-n", "namespaces", multiple=True, metavar="NAME",
              help="A namespace to record; may be given several times.")  # fmt: skip
@click.option("--dsn", default="", metavar="DSN",
              help="A database to record: host=... dbname=..., postgresql://..., service=NAME.")  # fmt: skip
@click.option("--probe", "probes", multiple=True, metavar="PROBE",
              help="Ask the network from here: 'connect cart.shop:80', 'lookup cart.shop A'.")  # fmt: skip
@click.option("--probes", "probe_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="A file of such probes, one a line.")  # fmt: skip
@click.option("--since", default="", metavar="TIME", help="Logs from then on: 2h, 90min; else all there is.")
@click.option("--title", default="", metavar="TEXT", help="The symptom in one line; no guess at the cause.")
@click.option("--question", "-q", "questions", multiple=True, metavar="TEXT",
              help="What the on-call asks; filled up to three with neutral ones.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="The folder to make; its name is the recording's id.")  # fmt: skip
@screen_options
@shared
def capture(shared: Shared, /, **given: Any) -> int:
    """Write a recording of a live system, without its secrets.

    Only reads. What this login may not read is listed at the end and in missing.yaml.
    """
    from opssquad.cli.render.recordings import show_captured
    from opssquad.cli.running import run

    show_captured(shared.screen(), run(_captured(shared, given)))
    return OK


async def _captured(shared: Shared, given: dict[str, Any]) -> "Captured":
    from opssquad.cli.which import moment
    from opssquad.errors import UsageError
    from opssquad.evals.capture import CaptureOrder, capture, passing_redactor
    from opssquad.gate.own import load_own
    from opssquad.investigation.systems import connect_database
    from opssquad.times import wall_clock

    probes = _probes(given["probes"], given["probe_file"])
    if not (given["namespaces"] or given["dsn"] or probes):
        raise UsageError("nothing to record: give --namespace NAME, --dsn DSN or --probe PROBE")
    # Refused now rather than when the cluster has been asked for its clock.
    moment(given["since"], wall_clock(), "--since")
    folder = given["out"].absolute()
    order = CaptureOrder(
        folder=folder,
        namespaces=tuple(dict.fromkeys(given["namespaces"])),
        since=lambda now: moment(given["since"], now, "--since"),
        title=given["title"].strip(),
        questions=tuple(filter(None, map(str.strip, given["questions"]))),
        probes=probes,
        tell=_tell,
    )
    redactor = passing_redactor(load_own(shared.settings().redaction))
    async with AsyncExitStack() as stack:
        dsn, recorded = given["dsn"], bool(given["namespaces"])
        cluster = await _cluster(given, stack) if recorded or dsn.startswith("secret:") else None
        database = await connect_database(dsn, cluster, stack) if dsn else None
        network = _network(shared, cluster) if probes else None
        return await capture(cluster if recorded else None, order, redactor, database, network)


def _network(shared: Shared, cluster: "Cluster | None") -> "Backend":
    """The network, within the policy that holds for a live run."""
    from opssquad.investigation.options import Options
    from opssquad.investigation.systems import live_network

    settings = shared.settings()
    meant = Options(
        state=settings.state,
        by=settings.by,
        squad="network",
        policy=settings.policy,
        policy_place=settings.policy_place,
    )
    return live_network(meant, cluster)


def _probes(words: tuple[str, ...], file: Path | None) -> "tuple[Ask, ...]":
    """What is to be asked. Raises UsageError, with file and line where it stands in one."""
    from opssquad.documents import BadFile, read_text
    from opssquad.errors import ToolError, UsageError
    from opssquad.worlds.net.asking import parse

    found = []
    for each in words:
        try:
            found.append(parse(each))
        except ToolError as error:
            raise UsageError(f"--probe: {error}") from error
    for number, text in enumerate(read_text(file).split("\n") if file else (), 1):
        if not text.strip() or text.startswith("#"):
            continue
        try:
            found.append(parse(text))
        except ToolError as error:
            raise BadFile(str(file), str(error), number) from error
    return tuple(found)


async def _cluster(given: dict[str, Any], stack: AsyncExitStack) -> "Cluster":
    from opssquad.worlds.kube.cluster import Cluster

    cluster = await Cluster.connect(given["kubeconfig"], given["context"], deadline=DEADLINE)
    stack.push_async_callback(cluster.close)
    return cluster


def _tell(text: str) -> None:
    """Say to who waits in front of a terminal what is being done; a script reads only what came of it."""
    if sys.stderr and sys.stderr.isatty():
        click.echo(f"{text} ...", err=True)


@command.command("make")
@click.argument("scenarios", nargs=-1, required=True, metavar="FILE...",
                type=click.Path(path_type=Path, dir_okay=False))  # fmt: skip
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="The folder to make each one in; a recording of that id is written over.")  # fmt: skip
@screen_options
@shared
def make(shared: Shared, scenarios: tuple[Path, ...], out: Path) -> int:
    """Make recordings from scenarios: play each story on the control plane that serves recordings."""
    from opssquad.cli.render.recordings import show_made
    from opssquad.evals.scenarios import make as made

    screen = shared.screen()
    for scenario in scenarios:
        show_made(screen, made(scenario, out))
    return OK


@command.command("lint")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@screen_options
@shared
def lint(shared: Shared, folders: tuple[Path, ...]) -> int:
    """Whether recordings can be served and are fair cases without secrets; says file, line and reason.

    \b
    Exit code: 0 all are, 3 one has no verdict (truth.yaml) yet, 1 something is wrong.
    """
    from opssquad.cli.render.recordings import show_linted
    from opssquad.evals.linting import lint as linted
    from opssquad.gate.own import load_own

    screen, own = shared.screen(), load_own(shared.settings().redaction)
    found = [(folder, linted(folder, own)) for folder in folders]
    for folder, each in found:
        show_linted(screen, folder, each)
    if any(each.problems for _, each in found):
        return INTERNAL
    return OK if all(each.verdict for _, each in found) else INCONCLUSIVE


@command.command("show")
@click.argument("recording", metavar="DIR|ID")
@click.option("--truth", is_flag=True, help="Say what was really wrong, too.")
@screen_options
@shared
def show(shared: Shared, recording: str, truth: bool) -> int:
    """What a recording holds, on one screen."""
    from opssquad import content
    from opssquad.cli.render.recordings import show_recording, show_truth
    from opssquad.worlds.kube.recording import load, load_truth
    from opssquad.worlds.kube.recording.notes import load_notes

    folder, screen = content.recording(recording), shared.screen()
    verdict = load_truth(folder) if truth and (folder / "truth.yaml").exists() else None
    show_recording(screen, load(folder), load_notes(folder))
    if truth:
        show_truth(screen, verdict)
    return OK


@command.command("serve")
@click.argument("recording", metavar="DIR|ID")
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="Port on loopback; 0 takes a free one."
)
@screen_options
@shared
def serve(shared: Shared, recording: str, port: int) -> int:
    """Serve a recording as a Kubernetes API on loopback until stopped.

    Prints KUBECONFIG=<file>: export it, and kubectl works against the recorded incident.
    """
    import asyncio

    from opssquad import content

    return asyncio.run(_serve(content.recording(recording), port))


async def _serve(folder: Path, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM; either way the kubeconfig is removed again."""
    import asyncio
    import signal

    from opssquad.worlds.kube.serve import serve as serve_recording

    serving = asyncio.ensure_future(serve_recording(folder, port, lambda line: click.echo(line)))
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled() and (error := serving.exception()):
        raise _told(error, port)
    return OK


def _told(error: BaseException, port: int) -> BaseException:
    """A port that is taken is the operator's to mend; anything else is passed on."""
    from opssquad.errors import UsageError

    if isinstance(error, OSError) and port:
        return UsageError(
            f"port {port} cannot be used: {error.strerror or error}; choose another with --port"
        )
    return error
