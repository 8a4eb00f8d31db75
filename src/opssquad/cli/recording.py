"""`opssquad recording`: recorded incidents as clusters of their own."""

from pathlib import Path

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared


@click.group("recording")
def command() -> None:
    """Serve a recorded incident as a cluster, or check one."""


@command.command("check")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@screen_options
@shared
def check(shared: Shared, folders: tuple[Path, ...]) -> int:
    """Whether recordings can be served and are fair cases; says file, line and reason where not."""
    from opssquad.worlds.kube.recording import check as problems_of

    screen, bad = shared.screen(), 0
    for folder in folders:
        problems = problems_of(folder)
        bad += bool(problems)
        screen.line(f"{folder}: {'ok' if not problems else f'{len(problems)} problems'}")
        for problem in problems:
            screen.flow(problem, indent=4, first="  - ")
    return INTERNAL if bad else 0


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
