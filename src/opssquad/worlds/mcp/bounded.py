"""HTTP whose answers end at a size: the library reads an answer whole, whatever its length."""

from collections.abc import AsyncIterator

import httpx2

from opssquad.worlds.mcp.stdio import LINE


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LINE
        async for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise httpx2.ReadError(f"an answer of more than {LINE >> 20} MiB")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """Give up on the answer where it gets too long; a hook of the client, so that proxies hold as ever."""
    # A stream of events goes on for as long as the server is used; the library bounds each of them.
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream)
