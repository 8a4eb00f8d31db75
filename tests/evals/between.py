"""A server between a client and a recorded cluster, that answers some requests in its own way: as a cluster
does that does not let everybody read everything."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web

from opssquad.evals.capture import Captured, CaptureOrder, capture
from opssquad.gate.redact import Redactor
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.serve import Served, open_recording
from tests.worlds.kube.stub_api import Stub, serving, status

RECORDINGS = Path(__file__).resolve().parents[2] / "evals" / "recordings"
Meddle = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""An answer in place of the cluster's; None lets the request through."""
KEPT = ("Content-Type", "Date")


@asynccontextmanager
async def between(served: Served, folder: Path, meddle: Meddle, user: str = "") -> AsyncIterator[Stub]:
    """Serve in front of `served`; with `user` everybody who comes is that user."""
    extra = {"Impersonate-User": user} if user else {}

    async with ClientSession() as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            if (own := await meddle(request)) is not None:
                return own
            headers = {"Accept": request.headers.get("Accept", "*/*"), **extra}
            if request.content_type and request.method != "GET":
                headers["Content-Type"] = request.content_type
            url, body = f"{served.url}{request.path_qs}", await request.read()
            async with session.request(request.method, url, headers=headers, data=body) as reply:
                kept = {name: reply.headers[name] for name in KEPT if name in reply.headers}
                return web.Response(status=reply.status, body=await reply.read(), headers=kept)

        async with serving(forward, folder) as stub:
            yield stub


async def nothing(_: web.Request) -> None:
    """Let everything through."""


def refused(what: str) -> web.Response:
    """As RBAC refuses."""
    return status(403, "Forbidden", f'{what} is forbidden: User "viewer" cannot list it')


async def captured(
    recording: Path,
    out: Path,
    folder: Path,
    meddle: Meddle = nothing,
    *,
    user: str = "",
    deadline: float = 10.0,
    also: tuple[str, ...] = (),
) -> Captured:
    """The capture of a recording whose clock stands still, of its one namespace and those that are named."""
    namespaces = (next(recording.glob("logs/*")).name, *also)
    async with (
        open_recording(recording, speed=0.0) as served,
        between(served, folder, meddle, user) as stub,
    ):
        cluster = await Cluster.connect(stub.kubeconfig(), deadline=deadline)
        try:
            order = CaptureOrder(out, namespaces, lambda _: None)
            return await capture(cluster, order, Redactor(b"k" * 32))
        finally:
            await cluster.close()
