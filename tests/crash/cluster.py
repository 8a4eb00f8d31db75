"""A cluster of its own, so that it outlives the program that is killed: the recorded incident, served in a
thread, behind a line that can swallow the answer to a change.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from opssquad import content
from opssquad.worlds.kube.kubeconfig import write_kubeconfig
from opssquad.worlds.kube.serve import Served, open_recording
from tests.crash.scene import DEPLOYMENT, RECORDING, SPEED, patches

HEADERS = ("Accept", "Content-Type", "Authorization")


@dataclass
class Line:
    """The way to the cluster. While `swallows`, what changes the deployment arrives and is done, and its
    answer never comes back; `swallowed` is set then."""

    kubeconfig: Path
    journal: Path
    swallows: bool = True
    swallowed: threading.Event = field(default_factory=threading.Event)

    def changes(self) -> int:
        """Requests that changed the deployment."""
        return patches(self.journal)


@contextmanager
def cluster(folder: Path) -> Iterator[Line]:
    """Serve it for as long as the context lasts."""
    line, up = Line(folder / "kubeconfig", folder / "journal.jsonl"), threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(line, up, over)))
    thread.start()
    try:
        assert up.wait(30), "the cluster does not come up"
        yield line
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _serve(line: Line, up: threading.Event, over: asyncio.Event) -> None:
    recording = content.recordings()[RECORDING]
    async with (
        open_recording(recording, journal=line.journal, speed=SPEED) as served,
        aiohttp.ClientSession() as session,
    ):

        async def handle(request: web.Request) -> web.Response:
            return await _pass_on(line, served, session, request, over)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        name = served.world.recording.cluster.name
        write_kubeconfig(line.kubeconfig, name, f"http://{host}:{port}", served.world.token)
        up.set()
        await over.wait()
        await runner.cleanup()


async def _pass_on(
    line: Line, served: Served, session: aiohttp.ClientSession, request: web.Request, over: asyncio.Event
) -> web.Response:
    headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
    address = f"{served.url}{request.rel_url.raw_path_qs}"
    async with session.request(request.method, address, headers=headers, data=await request.read()) as answer:
        body = await answer.read()
    changing = request.method == "PATCH" and request.path == DEPLOYMENT and "dryRun" not in request.query
    if changing and line.swallows:
        line.swallowed.set()
        await over.wait()
    kept = {name: answer.headers[name] for name in ("Content-Type", "Date") if name in answer.headers}
    return web.Response(status=answer.status, body=body, headers=kept)
