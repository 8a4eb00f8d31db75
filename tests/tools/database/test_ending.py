"""Cancelling and terminating real sessions: what the card says, and what became of those who waited."""

from collections.abc import Iterator

import psycopg
import pytest
from tools.database.ending import cancel_query, terminate_session

from opssquad import DatabaseError, ToolError
from tests.postgres.server import Server, running
from tests.tools.database.acted import acting
from tests.tools.database.looked import blocked, client, until, value, waiting

SLEEP = "select pg_sleep(60)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create table t (id int primary key, n int)",
            "insert into t select g, 0 from generate_series(1, 100) g",
            "create role watcher login", "grant pg_monitor to watcher", "create role plain login",
        )  # fmt: skip
        yield server


def pid_of(connection: psycopg.Connection) -> int:
    return connection.info.backend_pid


def active(server: Server, connection: psycopg.Connection) -> None:
    query = f"select state = 'active' from pg_stat_activity where pid = {pid_of(connection)}"
    until(lambda: value(server, query), "a session that is active")


async def test_the_end_of_a_blocker_lets_its_whole_queue_go_on(server: Server) -> None:
    with (
        client(server, "import") as root, client(server, "web") as first, client(server, "web") as second,
    ):  # fmt: skip
        root.execute("begin")
        root.execute("update t set n = 1 where id = 1")
        first.execute("begin")
        first.execute("update t set n = 1 where id = 2")
        pid = pid_of(root)
        with (
            waiting(first, "update t set n = 2 where id = 1; commit"),
            waiting(second, "update t set n = 2 where id = 2"),
        ):
            blocked(server, 2)
            async with acting(server) as act:
                preview, undo = await act.foresee(terminate_session, pid=pid)
                await act.run(terminate_session, pid=pid)
                check = await act.check(terminate_session, preview, pid=pid)
    assert "import (role postgres, from 127.0.0.1), connected for" in preview.impact
    assert "its transaction open for" in preview.impact
    assert "update t set n = 1" in preview.impact
    assert "2 sessions wait for it" in preview.impact
    assert "has written" in preview.impact
    assert (preview.risk, undo.tool) == ("medium", "")
    assert str(pid) in preview.command
    assert undo.note.startswith("none")
    assert list(preview.binding) == [f"Session/postgres/{pid}"]
    assert check.outcome == "better"
    assert "the 2 that waited for it go on" in check.text
    assert [each.id for each in check.signals] == ["session.ended"]


async def test_a_client_that_takes_the_lock_again_is_named(server: Server) -> None:
    with (
        client(server, "job") as root, client(server, "job") as again, client(server, "web") as victim,
    ):  # fmt: skip
        root.execute("begin")
        root.execute("lock table t in share mode")
        again.execute("begin")
        again.execute("lock table t in share mode")
        with waiting(victim, "update t set n = 9 where id = 9"):
            blocked(server, 1)
            async with acting(server) as act:
                _, _, check = await act.carry_out(terminate_session, pid=pid_of(root))
        other = pid_of(again)
    assert check.outcome == "same"
    assert f"wait for session {other} of job now" in check.text
    assert "the same client took the lock again" in check.text
    assert [each.args for each in check.next] == [{"pid": other}]
    assert act.said


async def test_a_session_that_wrote_nothing_costs_nothing(server: Server) -> None:
    with client(server, "reader") as reader:
        reader.execute("begin")
        reader.execute("select * from t")
        async with acting(server) as act:
            preview, _, check = await act.carry_out(terminate_session, pid=pid_of(reader))
    assert (preview.risk, check.outcome) == ("low", "better")
    assert "Nothing was written" in preview.impact
    assert "nobody waits for it" in preview.impact


async def test_one_that_writes_right_now_is_of_high_risk(server: Server) -> None:
    with client(server, "writer") as writer:
        writer.execute("begin")
        writer.execute("insert into t values (1000, 0)")
        with waiting(writer, SLEEP):
            active(server, writer)
            async with acting(server) as act:
                preview, _ = await act.foresee(terminate_session, pid=pid_of(writer))
                wrote, _ = await act.foresee(cancel_query, pid=pid_of(writer))
    assert (preview.risk, wrote.risk) == ("high", "medium")
    assert "rolled back with all it wrote" in wrote.impact


async def test_a_statement_is_cancelled_and_its_session_stays(server: Server) -> None:
    with client(server, "report") as report:
        pid = pid_of(report)
        with waiting(report, SLEEP):
            active(server, report)
            async with acting(server) as act:
                preview, undo, check = await act.carry_out(cancel_query, pid=pid)
        assert report.execute("select 1").fetchone() == (1,)
    assert (preview.risk, check.outcome, undo.tool) == ("low", "better", "")
    assert check.text == f"the statement of session {pid} has ended"


async def test_a_card_about_a_statement_is_void_once_another_runs(server: Server) -> None:
    with client(server, "report") as report, waiting(report, "select pg_sleep(0.3); select pg_sleep(60)"):
        active(server, report)
        async with acting(server) as act:
            pid = pid_of(report)
            preview, _ = await act.foresee(cancel_query, pid=pid)
            report.cancel_safe(timeout=2)
            until(lambda: value(server, f"select state = 'idle' from pg_stat_activity where pid = {pid}"), "")
            assert await cancel_query.observed({"pid": pid}, act.handles) != preview.binding


async def test_what_does_not_run_is_not_cancelled(server: Server) -> None:
    with client(server, "idle") as idle:
        idle.execute("begin")
        idle.execute("select 1")
        async with acting(server) as act:
            with pytest.raises(ToolError, match=r"is idle in transaction: nothing.*terminate_session"):
                await act.foresee(cancel_query, pid=pid_of(idle))


async def test_what_is_the_servers_own_or_ours_or_nothing_is_refused(server: Server) -> None:
    async with acting(server) as act:
        checkpointer = value(server, "select pid from pg_stat_activity where backend_type = 'checkpointer'")
        with pytest.raises(ToolError, match="is a checkpointer of the server's own"):
            await act.foresee(terminate_session, pid=checkpointer)
        ours = value(server, "select pid from pg_stat_activity where application_name = 'opssquad'")
        for pid in (ours, 2):
            with pytest.raises(ToolError, match=f"no session {pid} .any more., or it is one of ours"):
                await act.foresee(terminate_session, pid=pid)


async def test_who_may_not_is_told_in_one_line(server: Server) -> None:
    with client(server, "web") as web:
        web.execute("select 1")
        async with acting(server, "watcher") as act:
            with pytest.raises(
                DatabaseError, match="denied to terminate process|must be a superuser to terminate"
            ) as raised:
                await act.run(terminate_session, pid=pid_of(web))
            assert raised.value.kind == "denied"
            assert "\n" not in str(raised.value)
        async with acting(server, "plain") as act:
            with pytest.raises(ToolError, match="plain is no member of pg_read_all_stats") as hidden:
                await act.foresee(terminate_session, pid=pid_of(web))
            assert hidden.value.blind


async def test_a_stream_to_a_replica_comes_with_a_warning(server: Server) -> None:
    words = server.dsn(application_name="standby", replication="true")
    with psycopg.connect(words, autocommit=True) as stream:
        pid = pid_of(stream)
        async with acting(server) as act:
            preview, _, check = await act.carry_out(terminate_session, pid=pid)
            with pytest.raises(ToolError, match="no session"):
                await act.foresee(cancel_query, pid=pid)
    assert (preview.risk, check.outcome) == ("medium", "better")
    assert "behind until it has connected anew" in preview.impact


async def test_a_vacuum_that_holds_off_wraparound_is_left_alone() -> None:
    slow = {"autovacuum_vacuum_cost_delay": "100ms", "autovacuum_vacuum_cost_limit": "1"}
    with running(autovacuum_freeze_max_age="100000", autovacuum_naptime="1s", **slow) as server:
        server.run(
            "create table big as select g, repeat('x', 500) from generate_series(1, 20000) g",
            "do $$ begin for i in 1..100100 loop perform txid_current(); commit; end loop; end $$",
        )
        query = (
            "select max(pid) from pg_stat_activity where backend_type = 'autovacuum worker'"
            " and query like '%(to prevent wraparound)'"
        )
        until(lambda: value(server, query), "an autovacuum against wraparound", 30.0)
        async with acting(server) as act:
            for tool in (terminate_session, cancel_query):
                with pytest.raises(ToolError, match="vacuums so that transaction ids do not run out"):
                    await act.foresee(tool, pid=value(server, query))
