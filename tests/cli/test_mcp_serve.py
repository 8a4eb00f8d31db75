"""`opssquad mcp serve`, spoken with by another agent: reads are answered, changes wait for a human."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from opssquad.cli.app import run
from opssquad.cli.failures import INCONCLUSIVE, OK
from opssquad.cli.mcp_serve import Desk
from opssquad.cli.session import Wanted
from opssquad.errors import ToolError
from opssquad.settings import load
from opssquad.worlds.mcp.offered import Address, Offered, Program, Told
from opssquad.worlds.mcp.servers import McpServers, Server
from tests.extensions.conftest import own

__all__ = ["own"]
WORLD = ("--recording", "haul-0914")
SERVE = (sys.executable, "-m", "opssquad", "mcp", "serve", *WORLD)
Json = dict[str, Any]


@pytest.fixture
def env(own: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of an `opssquad` of its own."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")}
    return {**kept, "OPSSQUAD_OWN": str(own), "OPSSQUAD_STATE": str(tmp_path / "state"), "LANG": "C.UTF-8"}


class Agent:
    """Another agent: calls tools of a server by name."""

    def __init__(self, server: Server) -> None:
        self._server, self.servers, self.tools = server, McpServers(start=120, call=120), dict[str, Offered]()

    async def look(self) -> None:
        found, _ = await self.servers.offered(self._server)
        self.tools = {each.name: each for each in found}

    async def call(self, name: str, **args: object) -> Told:
        return await self.servers.call(self._server, self.tools[name], args, "read")


async def spoken(env: dict[str, str]) -> Json:
    """What an agent gets for a change that it asks for, after it has looked around."""
    agent = Agent(Server("opssquad", Program(SERVE, env)))
    try:
        await agent.look()
        assert agent.tools["health"].says_read
        assert not agent.tools["rollback"].says_read
        assert agent.tools["rollback"].description.startswith("Puts up a card for a human")
        assert "pricing" in (await agent.call("health", namespace="haul")).text
        wrong = await agent.call("rollback", deployment="pricign", namespace="haul")
        assert (wrong.failed, "nearest: pricing" in wrong.text) == (True, True)
        asked: Json = (await agent.call("ask", question="why are orders rejected?")).data
        (cause,) = asked["conclusion"]["causes"]
        assert (asked["status"], cause["component"]["name"]) == ("concluded", "pricing")
        told: Json = (await agent.call("rollback", deployment="pricing", namespace="haul")).data
        # The thread is let go of, so that a human can take it up; the agent reads on.
        assert not (await agent.call("health", namespace="haul")).failed
        return told
    finally:
        await agent.servers.close()


def test_an_agent_reads_asks_and_leaves_a_change_to_a_human(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = asyncio.run(spoken(env))
    assert told["status"] == "approval pending"
    (card,) = told["approvals"]
    assert run(["approvals", "list"]) == OK
    assert card["id"] in capsys.readouterr().out
    assert run([*card["approve"].split()[1:], "--yes"]) == OK
    # A call alone concludes nothing.
    assert run(card["then"].split()[1:]) == INCONCLUSIVE
    assert "better" in capsys.readouterr().out


async def test_over_http_only_who_has_the_token_is_answered(env: dict[str, str]) -> None:
    process = subprocess.Popen([*SERVE, "--http", "0"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        url = re.findall(r"http://127\.0\.0\.1:\d+/mcp", process.stderr.readline())[0]
        token = subprocess.run(
            [sys.executable, "-m", "opssquad", "mcp", "token"], env=env, capture_output=True, text=True
        ).stdout.strip()
        async with httpx2.AsyncClient() as client:
            assert (await client.post(url, json={})).status_code == 401
        stranger = Agent(Server("opssquad", Address(url, {"Authorization": "Bearer abc"})))
        with pytest.raises(ToolError):
            await stranger.look()
        await stranger.servers.close()
        agent = Agent(Server("opssquad", Address(url, {"Authorization": f"Bearer {token}"})))
        await agent.look()
        assert "pricing" in (await agent.call("health", namespace="haul")).text
        await agent.servers.close()
    finally:
        process.terminate()
        process.communicate(timeout=30)


async def answered(wanted: Wanted, name: str, **args: object) -> Told:
    desk = Desk(load(), wanted)
    try:
        return await desk.answer(name, args)
    finally:
        await desk.close()


async def test_a_read_that_policy_asks_about_waits_for_a_human_too(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules:\n  - {name: logs ask, tool: logs, verdict: ask}\n", encoding="utf-8")
    monkeypatch.setenv("OPSSQUAD_POLICY", str(policy))
    told = await answered(Wanted(recording="haul-0914"), "logs", pod="pricing", namespace="haul")
    assert json.loads(told.text)["status"] == "approval pending"


async def test_what_an_agent_cannot_have_is_said(own: Path) -> None:
    wanted = Wanted(recording="haul-0914", read_only=True)
    for name, args, said in (
        ("rollback", {}, "there is no tool 'rollback'; there is ask, "),
        ("ask", {}, "what is the question?"),
        ("ask", {"question": "why?", "squad": "kubernetes"}, "kubernetes"),
    ):
        told = await answered(wanted, name, **args)
        assert (told.failed, said in told.text) == (True, True)


def test_a_squad_is_named_by_the_command_line_or_by_the_agent(own: Path) -> None:
    assert "squad" in Desk(load(), Wanted(recording="haul-0914")).question()["properties"]
    assert "squad" not in Desk(load(), Wanted(squad="k8s")).question()["properties"]
