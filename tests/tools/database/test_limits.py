"""Limits of connections on a real server."""

from collections.abc import Iterator

import psycopg
import pytest
from tools.database.limits import set_connection_limit

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import client


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run("create role web login", "create role plain login", "grant pg_monitor to plain")
        yield server


async def test_a_limit_is_set_holds_and_is_taken_back(server: Server) -> None:
    with client(server, "web", "web"), client(server, "web", "web"):
        async with acting(server) as act:
            preview, undo, check = await act.carry_out(set_connection_limit, role="web", limit=2)
            with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
                server.connect("web")
            with pytest.raises(ToolError, match="may have 2 connections already"):
                await act.foresee(set_connection_limit, role="web", limit=2)
            back, _, again = await act.carry_out(set_connection_limit, **undo.args)
    assert preview.command == 'alter role "web" connection limit 2'
    assert "it has 2 now; those stay, and new ones are refused" in preview.impact
    assert (preview.risk, check.outcome, undo.args["limit"]) == ("medium", "better", -1)
    assert (back.risk, again.outcome) == ("low", "better")
    assert "the server has 100 for all" in back.impact
    server.connect("web").close()


@pytest.mark.parametrize(
    ("role", "limit", "said"),
    [
        ("wep", 3, "no role 'wep'; nearest: web"),
        ("web", -2, "give -1 for none, or 0 to"),
        ("postgres", 5, "is a superuser, whom no limit holds"),
    ],
)
async def test_what_makes_no_sense_is_refused(server: Server, role: str, limit: int, said: str) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match=said):
            await act.foresee(set_connection_limit, role=role, limit=limit)


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    async with acting(server, "plain") as act:
        with pytest.raises(DatabaseError, match="permission denied") as raised:
            await act.run(set_connection_limit, role="web", limit=3)
    assert raised.value.kind == "denied"
