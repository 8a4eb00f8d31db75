"""Speaks with one server by the library: starts it, reads its list of tools, calls them.

Imported when a server is first meant: the library takes a while, and may not be there.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.session import IncomingMessage, MessageHandlerFnT
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CONNECTION_CLOSED,
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    Implementation,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
    ToolListChangedNotification,
)
from pydantic import ValidationError

from opssquad import __version__
from opssquad.errors import ToolError, ToolUnsure
from opssquad.types import Effect, Json, digest
from opssquad.worlds.mcp.bounded import bound
from opssquad.worlds.mcp.offered import TOOLS, Address, Offered, Place, Told
from opssquad.worlds.mcp.stdio import Heard, spawned

PAGES = 50
"""Pages of a list of tools that are read."""
FRESH = 60.0
"""Seconds for which a list of tools is believed, unless the server says that it changed."""
CONNECT = 5.0
"""Seconds for a connection; an answer has the deadline of its call."""
FAILURES = (MCPError, OSError, ValueError, RuntimeError, httpx2.HTTPError, httpx2.InvalidURL, ExceptionGroup)
"""How the library fails: the protocol's errors, those of transports, and what does not fit its types."""

for _name in ("mcp", "client"):
    # The library logs what a server does wrong, with a traceback; we say it, in a line.
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class Spoken:
    """A server that answers. `offered` are its tools by name, as it listed them last; `more`: it has more
    than are read."""

    def __init__(self, name: str, client: Client, heard: Heard) -> None:
        self.name, self.dead = name, False
        self.offered: dict[str, Offered] = {}
        self.more = False
        self._client, self._heard = client, heard
        self._until = 0.0

    async def look(self, deadline: float) -> None:
        """Read its list of tools anew if it may have changed. Raises ToolError."""
        if anyio.current_time() < self._until and not self._heard.changed:
            return
        try:
            async with asyncio.timeout(deadline):
                await self.list()
        except FAILURES as error:
            self.dead = True
            said = _failed(error, self._heard)
            raise ToolError(f"MCP server {self.name} does not list its tools any more: {said}") from error

    async def list(self) -> None:
        """Read its list of tools. Raises what the library raises."""
        # Before it is asked: what changes meanwhile counts.
        self._heard.changed = False
        found: dict[str, Offered] = {}
        cursor = None
        for _ in range(PAGES):
            page = await self._client.list_tools(cursor=cursor)
            found.update((tool.name, _offered(tool)) for tool in page.tools)
            cursor = page.next_cursor
            if cursor is None or len(found) > TOOLS:
                break
        self.more = cursor is not None or len(found) > TOOLS
        self.offered = dict(list(found.items())[:TOOLS])
        self._until = anyio.current_time() + FRESH

    async def call(self, tool: str, arguments: Json, effect: Effect, deadline: float) -> Told:
        """Call it. Raises ToolError, and ToolUnsure where a mutation may have happened all the same."""
        lost = ToolUnsure if effect == "mutate" else ToolError
        what = f"{tool} of MCP server {self.name}"
        try:
            async with asyncio.timeout(deadline):
                return _told(await self._client.call_tool(tool, arguments))
        except TimeoutError:
            self.dead = True
            raise lost(f"{what} did not answer within {deadline:g} s") from None
        except MCPError as error:
            if error.code != CONNECTION_CLOSED:
                raise ToolError(f"{what}: the server refuses the call: {line(error.message)}") from error
            self.dead = True
            raise lost(f"{what}: the server ended in the middle of the call{self._more()}") from error
        except FAILURES as error:
            self.dead = True
            raise lost(f"{what}: its answer cannot be used: {reason(error)}") from error

    def _more(self) -> str:
        said = self._heard.said()
        return f"; {said}" if said else ""


@asynccontextmanager
async def speaking(name: str, place: Place, start: float) -> AsyncIterator[Spoken]:
    """A server, started and with its tools listed within `start` seconds; it is ended on leaving. Raises
    ToolError in a line that says what it did instead."""
    heard = Heard()
    try:
        with anyio.CancelScope(deadline=anyio.current_time() + start) as scope:
            async with AsyncExitStack() as stack:
                transport = await _transport(place, heard, stack)
                info = Implementation(name="opssquad", version=__version__)
                # No cache: whether a list has changed is the question.
                made = Client(transport, client_info=info, cache=None, message_handler=_noting(heard))
                client = await stack.enter_async_context(made)
                spoken = Spoken(name, client, heard)
                await spoken.list()
                scope.deadline = math.inf
                yield spoken
    except FAILURES as error:
        raise ToolError(f"MCP server {name} {_failed(error, heard)}") from error
    if scope.cancelled_caught:
        said = heard.said()
        raise ToolError(f"MCP server {name} did not start within {start:g} s{f'; {said}' if said else ''}")


def _noting(heard: Heard) -> MessageHandlerFnT:
    """Takes what a server says by itself: that its list changed counts."""

    async def note(message: IncomingMessage) -> None:
        heard.changed = heard.changed or isinstance(message, ToolListChangedNotification)

    return note


async def _transport(place: Place, heard: Heard, stack: AsyncExitStack) -> AbstractAsyncContextManager[Any]:
    if not isinstance(place, Address):
        return spawned(place, heard)

    async def status(response: httpx2.Response) -> None:
        heard.status = f"{response.status_code} {response.reason_phrase}" if response.is_error else ""

    client = httpx2.AsyncClient(
        headers=dict(place.headers),
        timeout=httpx2.Timeout(CONNECT, read=None),
        event_hooks={"response": [bound, status]},
    )
    return streamable_http_client(place.url, http_client=await stack.enter_async_context(client))


def _failed(error: BaseException, heard: Heard) -> str:
    """What a server that could not be started did, in words."""
    leaf = _leaf(error)
    if isinstance(leaf, FileNotFoundError | NotADirectoryError | PermissionError):
        return f"cannot be started: {leaf.strerror}: {leaf.filename!r}"
    said = heard.said()
    if isinstance(leaf, MCPError) and leaf.code == CONNECTION_CLOSED:
        return f"ended before it had answered{f'; {said}' if said else ''}"
    return f"cannot be used: {reason(leaf)}{f'; {said}' if said else ''}"


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def reason(error: BaseException) -> str:
    """The innermost of it in a line, without what a server may make long."""
    leaf = _leaf(error)
    if isinstance(leaf, ValidationError):
        first = leaf.errors()[0]
        return f"it is not of the protocol: {'.'.join(map(str, first['loc']))}: {line(first['msg'])}"
    return line(str(leaf)) if isinstance(leaf, MCPError) else f"{type(leaf).__name__}: {line(str(leaf))}"


def line(text: str, most: int = 300) -> str:
    """One line of a text, not longer than that."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _offered(tool: Tool) -> Offered:
    hints = tool.annotations
    return Offered(
        name=tool.name,
        description=tool.description or "",
        parameters=tool.input_schema,
        returns=digest(tool.output_schema) if tool.output_schema else "",
        says_read=bool(hints and hints.read_only_hint),
    )


def _told(result: CallToolResult) -> Told:
    texts = [_text(block) for block in result.content]
    data = result.structured_content
    if data is not None and not any(_same(text, data) for text in texts):
        texts.append(json.dumps(data, ensure_ascii=False, indent=1))
    return Told("\n".join(texts), data, result.is_error)


def _same(text: str, data: Any) -> bool:
    """Whether a text says the structured content once more, as most servers have it."""
    wrapped = data["result"] if isinstance(data, dict) and data.keys() == {"result"} else data
    try:
        return text == wrapped or json.loads(text) in (data, wrapped)
    except ValueError:
        return False


def _text(block: ContentBlock) -> str:
    match block:
        case TextContent(text=text):
            return text
        case ImageContent(mime_type=kind, data=data) | AudioContent(mime_type=kind, data=data):
            return f"({kind}, {len(data) * 3 // 4:,} bytes, not shown)"
        case EmbeddedResource(resource=TextResourceContents(text=text, uri=uri)):
            return f"{uri}:\n{text}"
        case EmbeddedResource(resource=resource):
            return f"({resource.uri}, {resource.mime_type or 'bytes'}, not shown)"
        case ResourceLink(uri=uri, name=name):
            return f"({name}: {uri}, not read)"
