"""What a server of MCP started ends with it, and calls side by side share one."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from opssquad.worlds.mcp.offered import Offered, Program
from opssquad.worlds.mcp.servers import McpServers, Server
from tests.worlds.mcp.test_servers import ENV, Made, by_hand, byhand_tools, made

__all__ = ["made"]


def alive(pid: int) -> bool:
    """Whether that process is there and no mere entry that nobody has read yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def written(file: Path) -> int:
    return int(file.read_text(encoding="utf-8")) if file.exists() and file.stat().st_size else 0


async def test_what_a_server_started_ends_with_it(made: Made, tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps(byhand_tools()), encoding="utf-8")
    servers, note = made(), tmp_path / "child"
    await servers.offered(by_hand("parent", tools, note))
    child = written(note)
    assert alive(child)
    await servers.close()
    while alive(child):
        await asyncio.sleep(0.01)


async def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    servers, pid = McpServers(), tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    starting = asyncio.create_task(
        servers.offered(Server("depot", Program((sys.executable, "-c", code), ENV)))
    )
    while not written(pid):
        await asyncio.sleep(0.01)
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting
    await servers.close()
    async with asyncio.timeout(30):
        while alive(written(pid)):
            await asyncio.sleep(0.01)


async def test_calls_side_by_side_share_one_server(made: Made, tmp_path: Path) -> None:
    tools, note = tmp_path / "tools.json", tmp_path / "child"
    tools.write_text(json.dumps(byhand_tools()), encoding="utf-8")
    servers, server = made(), by_hand("parent", tools, note)
    tool = Offered(name="tool0", description="Does.", parameters={"type": "object"})
    calls = [servers.call(server, tool, {"item": str(n)}, "read") for n in range(5)]
    told = await asyncio.gather(*calls)
    assert [json.loads(each.text)["with"]["item"] for each in told] == list("01234")
    child = written(note)
    await servers.call(server, tool, {}, "read")
    assert written(note) == child
