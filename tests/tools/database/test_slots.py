"""Dropping real replication slots."""

from collections.abc import Iterator

import psycopg
import pytest
from tools.database.slots import drop_slot

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run("create role plain login", "grant pg_monitor to plain", "create table t (n int)")
        yield server


def slot(server: Server, name: str, kind: str = "physical") -> None:
    plugin = ", 'test_decoding'" if kind == "logical" else ", true"
    server.run(f"select pg_create_{kind}_replication_slot('{name}'{plugin})")


def written(server: Server) -> None:
    server.run("insert into t select g from generate_series(1, 30000) g")


async def test_a_slot_that_nobody_reads_is_dropped_and_what_is_held_falls(server: Server) -> None:
    slot(server, "gone", "logical")
    written(server)
    server.run("checkpoint")
    slot(server, "other")
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(drop_slot, slot="gone")
    assert preview.command == "select pg_drop_replication_slot('gone')"
    assert "logical slot gone of test_decoding in database postgres is gone for good" in preview.impact
    assert "MB of WAL" in preview.impact
    assert "must be built anew" in preview.impact
    assert (preview.risk, undo.tool, undo.note[:4]) == ("high", "", "none")
    assert "active=f restart_lsn=" in preview.binding["ReplicationSlot//gone"]
    assert check.outcome == "better"
    assert "slot gone is gone; slots hold" in check.text
    server.run("select pg_drop_replication_slot('other')")


async def test_wal_that_another_slot_holds_does_not_go(server: Server) -> None:
    slot(server, "first")
    written(server)
    slot(server, "second")
    async with acting(server) as act:
        preview, _, check = await act.carry_out(drop_slot, slot="second")
    assert "and other slots hold" in preview.impact
    assert check.outcome == "same"
    assert "slot first holds it" in check.text


async def test_one_that_is_read_is_not_dropped(server: Server) -> None:
    slot(server, "used")
    words = server.dsn(replication="true")
    with psycopg.connect(words, autocommit=True) as stream:
        lsn = str(value(server, "select pg_current_wal_lsn()"))
        stream.pgconn.exec_(f"START_REPLICATION SLOT used PHYSICAL {lsn}".encode())
        async with acting(server) as act:
            with pytest.raises(ToolError, match="slot used is read by process .*stop its consumer"):
                await act.foresee(drop_slot, slot="used")
            with pytest.raises(ToolError, match="no replication slot 'usd'; nearest: used"):
                await act.foresee(drop_slot, slot="usd")
        stream.close()


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    slot(server, "theirs")
    async with acting(server, "plain") as act:
        with pytest.raises(DatabaseError) as raised:
            await act.run(drop_slot, slot="theirs")
    assert raised.value.kind == "denied"
    assert "\n" not in str(raised.value)
