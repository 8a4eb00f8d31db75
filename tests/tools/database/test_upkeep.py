"""Analyzing and vacuuming real tables, with and without somebody who holds on to dead rows."""

from collections.abc import Iterator

import pytest
from tools.database.upkeep import analyze_table, vacuum_table

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import client, until, value


@pytest.fixture(scope="module", params=["15", ""], ids=["15", "newest"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, autovacuum="off", max_prepared_transactions="2") as server:
        server.run("create role plain login", "grant pg_monitor to plain")
        yield server


def filled(server: Server, name: str, rows: int = 1000) -> None:
    """A table, all of whose rows were changed once, as the statistics tell."""
    server.run(
        f"create table {name} (id int, n int)",
        f"insert into {name} select g, 0 from generate_series(1, {rows}) g",
    )
    server.run(f"update {name} set n = 1")
    query = f"select n_dead_tup from pg_stat_user_tables where relname = '{name}'"
    until(lambda: value(server, query) == rows, "statistics")


async def test_a_table_is_analyzed(server: Server) -> None:
    filled(server, "a")
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(analyze_table, table="a")
    assert preview.command == 'analyze "public"."a"'
    assert "2000 rows changed since the last time" in preview.impact
    assert (preview.risk, undo.tool, undo.note[:15]) == ("low", "", "nothing to undo")
    assert check.outcome == "better"
    assert "the planner counts on 1000 rows" in check.text
    assert "0 changed since, 2000 before" in check.text


async def test_dead_rows_are_removed(server: Server) -> None:
    filled(server, "v")
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(vacuum_table, table="public.v")
        _, _, again = await act.carry_out(vacuum_table, table="v")
    assert "1000 dead rows" in preview.impact
    assert (preview.risk, undo.tool, undo.note[:15]) == ("low", "", "nothing to undo")
    assert (check.outcome, check.text) == ("better", "0 dead rows are left of 1000")
    assert again.outcome == "better"


@pytest.mark.parametrize("how", ["snapshot", "transaction", "prepared"])
async def test_whoever_keeps_dead_rows_is_named(server: Server, how: str) -> None:
    with client(server, "report") as report:
        pid = report.info.backend_pid
        report.execute("begin isolation level repeatable read")
        report.execute("select 1" if how == "snapshot" else "select txid_current()")
        if how == "prepared":
            report.execute("prepare transaction 'left'")
        filled(server, f"kept_{how}")
        async with acting(server) as act:
            preview, _, check = await act.carry_out(vacuum_table, table=f"kept_{how}")
        report.execute("rollback prepared 'left'" if how == "prepared" else "rollback")
    name = (
        "prepared transaction left ("
        if how == "prepared"
        else f"session {pid} of report, idle in transaction ("
    )
    assert f"what died since then stays, for {name}" in preview.impact
    assert check.outcome == "same"
    assert check.text.startswith(f"1000 dead rows are left of 1000; kept for: {name}")
    assert check.sources


async def test_a_snapshot_of_another_database_keeps_nothing_here(server: Server) -> None:
    server.run("create database other")
    with client(server, "report", dbname="other") as report:
        report.execute("begin isolation level repeatable read")
        report.execute("select 1")
        filled(server, "free")
        async with acting(server) as act:
            preview, _, check = await act.carry_out(vacuum_table, table="free")
    assert "stays, for" not in preview.impact
    assert check.outcome == "better"


async def test_a_card_is_void_once_the_table_is_another(server: Server) -> None:
    filled(server, "moved")
    async with acting(server) as act:
        preview, _ = await act.foresee(vacuum_table, table="moved")
        server.run("create index on moved (n)")
        assert await vacuum_table.observed({"table": "moved"}, act.handles) != preview.binding


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    filled(server, "theirs")
    async with acting(server, "plain") as act:
        for tool in (vacuum_table, analyze_table):
            with pytest.raises(DatabaseError) as raised:
                await act.run(tool, table="theirs")
            assert raised.value.kind == "denied"
            assert "\n" not in str(raised.value)
        with pytest.raises(ToolError, match=r"no table 'their'.*nearest: public\.theirs"):
            await act.foresee(vacuum_table, table="their")
