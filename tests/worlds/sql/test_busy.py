"""A real server that is full, starts, stops, is late or hangs up, each said in one clear line."""

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from opssquad.errors import ToolUnsure
from opssquad.worlds.sql import connections, postgres
from opssquad.worlds.sql.trouble import DatabaseError, Kind
from tests.postgres.server import Server, running
from tests.worlds.sql.opened import opened, refused, settled
from tests.worlds.sql.test_entering import certificate, encrypted

FEW = {"max_connections": "8", "superuser_reserved_connections": "2", "reserved_connections": "2"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(**FEW) as server:
        server.run(
            "create role web login", "create role one login connection limit 1",
            "create role keeper login", "grant pg_use_reserved_connections to keeper",
            "create database small connection limit 1", "create table t (id int)",
        )  # fmt: skip
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BETWEEN", 0.02)


async def test_a_full_server_is_said_to_be_one_and_reserved_slots_let_in(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(server.connect("web"))
        error = await refused(server.dsn("web"), "full", "remaining connection slots are reserved")
        assert "pg_use_reserved_connections" in str(error)
        async with opened(server.dsn("keeper")) as database:
            assert len((await database.rows("sessions", role="web")).rows) == 4
        stack.enter_context(server.connect("keeper"))
        stack.enter_context(server.connect("keeper"))
        stack.enter_context(server.connect())
        stack.enter_context(server.connect())
        await refused(server.dsn(), "full", "sorry, too many clients already")


async def test_limits_of_roles_and_databases_are_full_too(server: Server) -> None:
    with server.connect("one"):
        await refused(server.dsn("one"), "full", 'too many connections for role "one"')
    with server.connect("web", "small"):
        await refused(server.dsn("web", "small"), "full", 'too many connections for database "small"')


async def test_a_slot_that_gets_free_in_a_moment_is_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BETWEEN", 0.4)
    client = server.connect("one")
    threading.Timer(0.2, client.close).start()
    async with opened(server.dsn("one")) as database:
        assert (await database.facts())["role"] == "one"


async def test_a_statement_that_takes_too_long_is_late(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.READ_ONLY, "statement_timeout", "200")
    async with opened(server.dsn()) as database:
        with pytest.raises(DatabaseError, match="statement timeout") as raised:
            await database.select("select count(*) from generate_series(1, 1e10)")
        assert raised.value.kind == "late"
        # And the next one finds a connection that works.
        assert (await database.select("select 1")).rows == [("1",)]


async def test_a_lock_that_is_not_had_is_late_for_reads_and_for_acts(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_WAIT", "100ms")
    monkeypatch.setitem(connections.READ_ONLY, "lock_timeout", "100")
    with server.connect() as holder, holder.transaction():
        holder.execute("lock table t")
        async with opened(server.dsn()) as database:
            calls = (
                database.select("select * from t"),
                database.act("grant", schema="public", table="t", role="web", privileges=["select"]),
            )
            for call in calls:
                with pytest.raises(DatabaseError, match="lock timeout") as raised:
                    await call
                assert raised.value.kind == "late"


async def test_looks_do_not_wait_for_a_table_that_is_locked(server: Server) -> None:
    with server.connect() as holder, holder.transaction():
        holder.execute("lock table t")
        async with opened(server.dsn()) as database:
            for look in (
                "tables",
                "indexes",
                "columns",
                "grants",
                "locks",
                "changed_objects",
                "foreign_keys",
            ):
                assert not (await database.rows(look)).missing, look


async def test_a_session_that_is_ended_is_lost_and_the_next_look_connects_anew(server: Server) -> None:
    async with opened(server.dsn()) as database:
        await database.facts()
        server.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'opssquad'"
        )
        await settled(server)
        with suppress(DatabaseError):
            await database.rows("roles")
        assert (await database.rows("roles")).rows


async def test_an_act_whose_server_goes_may_have_happened_and_is_not_repeated() -> None:
    with running() as server:
        server.run("create table t (id int)")
        holder = server.connect()
        holder.execute("begin; lock table t")
        async with opened(server.dsn()) as database:
            act = asyncio.create_task(database.act("analyze", schema="public", table="t"))
            await settled(server, 1, "and wait_event_type = 'Lock'")
            await asyncio.to_thread(server.stop)
            with pytest.raises(ToolUnsure, match="it may have happened") as raised:
                await act
            assert "\n" not in str(raised.value)
        holder.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_an_encrypted_connection_that_breaks_is_lost_and_no_trouble_of_certificates(
    tmp_path: Path,
) -> None:
    # Debian's server: that of the wheel is built without TLS.
    with running("15") as server:
        encrypted(server, certificate(tmp_path, "own"))
        server.run("create table t (id int)")
        holder = server.connect()
        holder.execute("begin; lock table t")
        async with opened(server.dsn(sslmode="require")) as database:
            act = asyncio.create_task(database.act("analyze", schema="public", table="t"))
            await settled(server, 1, "and wait_event_type = 'Lock'")
            with server.connect() as root:
                row = root.execute(
                    "select pid from pg_stat_activity where application_name = 'opssquad'"
                ).fetchone()
            assert row
            os.kill(row[0], signal.SIGKILL)
            with pytest.raises(ToolUnsure, match="it may have happened"):
                await act
        holder.close()


async def test_an_act_whose_second_half_is_refused_has_happened_by_half() -> None:
    with running() as server:
        server.run("create role tuner login", "grant alter system on parameter work_mem to tuner")
        async with opened(server.dsn("tuner")) as database:
            with pytest.raises(ToolUnsure, match="alter system set .* is done, but .*permission denied"):
                await database.act("setting", name="work_mem", value="8MB")


async def test_a_server_that_stops_and_one_that_has_stopped() -> None:
    with running() as server:
        holder = server.connect()
        assert server.process
        server.process.send_signal(signal.SIGTERM)
        await refused_soon(server, "starting", "shutting down")
        holder.close()
        await asyncio.to_thread(server.stop)
        await refused(server.dsn(), "away", "Connection refused")


async def test_a_server_that_starts_is_said_to_start() -> None:
    with running() as server:
        server.stop()
        (server.data / "recovery.signal").touch()
        server.settings["restore_command"] = "sleep 2; false"
        starts = threading.Thread(target=started, args=(server,))
        starts.start()
        await refused_soon(server, "starting", "starting up|not yet accepting")
        await asyncio.to_thread(server.stop, signal.SIGQUIT)
        starts.join()


def started(server: Server) -> None:
    with suppress(RuntimeError, AttributeError):
        server.start()


async def refused_soon(server: Server, kind: Kind, said: str) -> None:
    """What it says once it has heard of it."""
    for _ in range(100):
        try:
            await refused(server.dsn(), kind, said)
        except (AssertionError, pytest.fail.Exception):
            await asyncio.sleep(0.02)
        else:
            return
    await refused(server.dsn(), kind, said)
