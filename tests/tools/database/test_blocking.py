"""The tool `blocking` on a real server: chains of locks, queues, row locks, prepared transactions."""

import contextlib
from collections.abc import Iterator

import pytest
from tools.database._chains import chains
from tools.database.blocking import blocking

from opssquad import Rows
from tests.postgres.server import Server, running
from tests.tools.database.looked import blocked, client, grave, look, one, signals, until, value, waiting


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(max_prepared_transactions="4") as made:
        made.run(
            "create role teller login",
            "create role nosy login",
            "create table accounts (id int primary key, balance int)",
            "create table ledger (id int primary key)",
            "insert into accounts select n, 100 from generate_series(1, 10) n",
            "grant all on accounts, ledger to teller",
        )
        yield made


def test_nobody_waits(server: Server) -> None:
    result = look(server, blocking)
    assert result.text == "No session waits for a lock."
    assert result.signals == ()


def told_since_when(server: Server) -> None:
    if value(server, "select current_setting('server_version_num')::int") < 140000:
        pytest.skip("PostgreSQL 13 does not tell since when a lock is waited for")


def test_a_migration_that_does_nothing_holds_up_readers_behind_one_another(server: Server) -> None:
    told_since_when(server)
    with contextlib.ExitStack() as stack:
        migrator = stack.enter_context(client(server, "migrator"))
        readers = [stack.enter_context(client(server, f"shop-{n}", "teller")) for n in range(3)]
        migrator.execute("begin")
        migrator.execute("alter table accounts add column note text")
        for reader in readers:
            stack.enter_context(waiting(reader, "select * from accounts"))
        blocked(server, 3)
        until(lambda: value(server, WAITED) > 4.5, "waiting that lasts")
        result = look(server, blocking)
        blocker, victims = one(result, "lock.blocker"), one(result, "lock.waiting")
        pid = migrator.info.backend_pid
        assert str(blocker.entity) == str(blocker.owner) == f"Session/postgres/{pid}"
        assert blocker.data["pid"] == pid
        assert blocker.data["client"] == "migrator"
        assert blocker.data["state"] == "idle in transaction"
        assert blocker.data["victims"] == 3
        assert blocker.data["longest"] >= 2
        assert blocker.data["relation"] == "public.accounts"
        assert blocker.data["modes"] == ["AccessShareLock"]
        assert "AccessExclusiveLock on public.accounts" in blocker.data["holds"]
        assert blocker.data["ddl"] is True
        assert blocker.data["database"] == "postgres"
        assert blocker.data["idle_since"]
        assert sorted(victims.data["clients"]) == ["shop-0", "shop-1", "shop-2"]
        assert victims.owner == blocker.entity
        assert result.data["sessions"] == [str(blocker.entity)]
        assert "for AccessShareLock on public.accounts" in result.text
        migrator.execute("rollback")


WAITED = """select coalesce(max(extract(epoch from clock_timestamp() - waitstart)), 0)
    from pg_locks where not granted"""


def test_a_wait_of_a_moment_is_no_blocker(server: Server) -> None:
    with client(server, "a") as first, client(server, "b") as second:
        first.execute("begin")
        first.execute("update accounts set balance = 1 where id = 1")
        with waiting(second, "update accounts set balance = 2 where id = 1"):
            blocked(server, 1)
            result = look(server, blocking)
            brief = one(result, "lock.brief")
            assert brief.data["relation"] == "public.accounts"
            assert brief.data["wanted"] == "a row of public.accounts"
            assert brief.data["ddl"] is False
            assert grave(result) == []
        first.execute("rollback")


def test_the_wait_counts_from_the_lock_and_not_from_the_statement(server: Server) -> None:
    told_since_when(server)
    with client(server, "a") as first, client(server, "b") as second:
        first.execute("begin")
        first.execute("lock table ledger")
        with waiting(second, "do $$ begin perform pg_sleep(2.2); perform * from ledger; end $$"):
            blocked(server, 1)
            assert one(look(server, blocking), "lock.brief").data["longest"] < 2
        first.execute("rollback")


def test_the_root_is_who_waits_for_nobody(server: Server) -> None:
    """A report reads, a migration waits for it, and readers wait for the migration."""
    with contextlib.ExitStack() as stack:
        report, migrator, reader = (stack.enter_context(client(server, n)) for n in ("report", "ddl", "web"))
        report.execute("begin")
        report.execute("select * from accounts")
        stack.enter_context(waiting(migrator, "alter table accounts add column other text"))
        blocked(server, 1)
        stack.enter_context(waiting(reader, "select * from accounts"))
        blocked(server, 2)
        result = look(server, blocking)
        root = one(result, "lock.brief")
        assert root.data["client"] == "report"
        assert root.data["victims"] == 2
        assert root.data["modes"] == ["AccessExclusiveLock"]
        lines = [line for line in result.text.splitlines() if "<-" in line]
        assert "ddl" in lines[0]
        assert "web" in lines[1]
        assert lines[1].index("<-") > lines[0].index("<-")
        report.execute("rollback")


def test_two_blockers_are_two_roots(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for number in (3, 4):
            first, second = (stack.enter_context(client(server, f"c{number}")) for _ in range(2))
            first.execute("begin")
            first.execute(f"update accounts set balance = 0 where id = {number}")
            stack.enter_context(waiting(second, f"update accounts set balance = 1 where id = {number}"))
        blocked(server, 2)
        result = look(server, blocking)
        assert sorted(each.data["client"] for each in signals(result, "lock.brief")) == ["c3", "c4"]
        assert "2 sessions in the way of 2 others." in result.text


def test_an_index_being_built_is_maintenance(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        builder, writer = (stack.enter_context(client(server, n)) for n in ("dba", "web"))
        server.run(
            "create or replace function slow(int) returns int immutable language plpgsql"
            " as $$ begin perform pg_sleep(0.5); return $1; end $$"
        )
        stack.enter_context(waiting(builder, "create index on accounts (slow(balance))"))
        until(lambda: value(server, "select count(*) from pg_stat_progress_create_index"), "an index build")
        stack.enter_context(waiting(writer, "update accounts set balance = 5 where id = 5"))
        blocked(server, 1)
        maintenance = one(look(server, blocking), "lock.maintenance")
        assert maintenance.data["pid"] == builder.info.backend_pid


def test_a_prepared_transaction_holds_locks_without_a_session(server: Server) -> None:
    with client(server, "xa", "teller") as first, client(server, "web") as second:
        first.execute("begin")
        first.execute("update accounts set balance = 1 where id = 7")
        first.execute("prepare transaction 'transfer-17'")
        try:
            with waiting(second, "update accounts set balance = 2 where id = 7"):
                blocked(server, 1)
                result = look(server, blocking)
                held = one(result, "lock.prepared")
                assert str(held.entity) == "PreparedTransaction/postgres/transfer-17"
                assert held.data["owner"] == "teller"
                assert held.data["victims"] == 1
                assert signals(result, "lock.blocker") == []
        finally:
            server.run("rollback prepared 'transfer-17'")


def test_who_may_not_see_statements_still_sees_who_blocks(server: Server) -> None:
    with client(server, "a") as first, client(server, "b") as second:
        first.execute("begin")
        first.execute("lock table accounts")
        with waiting(second, "select * from accounts"):
            blocked(server, 1)
            result = look(server, blocking, "nosy")
            assert one(result, "lock.brief").data["pid"] == first.info.backend_pid
            assert "pg_read_all_stats" in result.text
            assert result.data["unread"]
        first.execute("rollback")


def test_a_queue_of_thousands_is_told_at_once() -> None:
    """In a queue everyone waits for all before it, as `pg_blocking_pids` tells it."""
    count = 2000
    rows = [_session(pid, list(range(max(1, pid - 40), pid))) for pid in range(1, count)]
    (chain,) = chains(Rows("sessions", "shop", rows), Rows("locks", "shop"))
    assert chain.root["pid"] == 1
    assert len(chain.victims) == count - 2


def test_sessions_that_wait_in_a_circle_are_told() -> None:
    rows = [_session(1, [2]), _session(2, [1]), _session(3, [1])]
    (chain,) = chains(Rows("sessions", "shop", rows), Rows("locks", "shop"))
    assert chain.circle
    assert {chain.root["pid"], *(row["pid"] for row in chain.victims)} == {1, 2, 3}


def _session(pid: int, behind: list[int]) -> dict[str, object]:
    return {"pid": pid, "blocked_by": behind or None, "application": "web"}
