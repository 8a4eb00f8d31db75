"""Offers tools to other agents as a server of MCP, over our stdin and stdout or over HTTP on loopback."""

import hmac
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from opssquad import __version__
from opssquad.errors import UsageError
from opssquad.types import Json
from opssquad.worlds.mcp.offered import Told
from opssquad.worlds.mcp.stdio import claimed, own

__all__ = ["Served", "bound", "claimed", "serve", "serve_http"]

LOOPBACK = "127.0.0.1"
PATH = "/mcp"

Answer = Callable[[str, Json], Awaitable[Told]]
"""What a call by name comes to; whatever is wrong with it is told, not raised."""


@dataclass(frozen=True)
class Served:
    """A tool for other agents; `reads`: nothing is changed by it."""

    name: str
    description: str
    parameters: Json
    reads: bool


async def serve(tools: Sequence[Served], answer: Answer, instructions: str, pipes: tuple[int, int]) -> None:
    """Over the pipes of `claimed`, until what comes in ends."""
    server = _server(tools, answer, instructions)
    async with own(*pipes) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def serve_http(
    tools: Sequence[Served], answer: Answer, instructions: str, at: socket.socket, token: str
) -> None:
    """Over HTTP at a socket of `bound`, for whoever has the token, until it is cancelled."""
    app = _server(tools, answer, instructions).streamable_http_app(streamable_http_path=PATH, host=LOOPBACK)
    config = uvicorn.Config(_for_bearers(app, token), log_config=None, lifespan="on", ws="none")
    await uvicorn.Server(config).serve(sockets=[at])


def bound(port: int) -> tuple[socket.socket, str]:
    """A socket on loopback, 0 for any port, and the address of the server there. Raises UsageError."""
    at = socket.socket()
    try:
        at.bind((LOOPBACK, port))
    except OSError as error:
        at.close()
        said = f"port {port} of {LOOPBACK} cannot be had: {error.strerror}; give another, or 0 for any"
        raise UsageError(said) from error
    return at, f"http://{LOOPBACK}:{at.getsockname()[1]}{PATH}"


def _server(tools: Sequence[Served], answer: Answer, instructions: str) -> Server[Any]:
    async def listed(context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_tool(each) for each in tools])

    async def called(context: Any, params: CallToolRequestParams) -> CallToolResult:
        told = await answer(params.name, params.arguments or {})
        return CallToolResult(
            content=[TextContent(text=told.text)], structured_content=told.data, is_error=told.failed
        )

    return Server(
        "opssquad",
        version=__version__,
        instructions=instructions,
        on_list_tools=listed,
        on_call_tool=called,
    )


def _tool(served: Served) -> Tool:
    hints = ToolAnnotations(read_only_hint=served.reads, destructive_hint=False)
    return Tool(
        name=served.name, description=served.description, input_schema=served.parameters, annotations=hints
    )


def _for_bearers(app: ASGIApp, token: str) -> ASGIApp:
    """Loopback is open to everybody on this machine, so the token is asked for."""
    wanted = f"Bearer {token}".encode()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, wanted):
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b"the token is missing or another one\n"})
                return
        await app(scope, receive, send)

    return guarded
