"""What stands before a recorded cluster and misbehaves in one way at a time, with a kubeconfig for it.

A request is passed on to the recorded API server but where the fault says otherwise; the program under test
sees nothing but HTTP.
"""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS

Json = dict[str, Any]
Forward = Callable[[], Awaitable[web.Response]]
Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]
Which = Callable[[web.Request], bool]
CONTEXT = "behind"


@dataclass
class Front:
    """`asked`: the requests in order, as `GET /path`; `left`: those whose client went away before the
    answer was out."""

    kubeconfig: Path
    asked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def context(self, *, server: str, cluster: Any = None, user: Any = None) -> None:
        """Write the kubeconfig: its one context leads to that server."""
        document = {
            "current-context": CONTEXT,
            "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
        }
        self.kubeconfig.write_text(json.dumps(document), encoding="utf-8")


def every(request: web.Request) -> bool:
    """Each request."""
    return True


def on(*parts: str, method: str = "") -> Which:
    """Requests whose path holds one of these parts."""
    return lambda r: any(part in r.path for part in parts) and method in ("", r.method)


def write(request: web.Request) -> bool:
    """What changes the world: no reads, no dry runs, no questions about rights."""
    asks = "/authorization.k8s.io/" in request.path
    return request.method not in ("GET", "HEAD") and "dryRun" not in request.query and not asks


def status(code: int, reason: str = "", message: str = "no", **headers: str) -> web.Response:
    """A Status object as an API server sends it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return web.json_response({**body, "code": code}, status=code, headers=headers)


def answers(made: Callable[[], web.Response], which: Which = every, after: int = 0) -> Fault:
    """That answer in place of the cluster's, from the request number `after` on."""
    count = 0

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        nonlocal count
        if not which(request):
            return await forward()
        count += 1
        return made() if count > after else await forward()

    return fault


def alternates(made: Callable[[], web.Response], which: Which = every) -> Fault:
    """Every request gets that answer first, and the right one when it is made again. Three times at most for
    each path: several who ask for the same at once would else take turns so that one of them, by chance,
    fails as often as it tries."""
    asked: dict[str, int] = {}

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        asked[request.path_qs] = asked.get(request.path_qs, 0) + 1
        return made() if which(request) and asked[request.path_qs] in (1, 3, 5) else await forward()

    return fault


def hangs(which: Which = every, seconds: float = 300.0, done: bool = False) -> Fault:
    """No answer; with `done` the cluster does what was asked all the same."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        if not which(request):
            return await forward()
        if done:
            await forward()
        await asyncio.sleep(seconds)
        return status(504)

    return fault


def breaks(which: Which = every, every_other: bool = False, done: bool = False) -> Fault:
    """The connection is closed without a word; `every_other`: not when the same is asked again."""
    asked: dict[str, int] = {}

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        asked[request.path_qs] = asked.get(request.path_qs, 0) + 1
        if not which(request) or (every_other and asked[request.path_qs] % 2 == 0):
            return await forward()
        if done:
            await forward()
        if request.transport:
            request.transport.close()
        return web.Response()

    return fault


def drips(which: Which, piece: int, pause: float) -> Fault:
    """The right answer, `piece` bytes at a time with pauses in between."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        whole = await forward()
        if not which(request):
            return whole
        body = whole.body if isinstance(whole.body, bytes) else b""
        response = web.StreamResponse(status=whole.status, headers=whole.headers)
        await response.prepare(request)
        for start in range(0, len(body), piece):
            await response.write(body[start : start + piece])
            await asyncio.sleep(pause)
        return response

    return fault


def cuts(which: Which) -> Fault:
    """Half of the right body, then the connection is closed."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        whole = await forward()
        if not which(request):
            return whole
        body = whole.body if isinstance(whole.body, bytes) else b""
        response = web.StreamResponse(status=whole.status, headers=whole.headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if request.transport:
            request.transport.close()
        return response

    return fault


def changes(change: Callable[[web.Request, Json], Json | None], which: Which = every) -> Fault:
    """The right answer with its JSON document changed; None leaves it as it is."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        whole = await forward()
        if not which(request) or whole.status != 200 or whole.content_type != "application/json":
            return whole
        body = whole.body if isinstance(whole.body, bytes) else b""
        changed = change(request, json.loads(body))
        return web.Response(body=json.dumps(changed).encode() if changed else body, headers=whole.headers)

    return fault


def headed(change: Callable[[Any], None]) -> Fault:
    """The right answer with other headers."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        whole = await forward()
        change(whole.headers)
        return whole

    return fault


async def passes(request: web.Request, forward: Forward) -> web.StreamResponse:
    """Nothing is wrong."""
    return await forward()


@asynccontextmanager
async def _before(
    fault: Fault,
    front: Front,
    recording: str,
    user: Any,
    tls: ssl.SSLContext | None,
    scheme: str,
    speed: float,
) -> Any:
    async with (
        open_recording(RECORDINGS / recording, speed=speed) as served,
        ClientSession(auto_decompress=False) as session,
    ):

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            front.asked.append(f"{request.method} {request.path_qs}")

            async def forward() -> web.Response:
                kept = ("Authorization", "Host", "Content-Length")
                headers = {k: v for k, v in request.headers.items() if k not in kept}
                url = f"{served.url}{request.raw_path}"
                async with session.request(request.method, url, headers=headers, data=body) as got:
                    drop = ("Content-Length", "Transfer-Encoding")
                    back = {k: v for k, v in got.headers.items() if k not in drop}
                    return web.Response(status=got.status, body=await got.read(), headers=back)

            try:
                return await fault(request, forward)
            except (asyncio.CancelledError, ConnectionError):
                front.left.append(f"{request.method} {request.path}")
                raise

        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        front.context(server=f"{scheme}://127.0.0.1:{runner.addresses[0][1]}", user=user)
        try:
            yield
        finally:
            await runner.cleanup()


@contextmanager
def behind(
    fault: Fault,
    folder: Path,
    recording: str = "auth-0308",
    user: Any = None,
    tls: ssl.SSLContext | None = None,
    scheme: str = "",
    speed: float = 1.0,
) -> Iterator[Front]:
    """The recorded cluster behind that fault, served from a thread of its own."""
    front = Front(folder / "kubeconfig")
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        stands = _before(fault, front, recording, user, tls, scheme or ("https" if tls else "http"), speed)
        loop.run_until_complete(stands.__aenter__())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield front
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(stands.__aexit__(None, None, None))


@contextmanager
def nobody(folder: Path) -> Iterator[Front]:
    """A port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        front = Front(folder / "kubeconfig")
        front.context(server=f"http://127.0.0.1:{taken.getsockname()[1]}")
        yield front


@contextmanager
def black_hole(folder: Path, scheme: str = "http") -> Iterator[Front]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hole:
        front = Front(folder / "kubeconfig")
        front.context(server=f"{scheme}://127.0.0.1:{hole.getsockname()[1]}")
        yield front
