"""Creating and dropping real indexes: names, what already serves, what fails half way, and the way back."""

import asyncio
from collections.abc import Iterator

import pytest
from tools.database.dropping import drop_index
from tools.database.indexing import create_index

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import client, value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create schema shop",
            'create table shop.orders (id int primary key, status text, "At Day" date, n int unique, m int)',
            "insert into shop.orders select g, 'new', now(), g, g % 7 from generate_series(1, 500) g",
            "create index on shop.orders (status, m)",
            "create index part on shop.orders (m) where m > 3",
            "create index byday on shop.orders (m desc)",
            "create unique index n_alone on shop.orders (id, m)",
            "create role plain login", "grant pg_monitor to plain", "grant usage on schema shop to plain",
        )  # fmt: skip
        yield server


async def test_an_index_is_made_and_taken_back_by_its_undo(server: Server) -> None:
    args = {"table": "orders", "columns": ["At Day", "status"]}
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(create_index, **args)
        assert preview.command == (
            'create index concurrently "orders_At Day_status_idx" on "shop"."orders" ("At Day", "status")'
        )
        assert "500 rows); readers and writers go on" in preview.impact
        assert (preview.risk, check.outcome) == ("low", "better")
        assert "orders_At Day_status_idx is valid" in check.text
        with pytest.raises(ToolError, match=r"orders_At Day_status_idx is on .At Day, status. already"):
            await act.foresee(create_index, **args)
        assert undo.tool == "drop_index"
        _, back, check = await act.carry_out(drop_index, **undo.args)
        assert check.outcome == "better"
        assert back.tool == "create_index"
        assert back.args == {"table": "shop.orders", "columns": ["At Day", "status"], "unique": False}
        preview, _ = await act.foresee(create_index, **back.args)
        assert "orders_At Day_status_idx" in preview.command


async def test_what_there_is_already_is_told(server: Server) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match=r"no column 'statu'; shop.orders has: id, status, At Day, n, m"):
            await act.foresee(create_index, table="orders", columns=["statu"])
        with pytest.raises(ToolError, match="give the columns, each once"):
            await act.foresee(create_index, table="orders", columns=["m", "m"])
        with pytest.raises(ToolError, match="orders_n_key is on .n. already"):
            await act.foresee(create_index, table="orders", columns=["n"], unique=True)
        begins, _ = await act.foresee(create_index, table="orders", columns=["status"])
        assert "shop.orders_status_m_idx begins with the same columns" in begins.impact
        other, _ = await act.foresee(create_index, table="orders", columns=["m"])
        assert "begins with" not in other.impact


async def test_a_name_is_cut_to_what_a_name_may_be_and_is_new(server: Server) -> None:
    long = "ä" * 28
    server.run(f'create table "{long}" (a int, b int)', f'create index "{long}_a_id_idx" on "{long}" (b)')
    server.run(f'create index "{long}_a_idx" on "{long}" (b)')
    async with acting(server) as act:
        preview, undo, check = await act.carry_out(create_index, table=long, columns=["a"])
    assert check.outcome == "better"
    name = undo.args["index"].partition(".")[2]
    assert len(name.encode()) <= 63
    assert name.startswith("ä" * 20)
    assert name not in (f"{long}_a_idx", f"{long}_a_id_idx")
    assert name in preview.command


async def test_duplicates_leave_an_invalid_index_that_is_named_and_dropped(server: Server) -> None:
    args = {"table": "orders", "columns": ["m"], "unique": True}
    async with acting(server) as act:
        preview, _ = await act.foresee(create_index, **args)
        assert preview.risk == "medium"
        assert "it fails where two rows have the same values" in preview.impact
        with pytest.raises(
            ToolError, match=r"could not create unique index.*shop\.orders_m_idx, is left"
        ) as raised:
            await act.run(create_index, **args)
        assert "\n" not in str(raised.value)
        check = await act.check(create_index, preview, **args)
        assert (check.outcome, [each.tool for each in check.next]) == ("worse", ["drop_index"])
        with pytest.raises(ToolError, match="rest of a failed build: drop_index"):
            await act.foresee(create_index, **args)
        drop, undo, check = await act.carry_out(drop_index, **check.next[0].args)
    assert (drop.risk, undo.tool, check.outcome) == ("low", "", "better")
    assert "it is invalid, so nothing reads it" in drop.impact


async def test_an_open_transaction_that_holds_it_up_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.database.indexing.LONG", 0.0)
    with client(server, "report") as report:
        report.execute("begin isolation level repeatable read")
        report.execute("select 1")
        async with acting(server) as act:
            preview, _ = await act.foresee(create_index, table="orders", columns=["m"])
    assert "first it waits for the open transactions of session" in preview.impact
    assert "of report (" in preview.impact
    assert preview.risk == "medium"


@pytest.mark.parametrize("index", ["orders_pkey", "shop.orders_n_key"])
async def test_an_index_behind_a_constraint_is_not_dropped(server: Server, index: str) -> None:
    async with acting(server) as act:
        with pytest.raises(ToolError, match="stands behind a constraint"):
            await act.foresee(drop_index, index=index)


async def test_what_no_tool_could_make_again_comes_with_its_definition(server: Server) -> None:
    async with acting(server) as act:
        for index in ("part", "byday"):
            _, undo = await act.foresee(drop_index, index=index)
            assert undo.tool == ""
            assert undo.command.startswith(f"CREATE INDEX CONCURRENTLY {index} ON shop.orders USING btree")
            assert undo.command in undo.note
        unique, undo = await act.foresee(drop_index, index="n_alone")
        assert (unique.risk, undo.args["unique"]) == ("high", True)
        with pytest.raises(ToolError, match=r"no index 'parts'.*nearest: shop\.part"):
            await act.foresee(drop_index, index="parts")


async def test_an_index_that_is_read_is_of_high_risk(server: Server) -> None:
    server.run(
        "set enable_seqscan = off; set enable_bitmapscan = off; select * from shop.orders where status = 'x'"
    )
    async with acting(server) as act:
        preview, _ = await act.foresee(drop_index, index="orders_status_m_idx")
    assert preview.risk == "high"
    assert "it was read 1 times since statistics began, last at" in preview.impact


async def test_a_timeout_that_is_meant_for_queries_does_not_stop_a_build(server: Server) -> None:
    server.run("alter role postgres set statement_timeout = '1ms'")
    try:
        async with acting(server) as act:
            _, undo, check = await act.carry_out(create_index, table="orders", columns=["id", "n", "m"])
            assert check.outcome == "better"
            await act.run(drop_index, **undo.args)
    finally:
        with server.connect(options="-c statement_timeout=0") as root:
            root.execute("alter role postgres reset statement_timeout")


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    async with acting(server, "plain") as act:
        with pytest.raises(DatabaseError, match="must be owner of table orders") as raised:
            await act.run(create_index, table="orders", columns=["m"])
        assert raised.value.kind == "denied"
        with pytest.raises(DatabaseError, match="must be owner of index part"):
            await act.run(drop_index, index="part")
    assert value(server, "select count(*) from pg_index where not indisvalid") == 0


async def test_a_drop_that_is_cancelled_half_way_says_what_is_left(server: Server) -> None:
    server.run("create table shop.held (m int)", "create index held_m on shop.held (m)")
    async with acting(server) as act:
        with client(server, "report") as report:
            report.execute("begin; select * from shop.held")
            drop = asyncio.create_task(act.run(drop_index, index="shop.held_m"))
            waits = "application_name = 'opssquad' and wait_event_type = 'Lock'"
            cancel = f"select count(pg_cancel_backend(pid)) from pg_stat_activity where {waits}"
            while not value(server, cancel):
                await asyncio.sleep(0.05)
            with pytest.raises(ToolError, match="index shop.held_m is left invalid"):
                await drop
            report.execute("rollback")
        assert (await act.carry_out(drop_index, index="shop.held_m"))[2].outcome == "better"
