"""What we leave on a real server: few connections, read-only ones, and none of them after a moment."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from psycopg import AsyncConnection, AsyncCursor

from opssquad.errors import Refused
from opssquad.worlds.sql import connections, postgres
from opssquad.worlds.sql.connections import Connections
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.looks import known_looks
from opssquad.worlds.sql.trouble import DatabaseError
from tests.postgres.server import Server, running
from tests.worlds.sql.opened import opened, ours, settled

ENDLESS = "select count(*) from generate_series(1, 1e10)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create table t (id int)", "insert into t values (1)", "create sequence s",
            "create function writes() returns int language sql volatile"
            " as 'insert into t values (2) returning id'",
        )  # fmt: skip
        yield server


async def test_nothing_is_open_before_the_first_look_and_after_the_last(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LINGER", 0.1)
    async with opened(server.dsn()) as database:
        assert ours(server) == 0
        await database.rows("roles")
        assert ours(server) == 1
        await settled(server, 0)
        await database.rows("roles")
    await settled(server, 0)


async def test_closing_leaves_nothing_at_once(server: Server) -> None:
    async with opened(server.dsn()) as database:
        await asyncio.gather(*(database.rows(look) for look in known_looks()))
        assert ours(server) == 1
    await settled(server, 0)


async def test_many_looks_and_an_act_take_two_connections(server: Server) -> None:
    seen: list[int] = []
    stop = threading.Event()

    def count() -> None:
        with server.connect() as root:
            while not stop.is_set():
                row = root.execute(
                    "select count(*) from pg_stat_activity where application_name = 'opssquad'"
                ).fetchone()
                seen.append(int(row[0]) if row else 0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        async with opened(server.dsn()) as database:
            looks = [database.rows(look) for look in list(known_looks())[:20]]
            act = database.act("vacuum", schema="public", table="t")
            await asyncio.gather(*looks, act)
    finally:
        stop.set()
        thread.join()
    assert 1 <= max(seen) <= 2


@pytest.mark.parametrize("what", ["select", "act"])
async def test_a_task_that_is_cancelled_leaves_nothing_running(server: Server, what: str) -> None:
    holder = server.connect()
    holder.execute("begin; lock table t")
    async with opened(server.dsn()) as database:
        args = {"schema": "public", "table": "t", "name": "t_x", "columns": ["id"]}
        call = database.select(ENDLESS) if what == "select" else database.act("create_index", **args)
        task = asyncio.ensure_future(call)
        await settled(server, 1, "and state = 'active'")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        await settled(server, 0, "and state = 'active'", seconds=2.0)
        await settled(server, 0, seconds=2.0)
        assert (await database.select("select 1")).rows == [("1",)]
    holder.close()


async def test_a_task_that_is_cancelled_while_it_waits_for_its_turn_harms_nobody(server: Server) -> None:
    async with opened(server.dsn()) as database:
        first = asyncio.create_task(database.select("select pg_sleep(0.2)"))
        await settled(server, 1, "and state = 'active'")
        second = asyncio.create_task(database.rows("roles"))
        await asyncio.sleep(0.02)
        second.cancel()
        await first
        assert (await database.rows("roles")).rows


async def test_a_handle_that_reads_refuses_acts_and_nothing_is_changed(server: Server) -> None:
    async with opened(server.dsn()) as database:
        for handle in (database.limited("read"), database.limited("read").limited("mutate")):
            with pytest.raises(Refused, match="may only read"):
                await handle.act("drop_index", schema="public", name="x")
        assert database.limited("mutate").statement("analyze", schema="a", table="b") == 'analyze "a"."b"'


@pytest.mark.parametrize(
    "statement",
    [
        "select writes()",
        "select nextval('s')",
        "select lo_create(0)",
        "select set_config('transaction_read_only', 'off', true), writes()",
        "with w as (insert into t values (3) returning id) select * from w",
        "explain analyze insert into t values (4)",
        "select 1; drop table t",
        "select 1; commit; drop table t",
        "explain select 1; drop table t",
        "select * from t for update",
        "select 1 into made",
    ],
)
async def test_what_would_write_is_refused_even_where_no_proof_stops_it(
    server: Server, statement: str
) -> None:
    async with opened(server.dsn()) as database:
        with pytest.raises(DatabaseError) as raised:
            await database.select(statement)
        assert raised.value.kind == "wrong"
        assert "\n" not in str(raised.value)
        assert (await database.select("select count(*) from t")).rows == [("1",)]
        assert (await database.select("select count(*) from pg_class where relname = 'made'")).rows == [
            ("0",)
        ]


async def test_rows_and_characters_that_are_read_are_bounded(server: Server) -> None:
    async with opened(server.dsn()) as database:
        few = await database.select("select generate_series(1, 1000000000)", most=250)
        small = await database.select("select repeat('x', 1000), generate_series(1, 1000000000)", size=5100)
        whole = await database.select("select g, null from generate_series(1, 100) g", most=100)
    assert (len(few.rows), few.cut) == (250, True)
    assert (len(small.rows), small.cut) == (5, True)
    assert (len(whole.rows), whole.cut, whole.rows[0]) == (100, False, ("1", None))


async def test_what_is_ours_alone_is_not_taken_for_the_servers(server: Server) -> None:
    async with opened(server.dsn()) as database:
        rows = {row["name"]: row for row in (await database.rows("settings")).rows}
        answer = await database.select("show statement_timeout")
    assert answer.rows == [("8s",)]
    for name, value in (
        ("statement_timeout", "0"),
        ("work_mem", "4096"),
        ("default_transaction_read_only", "off"),
    ):
        assert (rows[name]["setting"], rows[name]["source"]) == (value, "default")
    assert "jit" not in rows


async def test_a_pooler_that_takes_no_options_is_gone_through(server: Server) -> None:
    async with pooler(server.port) as port:
        async with opened(
            f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable"
        ) as database:
            assert (await database.rows("roles")).rows
            assert (await database.select("show transaction_read_only")).rows == [("on",)]
            await database.act("analyze", schema="public", table="t")
        own = (
            f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable options='-c geqo=off'"
        )
        async with opened(own) as database:
            with pytest.raises(DatabaseError, match="unsupported startup parameter: options"):
                await database.facts()


@asynccontextmanager
async def pooler(to: int) -> AsyncIterator[int]:
    """A way to the server that refuses `options`, as PgBouncer does."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(4)
        start += await reader.readexactly(int.from_bytes(start) - 4)
        if b"options\0" in start:
            said = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            writer.write(b"E" + (len(said) + 4).to_bytes(4) + said)
            writer.close()
            return
        back, forth = await asyncio.open_connection("127.0.0.1", to)
        forth.write(start)
        await asyncio.gather(pipe(reader, forth), pipe(back, writer))

    served = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield served.sockets[0].getsockname()[1]
    finally:
        served.close()


async def test_what_holds_for_a_look_is_not_left_to_whoever_has_the_session_next(server: Server) -> None:
    connections = Connections(parse(server.dsn()))
    async with connections.looking() as connection:
        cursor = await connection.execute("show default_transaction_read_only")
        assert await cursor.fetchone() == ("on",)
    for name, value in (("default_transaction_read_only", "off"), ("statement_timeout", "0"), ("jit", "on")):
        cursor = await connection.execute(f"show {name}".encode())
        assert await cursor.fetchone() == (value,)
    await connection.execute("create temp table left_writable (x int)")
    await connections.close()


async def test_who_reads_by_default_can_still_do_what_was_approved(server: Server) -> None:
    server.run(
        "create role careful login superuser", "alter role careful set default_transaction_read_only = on"
    )
    async with opened(server.dsn("careful")) as database:
        done = await database.act("role_limit", role="careful", limit=7)
        assert "connection limit 7" in done.statement
        (row,) = (await database.rows("roles", role="careful")).rows
    assert row["connection_limit"] == 7
    server.run("drop role careful")


async def test_a_plan_that_does_not_come_leaves_no_thread_with_the_connection(server: Server) -> None:
    async with opened(server.dsn()) as database:
        await database.facts()
        with server.connect() as root:
            row = root.execute(
                "select pid from pg_stat_activity where application_name = 'opssquad'"
            ).fetchone()
        assert row
        threads = threading.active_count()
        real = postgres._planned

        async def held(connection: AsyncConnection[Any], statement: bytes) -> AsyncCursor[Any]:
            os.kill(row[0], signal.SIGSTOP)
            return await real(connection, statement)

        with pytest.MonkeyPatch.context() as patch, suppress(TimeoutError):
            patch.setattr(postgres, "_planned", held)
            async with asyncio.timeout(0.5):
                await database.select("explain (generic_plan) select $1::int")
        left = threading.active_count() - threads
        os.kill(row[0], signal.SIGCONT)
    assert left == 0
    await settled(server, 0)


async def test_long_rows_are_not_taken_by_the_hundred(server: Server) -> None:
    with server.connect() as root:
        root.execute("create extension if not exists pg_stat_statements")
        root.execute("select pg_stat_statements_reset()")
    async with opened(server.dsn()) as database:
        answer = await database.select(
            "select repeat('x', 300000) from generate_series(1, 1000)", size=1000000
        )
    assert (len(answer.rows), answer.cut) == (3, True)
    with server.connect() as root:
        found = root.execute(
            "select sum(rows) from pg_stat_statements where query like 'fetch%taken'"
        ).fetchone()
    assert found
    assert 3 < found[0] < 10


async def test_values_of_parameters_go_beside_the_statement(server: Server) -> None:
    hostile = "x'; insert into t values (9); --"
    async with opened(server.dsn()) as database:
        found = await database.select("select $1 || '%s', $2::int + 1, $3::bool", binds=[hostile, 4, True])
        assert found.rows == [(f"{hostile}%s", "5", "t")]
        assert (await database.select("select id from t where id = $1", binds=[1])).rows == [("1",)]
        assert (await database.select("explain select id from t where id = $1", binds=[1])).rows
