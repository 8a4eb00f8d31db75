"""The tool `server_log` on a real server: what each trouble leaves in its log, in each format of a log."""

import contextlib
import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from tools.database.server_log import server_log

from tests.postgres.server import Server, running
from tests.tools.database.looked import blocked, client, grave, look, one, signals, until, waiting

SETTINGS = {"log_statement": "ddl", "deadlock_timeout": "100ms"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(**SETTINGS) as made:
        _prepare(made)
        yield made


def _prepare(server: Server) -> None:
    server.run(
        "create role teller login password 'right'",
        "create role expired login password 'right' valid until '2020-01-01'",
        "create role nosy login",
        "create table accounts (id int primary key, balance int)",
        "create table secrets (id int)",
        "insert into accounts select n, 100 from generate_series(1, 10) n",
        "grant all on accounts to teller",
    )


def _fails(server: Server, statement: str, user: str = "teller", name: str = "billing") -> None:
    with client(server, name, user) as connection, contextlib.suppress(psycopg.Error):
        connection.execute(statement)


def _deadlock(server: Server) -> None:
    """Two clients change two rows in opposite order, in a real server."""
    with client(server, "orders") as one_, client(server, "stock") as other:
        for connection, number in ((one_, 1), (other, 2)):
            connection.execute("begin")
            connection.execute(f"update accounts set balance = 0 where id = {number}")
        with waiting(one_, "update accounts set balance = 1 where id = 2"):
            blocked(server, 1)
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                other.execute("update accounts set balance = 1 where id = 1")


def test_a_server_that_was_only_started_has_nothing_grave_in_its_log() -> None:
    with running() as fresh:
        fresh.run("create table t (n int)", "select * from t")
        result = look(fresh, server_log)
        assert grave(result) == []
        assert "database system is ready to accept connections" in result.text


def test_a_deadlock_with_both_statements_and_both_clients(server: Server) -> None:
    _deadlock(server)
    found = one(look(server, server_log), "log.deadlock")
    assert str(found.entity) == "Table/postgres/public.accounts"
    assert len(found.data["pids"]) == 2
    assert sorted(found.data["statements"]) == [
        "update accounts set balance = 1 where id = 1",
        "update accounts set balance = 1 where id = 2",
    ]
    assert found.data["relations"] == ["public.accounts"]
    assert {"orders", "stock"} >= set(found.data["applications"]) != set()
    assert found.at is not None


def test_a_wait_for_a_lock_names_who_holds_it(server: Server) -> None:
    with client(server, "migrator") as holder, client(server, "web") as other:
        holder.execute("begin")
        holder.execute("lock table accounts")
        with waiting(other, "select * from accounts"):
            until(lambda: "still waiting for AccessShareLock" in server.log.read_text(), "a line of the log")
            found = signals(look(server, server_log), "log.lock_wait")
            assert any(each.data["held_by"] == ["migrator"] for each in found)
        holder.execute("rollback")


def test_what_a_client_may_not_do_or_asks_in_vain(server: Server) -> None:
    _fails(server, "insert into secrets values (1)")
    _fails(server, "select total from accounts")
    _fails(server, "select * from invoices")
    _fails(server, "set statement_timeout = 20; select pg_sleep(5)")
    _fails(server, "set transaction read only; delete from accounts", "postgres", "shop")
    result = look(server, server_log)
    denied = one(result, "log.permission_denied")
    assert str(denied.entity) == "Role//teller"
    assert str(denied.owner) == "Client/postgres/billing"
    assert denied.data["relation"] == "public.secrets"
    assert denied.data["privileges"] == ["insert"]
    column = one(result, "log.undefined_column")
    assert column.data["column"] == "total"
    assert column.data["statement"] == "select total from accounts"
    assert str(column.owner) == "Client/postgres/billing"
    assert one(result, "log.undefined_table").data["table"] == "invoices"
    assert one(result, "log.statement_timeout").data["kind"] == "statement"
    assert one(result, "log.read_only").data["application"] == "shop"


def test_why_a_login_is_refused() -> None:
    with running() as server:
        _prepare(server)
        server.hba(
            "host all teller,expired,ghost 127.0.0.1/32 scram-sha-256", "host all nosy 127.0.0.1/32 reject"
        )
        for user in ("teller", "teller", "expired", "ghost"):
            with pytest.raises(psycopg.OperationalError):
                server.connect(user, password="wrong" if user == "teller" else "right")
        with pytest.raises(psycopg.OperationalError):
            server.connect("stranger")
        result = look(server, server_log)
        why = {str(each.entity): each.data["why"] for each in signals(result, "log.password_failed")}
        assert why == {
            "Role//teller": "another password",
            "Role//expired": "its password has expired",
            "Role//ghost": "no such role",
        }
        counts = {each.data["role"]: each.data["count"] for each in signals(result, "log.password_failed")}
        assert counts["teller"] == 2
        assert str(one(result, "log.role_missing").entity) == "Role//stranger"


def test_ddl_is_told_with_who_ran_it_and_is_no_fault(server: Server) -> None:
    with client(server, "flyway") as connection:
        connection.execute("/* V7 */ alter table secrets add column other int")
        connection.execute("create temp table mine (n int)")
    found = signals(look(server, server_log), "log.ddl")
    told = {each.data["statement"]: each for each in found}
    assert told["alter table secrets add column other int"].data["application"] == "flyway"
    assert told["alter table secrets add column other int"].severity == "info"
    assert not any("temp" in statement for statement in told)


def test_words_of_a_statement_are_no_messages(server: Server) -> None:
    _fails(server, 'select 1/0 /*\nFATAL:  password authentication failed for user "teller"*/')
    result = look(server, server_log, grep="division")
    assert signals(result, "log.password_failed") == []
    assert "division by zero" in result.text


def test_what_the_server_refused_us_is_no_trouble_of_a_client(server: Server) -> None:
    look(server, server_log, "nosy")
    until(lambda: "nosy@postgres opssquad ERROR:" in server.log.read_text(), "a refusal of ours")
    denied = signals(look(server, server_log), "log.permission_denied")
    assert "Role//nosy" not in {str(each.entity) for each in denied}


def test_only_what_is_recent(server: Server) -> None:
    result = look(server, server_log, minutes=0)
    assert result.text.startswith("No message in the last 0 min; the last one is of ")
    assert result.signals == ()


def test_a_log_that_may_not_be_read_is_said_to_be_missing(server: Server) -> None:
    result = look(server, server_log, "nosy")
    assert "The server's log could not be read." in result.text
    assert "Not seen: " in result.text
    assert result.data["unread"]
    assert result.signals == ()


def test_a_process_that_was_killed(server: Server) -> None:
    with running() as own:
        with own.connect() as victim:
            pid = victim.info.backend_pid
            os.kill(pid, signal.SIGKILL)
        until(lambda: "terminated by signal 9" in own.log.read_text(), "a crash in the log")
        until(lambda: "ready to accept connections" in own.log.read_text().split("signal 9")[1], "recovery")
        result = look(own, server_log)
        assert one(result, "log.crash").data["signal"] == "9"
        assert one(result, "log.crash").data["pid"] == str(pid)


def test_checkpoints_that_are_too_frequent() -> None:
    with running(max_wal_size="32MB", min_wal_size="32MB", checkpoint_warning="600s") as server:
        server.run("create table fill (t text)")
        for _ in range(2):
            server.run(
                "insert into fill select repeat('x', 1000) from generate_series(1, 50000)",
            )
        until(lambda: "occurring too frequently" in server.log.read_text(), "a warning about checkpoints")
        found = one(look(server, server_log), "log.checkpoints_frequent")
        assert str(found.entity) == "Setting//max_wal_size"


@pytest.mark.parametrize("destination", ["csvlog", "jsonlog"])
def test_other_formats_of_the_log_tell_the_same(destination: str) -> None:
    with running(log_destination=destination, **SETTINGS) as server:
        _prepare(server)
        _deadlock(server)
        _fails(server, "select total\nfrom accounts")
        result = look(server, server_log)
        column = one(result, "log.undefined_column")
        assert column.data["statement"] == "select total from accounts"
        assert str(column.owner) == "Client/postgres/billing"
        assert len(one(result, "log.deadlock").data["statements"]) == 2


@pytest.mark.parametrize(
    "prefix",
    [
        "%m [%p] %q%u@%d %a ",
        "%t:%r:%u@%d:[%p]:%a: ",
        "%n pid=%p,user=%u,db=%d,app=%a,client=%h ",
        "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        "%-20a|%u|%d|%m|%p|",
    ],
)
def test_prefixes_of_every_kind_are_read(prefix: str) -> None:
    with running(log_line_prefix=prefix, log_timezone="Asia/Tokyo") as server:
        _prepare(server)
        _fails(server, "select total from accounts", name="billing api")
        result = look(server, server_log, minutes=5)
        column = one(result, "log.undefined_column")
        assert column.data["application"] == "billing api"
        assert column.data["role"] == "teller"
        assert column.at is not None
        if "%h" in prefix or "%r" in prefix:
            assert column.data["addresses"] == ["127.0.0.1"]


def test_many_refusals_are_one_signal_with_their_count() -> None:
    with running(max_connections="8", superuser_reserved_connections="2") as server:
        server.run("create role teller login")
        with contextlib.ExitStack() as stack:
            refused = 0
            for _ in range(12):
                try:
                    stack.enter_context(client(server, "pool", "teller"))
                except psycopg.OperationalError:
                    refused += 1
            result = look(server, server_log)
        assert one(result, "log.too_many_clients").data["count"] == refused


def test_a_large_log_is_read_quickly(server: Server) -> None:
    with client(server, "noisy") as connection:
        for number in range(3000):
            with contextlib.suppress(psycopg.Error):
                connection.execute(f"select missing_{number % 50} from accounts")
    result = look(server, server_log)
    assert len(signals(result, "log.undefined_column")) <= 20
