"""The tool `overview` on a real server: at rest, short of connections, closed to us, and in other trouble."""

import contextlib
import signal
from collections.abc import Iterator

import psycopg
import pytest
from tools.database.overview import overview
from tools.database.signals.connections import connection_signals
from tools.database.signals.server import checkpoint_signals, standing_signals

from opssquad import Json, Rows, ToolError, parse_time
from opssquad.worlds.sql.looks import look_of
from tests.postgres.server import Server, running
from tests.tools.database.looked import client, grave, look, one, signals, until, value

SMALL = {"max_connections": "20", "superuser_reserved_connections": "3"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(**SMALL) as made:
        made.run(
            "create role shop login", "create role report login connection limit 2", "create database other"
        )
        yield made


def test_a_server_at_rest_is_told_and_has_no_fault(server: Server) -> None:
    with client(server, "web", "shop") as connection:
        connection.execute("select 1")
        result = look(server, overview)
        assert grave(result) == []
        assert str(one(result, "server.serves").entity) == "Database//postgres"
    text = result.text
    assert text.startswith(f"PostgreSQL {value(server, 'show server_version')}, a primary, up ")
    assert "1 of 17 for ordinary logins" in text
    assert "3 more are reserved" in text
    assert "web: 1 (1 idle)" in text
    assert "role report 0 of 2" in text
    assert "Replication: no replica; 0 slots, 0 without a reader." in text
    assert "Not seen" not in text


def test_who_may_not_see_others_is_told_what_is_not_seen(server: Server) -> None:
    result = look(server, overview, "shop")
    assert "shop is no member of pg_read_all_stats" in result.text
    assert result.data["unread"]
    assert grave(result) == []


def test_one_client_that_takes_the_connections(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(client(server, "report", "report"))
        for _ in range(15):
            stack.enter_context(client(server, "pool", "shop"))
        result = look(server, overview)
    exhausted, most = one(result, "connections.exhausted"), one(result, "connections.one_client")
    assert exhausted.data["used"] == 16
    assert exhausted.data["limit"] == 17
    assert str(most.entity) == str(most.owner) == "Client/postgres/pool"
    assert most.data["application"] == "pool"
    assert most.data["count"] == most.data["idle"] == 15
    assert most.data["limit"] == 17
    assert most.data["role"] == "shop"
    assert most.data["addresses"] == ["127.0.0.1"]


def test_one_client_alone_on_a_server_with_room_is_no_fault() -> None:
    row = {"application": "web", "role": "shop", "database": "shop", "state": "idle"}
    rows = [{"pid": pid, **row} for pid in range(30)]
    facts: Json = {"max_connections": 100, "superuser_reserved": 3, "reserved": 0}
    looks = [Rows("server", "shop", (facts,)), Rows("sessions", "shop", rows), Rows("roles", "shop")]
    assert list(connection_signals(*looks)) == []


def test_a_role_and_a_database_at_their_own_limits(server: Server) -> None:
    server.run("alter database other connection limit 1")
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(client(server, "bi", "report"))
        stack.enter_context(client(server, "web", "shop", "other"))
        result = look(server, overview)
    assert str(one(result, "connections.role_limit").entity) == "Role//report"
    assert str(one(result, "connections.database_limit").entity) == "Database//other"
    assert "database other 1 of 1" in result.text


def test_a_server_without_a_connection_left_says_so_itself(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg.OperationalError):
            for _ in range(20):
                stack.enter_context(client(server, "pool", "shop"))
        result = look(server, overview, "shop")
    refused = one(result, "server.refuses_connections")
    assert str(refused.entity) == "Database//postgres"
    assert refused.quotes[0].locator == f"server 127.0.0.1:{server.port}"
    assert "connection slots are reserved" in refused.data["said"]


def test_a_server_that_shuts_down_and_one_that_is_gone() -> None:
    with running() as own:
        with client(own, "last"):
            assert own.process is not None
            # A smart shutdown: it waits for its clients, and takes no others.
            own.process.send_signal(signal.SIGTERM)
            until(lambda: "smart shutdown" in own.log.read_text(), "a shutdown that has begun")
            starting = one(look(own, overview), "server.starting")
            assert "shutting down" in starting.data["said"]
        own.stop()
        assert signals(look(own, overview), "server.away")


def test_a_login_that_is_wrong_is_an_error_and_no_trouble_of_the_server(server: Server) -> None:
    with pytest.raises(ToolError, match="nobody"):
        look(server, overview, "nobody")


def test_where_transactions_are_read_only(server: Server) -> None:
    server.run(
        "alter database other set default_transaction_read_only = on",
        "alter role report set default_transaction_read_only = on",
        "alter database postgres set work_mem = '5MB'",
    )
    try:
        assert (
            one(look(server, overview, dbname="other"), "server.read_only").data["scope"] == "database other"
        )
        here = look(server, overview)
        assert signals(here, "server.read_only") == []
        assert str(one(here, "role.read_only").entity) == "Role//report"
        server.run("alter system set default_transaction_read_only = on", "select pg_reload_conf()")
        until(lambda: value(server, "show default_transaction_read_only") == "on", "the setting")
        assert one(look(server, overview), "server.read_only").data["scope"] == "the server"
    finally:
        with server.connect() as root:
            root.execute("set default_transaction_read_only = off")
            root.execute("alter system reset default_transaction_read_only")
            root.execute("alter database other reset all")
            root.execute("alter role report reset all")
            root.execute("select pg_reload_conf()")


def test_an_archive_that_fails() -> None:
    with running(archive_mode="on", archive_command="false") as own:
        own.run("create table t (n int)", "select pg_switch_wal()")
        until(lambda: value(own, "select failed_count from pg_stat_archiver"), "an archive that fails")
        assert str(one(look(own, overview), "archive.failing").entity) == "Setting//archive_command"


def test_a_slot_without_a_reader_that_holds_little_is_no_fault(server: Server) -> None:
    server.run("select pg_create_logical_replication_slot('quiet', 'test_decoding')")
    try:
        result = look(server, overview)
        assert grave(result) == []
        assert "1 slot, 1 without a reader" in result.text
    finally:
        server.run("select pg_drop_replication_slot('quiet')")


def test_the_oldest_snapshot_is_told_with_who_holds_it(server: Server) -> None:
    with client(server, "nightly", "shop") as connection:
        connection.execute("begin isolation level repeatable read")
        connection.execute("select 1")
        server.run(*["select pg_current_xact_id()"] * 5)
        assert f"held by session {connection.info.backend_pid} of nightly" in look(server, overview).text


def test_age_and_checkpoints() -> None:
    """What takes two billion transactions, or days, is computed from rows."""
    facts = Rows("server", "shop", ({"in_recovery": False, "started": "2026-01-01T00:00:00Z"},))
    row = {"database": "shop", "deadlocks": 0, "xid_age": 1_600_000_000, "mxid_age": 5}
    (old,) = standing_signals(facts, Rows("databases", "shop", (row,)))
    assert (old.id, old.data["age"]) == ("transactions.wraparound", 1_600_000_000)
    now = parse_time("2026-01-01T01:00:00Z")
    often, seldom = ({"timed": 2, "requested": n, "stats_reset": None} for n in (240, 12))
    assert [s.id for s in checkpoint_signals(Rows("c", "shop", (often,)), facts.rows[0], now)] == [
        "checkpoints.requested"
    ]
    assert list(checkpoint_signals(Rows("c", "shop", (seldom,)), facts.rows[0], now)) == []


def test_every_look_of_it_is_known() -> None:
    from tools.database.overview import LOOKS

    assert all(look_of(name) for name in LOOKS)
