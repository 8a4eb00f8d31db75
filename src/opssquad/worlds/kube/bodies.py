"""Bodies of answers, bounded: a server that never stops must not fill the memory."""

from typing import TYPE_CHECKING

from opssquad.worlds.kube.access import Access
from opssquad.worlds.kube.trouble import MOST, too_long

if TYPE_CHECKING:
    from aiohttp import StreamReader


class Tail(bytes):
    """The end of a body of which there was more."""


async def whole(content: "StreamReader", access: Access) -> bytes:
    """A body to its end. Raises ToolError past `MOST` bytes."""
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > MOST:
            raise too_long(access)
    return bytes(body)


async def last(content: "StreamReader", access: Access, keep: int) -> bytes:
    """The last `keep` bytes of a text, a `Tail` from the beginning of a line where one begins there if there
    were more; the rest is dropped as it comes. Raises ToolError past `MOST` bytes."""
    kept, size = bytearray(), 0
    async for piece in content.iter_any():
        kept += piece
        size += len(piece)
        if size > MOST:
            raise too_long(access)
        if len(kept) > 2 * keep:
            del kept[:-keep]
    if size <= keep:
        return bytes(kept)
    tail = bytes(kept[-keep:])
    return Tail(tail[tail.find(b"\n") + 1 :])
