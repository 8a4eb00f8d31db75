"""The HTTP server: bytes in, bytes out, on loopback. Everything that has a meaning is decided in `dispatch`.

The `Date` header is the world's clock, so that clients count ages from it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.encoding import headers, render
from opssquad.worlds.kube.apiserver.request import Call, Reply, Stream
from opssquad.worlds.kube.apiserver.status import too_large, unauthorized
from opssquad.worlds.kube.apiserver.world import ServedWorld

if TYPE_CHECKING:
    from aiohttp import web

LARGEST_BODY = 3 * 1024 * 1024  # what the real server takes at most


@asynccontextmanager
async def serving(world: ServedWorld, port: int = 0) -> AsyncIterator[str]:
    """Serve a world on 127.0.0.1 for as long as the context lasts; gives the URL. Port 0 takes a free one."""
    from aiohttp import web

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await _handle(world, request)

    server = web.Server(handle, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        address = runner.addresses[0]
        yield f"http://{address[0]}:{address[1]}"
    finally:
        await runner.cleanup()


async def _handle(world: ServedWorld, request: "web.BaseRequest") -> "web.StreamResponse":
    from aiohttp import web

    try:
        body = await request.clone(client_max_size=LARGEST_BODY).read()
    except web.HTTPRequestEntityTooLarge:
        return _response(world, too_large(LARGEST_BODY).reply(), "")
    world.advance()
    user = world.authenticate(request.headers.get("Authorization", ""))
    if user is None:
        return _response(world, unauthorized().reply(), "")
    given = {name.lower(): value for name, value in request.headers.items()}
    call = Call(request.method, request.raw_path, user, given, body)
    reply = answer(world, call)
    if isinstance(reply, Stream):
        return await _stream(world, request, reply)
    return _response(world, reply, given.get("accept", ""))


def _response(world: ServedWorld, reply: Reply, accept: str) -> "web.Response":
    from aiohttp import web

    head, body = render(reply, accept, world.store.now())
    return web.Response(status=reply.status, body=body, headers=head)


async def _stream(world: ServedWorld, request: "web.BaseRequest", reply: Stream) -> "web.StreamResponse":
    from aiohttp import web

    response = web.StreamResponse(headers=headers(reply.headers, world.store.now()))
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for chunk in reply.chunks:
        await response.write(chunk)
    await response.write_eof()
    return response
