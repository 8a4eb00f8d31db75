"""Serving a recording: an API server on loopback, a kubeconfig for it, and a clock that ticks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from opssquad.times import Clock
from opssquad.worlds.kube.apiserver.request import User
from opssquad.worlds.kube.apiserver.server import serving
from opssquad.worlds.kube.clock import real_time
from opssquad.worlds.kube.kubeconfig import write_kubeconfig
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.world import ONCALL, RecordedWorld

TICK = 0.1
"""Real seconds between looks at what has become due while no request comes."""


@dataclass(frozen=True)
class Served:
    """A world that is being served: a file named `kubeconfig`, the server's URL, and the world itself."""

    kubeconfig: Path
    url: str
    world: RecordedWorld


@contextlib.asynccontextmanager
async def open_recording(
    folder: Path,
    journal: Path | None = None,
    started_at: datetime | None = None,
    port: int = 0,
    speed: float = 1.0,
    real: Clock = real_time,
    user: User = ONCALL,
) -> AsyncIterator[Served]:
    """Serve the recording in a folder for as long as the context lasts. Raises BadFile.

    `journal` and `started_at` let another process go on in the same world; `speed` runs its clock faster;
    `real` is what it runs by; `user` is who comes.
    """
    world = RecordedWorld(
        load(folder), journal=journal, started_at=started_at, speed=speed, real=real, user=user
    )
    with TemporaryDirectory(prefix="opssquad-") as temporary:
        async with serving(world, port) as url:
            kubeconfig = Path(temporary) / "kubeconfig"
            write_kubeconfig(kubeconfig, world.recording.cluster.name, url, world.token)
            ticker = asyncio.create_task(_tick(world))
            try:
                yield Served(kubeconfig, url, world)
            finally:
                ticker.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticker


async def _tick(world: RecordedWorld) -> None:
    while True:
        await asyncio.sleep(TICK)
        world.advance()


async def serve(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serve a recording until cancelled; `announce` is told where its kubeconfig is."""
    async with open_recording(folder, port=port) as served:
        announce(f"KUBECONFIG={served.kubeconfig}")
        await asyncio.Event().wait()
