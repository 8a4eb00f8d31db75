"""Servers of MCP as they are, written with the library and by hand: one clear line for whatever they do."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp_types import ToolAnnotations

from opssquad.errors import ToolError, ToolUnsure
from opssquad.types import Effect
from opssquad.worlds.mcp import bounded, stdio
from opssquad.worlds.mcp.offered import TOOLS, Address, Offered, Program
from opssquad.worlds.mcp.servers import McpServers, Server

BYHAND = Path(__file__).resolve().parents[2] / "byhand.py"
LIBRARY = """
import os
from mcp.server import MCPServer
from mcp_types import ToolAnnotations
server = MCPServer("things")

@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def stock(item: str, depot: str = "north") -> dict[str, int]:
    "How many there are of an item."
    print("noise that must not reach the protocol")
    return {"count": len(item)}

@server.tool()
def given() -> str:
    "The variables that it was given."
    return " ".join(sorted(os.environ))

server.run("stdio")
"""
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
Made = Callable[..., McpServers]


def by_hand(how: str, *more: object) -> Server:
    return Server("depot", Program((sys.executable, "-S", str(BYHAND), how, *map(str, more)), ENV))


def byhand_tools() -> list[dict[str, object]]:
    return [{"name": "tool0", "description": "Does.", "inputSchema": {"type": "object"}}]


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    """Makes handles that are closed when the test is over."""
    kept: list[McpServers] = []

    def make(start: float = 60, call: float = 60) -> McpServers:
        kept.append(McpServers(start=start, call=call))
        return kept[-1]

    yield make
    for each in kept:
        await each.close()


async def first(servers: McpServers, server: Server) -> Offered:
    (tool, *_), _ = await servers.offered(server)
    return tool


async def failure(servers: McpServers, server: Server, effect: Effect = "read") -> ToolError:
    with pytest.raises(ToolError) as caught:
        await servers.call(
            server, await first(servers, server), {}, "mutate" if effect == "mutate" else "read"
        )
    assert "\n" not in str(caught.value)
    return caught.value


async def test_a_server_written_with_the_library_is_listed_and_called_over_stdio(made: Made) -> None:
    servers = made()
    server = Server("things", Program((sys.executable, "-c", LIBRARY), ENV))
    found, more = await servers.offered(server)
    stock, given = found
    assert (stock.name, stock.description, stock.says_read, more) == (
        "stock",
        "How many there are of an item.",
        True,
        False,
    )
    assert stock.parameters["required"] == ["item"]
    assert not given.says_read
    told = await servers.call(server, stock, {"item": "crate"}, "read")
    assert (json.loads(told.text), told.data, told.failed) == ({"count": 5}, {"count": 5}, False)
    assert (await servers.call(server, given, {}, "read")).text == " ".join(sorted(ENV))
    wrong = await servers.call(server, stock, {"item": [1]}, "read")
    assert wrong.failed
    assert "should be a valid string" in wrong.text


async def test_a_server_behind_http_gets_our_headers_and_is_called(made: Made) -> None:
    seen: list[str] = []
    offering = MCPServer("things")

    @offering.tool(annotations=ToolAnnotations(read_only_hint=True))
    def stock(item: str) -> str:
        """How many there are of an item."""
        return f"{item}: 3"

    app = offering.streamable_http_app()

    async def noting(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])  # type: ignore[call-overload]
            seen.append(headers.get(b"authorization", b"").decode())
        await app(scope, receive, send)  # type: ignore[arg-type]

    at = uvicorn.Server(uvicorn.Config(noting, port=0, log_config=None))  # type: ignore[arg-type]
    serving = asyncio.create_task(at.serve())
    try:
        while not at.started:
            await asyncio.sleep(0.01)
        port = at.servers[0].sockets[0].getsockname()[1]
        server = Server("things", Address(f"http://127.0.0.1:{port}/mcp", {"Authorization": "Bearer abc"}))
        servers = made()
        told = await servers.call(server, await first(servers, server), {"item": "crate"}, "read")
        assert told.text == "crate: 3"
        await servers.close()
    finally:
        at.should_exit = True
        await serving
    assert set(seen) == {"Bearer abc"}


async def test_an_address_where_nobody_listens_is_one_line(made: Made) -> None:
    with pytest.raises(ToolError, match="MCP server things cannot be used: ConnectError"):
        await made().offered(Server("things", Address("http://127.0.0.1:9/mcp")))


async def test_a_program_that_is_not_there_is_named(made: Made) -> None:
    with pytest.raises(ToolError, match="MCP server depot cannot be started: .*'/nowhere/mcp-server'"):
        await made().offered(Server("depot", Program(("/nowhere/mcp-server",), ENV)))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("slow", "MCP server depot did not start within 0.7 s"),
        ("garbage", "writes on stdout what is no message: 'Welcome to the server!'"),
        ("leaves", "ended before it had answered; the last that it said on stderr: 'no licence found'"),
        ("unreadable", "MCP server depot cannot be used: it is not of the protocol: tools.0.inputSchema: "),
    ],
)
async def test_a_server_that_does_not_come_up_is_one_line(made: Made, how: str, said: str) -> None:
    servers = made(start=0.7 if how == "slow" else 60)
    assert said in str(await failure(servers, by_hand(how)))


async def test_a_greeting_on_stdout_stops_nobody(made: Made) -> None:
    servers, server = made(), by_hand("greets")
    assert "tool0" in (await servers.call(server, await first(servers, server), {}, "read")).text


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            "dies",
            "the server ended in the middle of the call; the last that it said on stderr: 'out of m",
        ),
        ("hangs", "did not answer within 0.5 s"),
        ("wrong", "its answer cannot be used"),
        ("floods", "ended in the middle of the call; it wrote a message of more than"),
    ],
)
async def test_a_call_that_is_lost_may_have_changed_something(
    made: Made, how: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "LINE", 50_000)
    servers, server = made(call=0.5 if how == "hangs" else 60), by_hand(how)
    error = await failure(servers, server, "mutate")
    assert said in str(error)
    assert isinstance(error, ToolUnsure)
    # A read that is lost is only that, and the next call finds the server started anew.
    assert type(await failure(servers, server, "read")) is ToolError


async def test_calls_side_by_side_that_lose_their_server_share_the_next_one(
    made: Made, tmp_path: Path
) -> None:
    servers, server = made(), by_hand("dies")
    tool = await first(servers, server)
    lost = await asyncio.gather(
        *(servers.call(server, tool, {}, "read") for _ in range(3)), return_exceptions=True
    )
    assert [type(each) for each in lost] == [ToolError] * 3
    found = await asyncio.gather(*(servers.offered(server) for _ in range(3)))
    assert found[0] == found[1] == found[2]
    await servers.close()
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "mcp depot"]


async def test_no_more_tools_are_read_than_are_taken(made: Made) -> None:
    found, more = await made().offered(by_hand("many"))
    assert (len(found), more) == (TOOLS, True)


async def test_a_list_without_an_end_is_left(made: Made) -> None:
    found, more = await made().offered(by_hand("endless"))
    assert (len(found), more) == (1, True)


async def test_what_is_no_text_is_named_and_structured_content_is_json(made: Made) -> None:
    servers, server = made(), by_hand("media")
    told = await servers.call(server, await first(servers, server), {}, "read")
    assert told.text.splitlines() == [
        "a picture",
        "(image/png, 6 bytes, not shown)",
        "file:///notes:",
        "the notes",
        "(file:///core, bytes, not shown)",
        "(more: https://example.com/a, not read)",
        "{",
        ' "count": 3',
        "}",
    ]
    assert told.data == {"count": 3}


async def test_a_tool_that_is_another_than_was_approved_is_not_called(made: Made) -> None:
    servers, server = made(), by_hand("plain")
    now = await first(servers, server)
    for was, said in (
        (now.model_copy(update={"description": "Did."}), "its description changed since"),
        (now.model_copy(update={"parameters": {"type": "object"}}), "the schema of its arguments changed"),
        (now.model_copy(update={"returns": "0"}), "the schema of its results changed since"),
        (now.model_copy(update={"name": "gone"}), "does not offer gone any more"),
    ):
        with pytest.raises(ToolError, match=f"{said}.*; look at it.* opssquad mcp approve depot"):
            await servers.call(server, was, {}, "read")


async def test_a_list_that_changes_in_the_middle_is_read_anew(made: Made, tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps(byhand_tools()), encoding="utf-8")
    servers, server = made(), by_hand("notifies", tools)
    tool = await first(servers, server)
    tools.write_text(json.dumps(byhand_tools()).replace("Does.", "Did."), encoding="utf-8")
    # It is started and listed already, so that this one still finds what was approved.
    assert (await servers.call(server, tool, {}, "read")).text
    with pytest.raises(ToolError, match="its description changed since"):
        await servers.call(server, tool, {}, "read")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("401 Unauthorized\r\ncontent-length: 0", "401"),
        ("200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\n<html", "text/html"),
        (
            "200 OK\r\ncontent-type: application/json\r\ncontent-length: 90000\r\n\r\n" + "1" * 90_000,
            "more than",
        ),
        ("302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0", "169.254.169.254"),
    ],
)
async def test_an_address_that_answers_otherwise_is_one_line(
    made: Made, answer: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "LINE", 50_000)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        end = "" if "\r\n\r\n" in answer else "\r\n\r\n"
        writer.write(f"HTTP/1.1 {answer}{end}".encode())
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1") as serving:
        url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}/mcp"
        with pytest.raises(ToolError) as caught:
            await made().offered(Server("things", Address(url)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_read_cannot_be_given_a_tool_that_changes_something(made: Made) -> None:
    servers, server = made(), by_hand("plain")
    tool = await first(servers, server)
    with pytest.raises(ToolError, match="tool0 of MCP server depot may change something"):
        await servers.limited("read").limited("mutate").call(server, tool, {}, "mutate")
    assert (await servers.limited("read").call(server, tool, {}, "read")).text
