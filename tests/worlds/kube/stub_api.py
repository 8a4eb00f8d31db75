"""A loopback HTTP server that answers as a test tells it: for the ways an API server can misbehave."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stub:
    """`seen` are the requests in order; `handler` may be exchanged while it runs."""

    handler: Handler
    folder: Path
    url: str = ""
    seen: list[web.Request] = field(default_factory=list)

    def kubeconfig(self, cluster: Any = None, user: Any = None, namespace: str = "shop") -> Path:
        """A kubeconfig whose context `stub` leads here."""
        document = {
            "current-context": "stub",
            "clusters": [{"name": "c", "cluster": {"server": self.url, **(cluster or {})}}],
            "users": [{"name": "u", "user": user if user is not None else {"token": "t0"}}],
            "contexts": [{"name": "stub", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        }
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path


@asynccontextmanager
async def serving(handler: Handler, folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[Stub]:
    """Serve on a free port of loopback."""
    stub = Stub(handler, folder)

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        stub.seen.append(request)
        return await stub.handler(request)

    runner = web.AppRunner(_application(answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    stub.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()


def _application(answer: Handler) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def status(
    code: int, reason: str, message: str, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """A Status object as an API server sends it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return web.json_response({**body, "code": code, **more}, status=code, headers=headers)


def items(*objects: Any, token: str = "", version: str = "100") -> web.Response:
    """A page of a list; with a token there is more to come."""
    metadata = {"resourceVersion": version, **({"continue": token} if token else {})}
    return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": objects})


def pod(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "7"}}
