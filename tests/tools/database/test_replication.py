"""The tool `replication` on a real primary with a real standby."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from tools.database.replication import replication
from tools.database.signals.replication import replica_signals
from tools.database.signals.server import slot_signals

from opssquad import Json, Rows, parse_time
from tests.postgres.server import Server, replica_of, running
from tests.tools.database.looked import client, grave, look, one, signals, until, value, waiting

NOW = parse_time("2026-03-01T12:00:00Z")
WAITS = "select pg_last_wal_receive_lsn() <> pg_last_wal_replay_lsn()"


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary, and a standby that waits for its queries as long as they take."""
    with running(autovacuum="off", wal_receiver_status_interval="1s") as primary:
        primary.run("create table goods (n int)", "insert into goods select generate_series(1, 1000)")
        settings = {"max_standby_streaming_delay": "-1", "hot_standby_feedback": "off"}
        with replica_of(primary, slot="second", name="second", **settings) as standby:
            until(lambda: value(primary, "select count(*) from pg_stat_replication"), "a replica")
            yield primary, standby


def _caught_up(primary: Server, standby: Server) -> None:
    lsn = value(primary, "select pg_current_wal_lsn()::text")
    until(lambda: value(standby, f"select pg_last_wal_replay_lsn() >= '{lsn}'"), "a standby that is level")


def test_a_standby_that_is_level_has_no_fault_on_either_side(pair: tuple[Server, Server]) -> None:
    primary, standby = pair
    _caught_up(primary, standby)
    here, there = look(primary, replication), look(standby, replication)
    assert (grave(here), grave(there)) == ([], [])
    assert here.text.startswith("This server is a primary.\n")
    assert any(line.split()[:3] == ["second", "streaming", "async"] for line in here.text.splitlines())
    assert any(line.split()[:2] == ["second", "physical"] for line in here.text.splitlines())
    assert there.text.startswith("This server is a standby")
    assert f"It receives from 127.0.0.1:{primary.port} (streaming, slot second)" in there.text
    assert "No replica streams." in there.text


def test_replay_that_was_paused(pair: tuple[Server, Server]) -> None:
    primary, standby = pair
    standby.run("select pg_wal_replay_pause()")
    primary.run("insert into goods select generate_series(1, 200000)", "insert into goods values (1)")
    until(lambda: value(standby, WAITS), "WAL that is not replayed")
    there = look(standby, replication)
    assert str(one(there, "replica.replay_paused").entity) == "Database//postgres"
    assert "replay paused" in there.text
    standby.run("select pg_wal_replay_resume()")


def test_a_query_that_holds_replay_up(pair: tuple[Server, Server]) -> None:
    primary, standby = pair
    with client(standby, "report") as report:
        report.execute("begin isolation level repeatable read")
        report.execute("select count(*) from goods")
        primary.run(
            "delete from goods",
            "vacuum goods",
            "create table more as select repeat('x', 1000) t from generate_series(1, 20000)",
        )
        until(lambda: value(standby, f"select ({BEHIND})"), "a standby that is behind")
        until(lambda: value(standby, OPEN), "a query that takes long")
        there = look(standby, replication)
        held = one(there, "replica.blocked_by_query")
        assert str(held.entity) == f"Session/postgres/{report.info.backend_pid}"
        assert held.data["client"] == "report"
        assert one(there, "replica.lagging").data["where"] == "replaying"
        until(lambda: signals(look(primary, replication), "replica.lagging"), "a replica that is behind")
        here = one(look(primary, replication), "replica.lagging")
        assert str(here.entity) == "Replica//second"
        assert here.data["behind_bytes"] > 16 * 2**20
        assert here.data["where"] == "replaying"
        report.execute("rollback")


BEHIND = "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 17 * 1024 * 1024"
OPEN = """select clock_timestamp() - xact_start > interval '3.5 s' from pg_stat_activity
    where application_name = 'report'"""


def test_queries_that_were_cancelled_for_recovery() -> None:
    with running(autovacuum="off") as primary:
        primary.run("create table goods (n int)", "insert into goods select generate_series(1, 1000)")
        with replica_of(primary, max_standby_streaming_delay="100ms") as standby:
            _caught_up(primary, standby)
            with client(standby, "report") as report:
                report.execute("begin isolation level repeatable read")
                report.execute("select count(*) from goods")
                with waiting(report, "select pg_sleep(20)"):
                    primary.run("delete from goods", "vacuum goods")
                    until(lambda: "conflict with recovery" in standby.log.read_text(), "a conflict")
                # It is counted once the transaction is over.
                with contextlib.suppress(psycopg.Error):
                    report.execute("rollback")
                until(lambda: value(standby, CANCELLED), "a query that is counted")
                found = one(look(standby, replication), "replica.conflicts")
            assert found.data["kinds"] == {"snapshot": 1}


CANCELLED = "select confl_snapshot from pg_stat_database_conflicts where datname = 'postgres'"


def test_a_standby_whose_primary_is_gone_and_a_slot_without_a_reader() -> None:
    with running() as primary, replica_of(primary, slot="second") as standby:
        until(lambda: value(primary, "select count(*) from pg_stat_replication"), "a replica")
        _caught_up(primary, standby)
        primary.stop()
        until(lambda: not value(standby, "select count(*) from pg_stat_wal_receiver"), "a lost primary")
        assert str(one(look(standby, replication), "replica.not_streaming").entity) == "Database//postgres"
        standby.stop()
        primary.start()
        here = look(primary, replication)
        assert grave(here) == []
        assert "none" in next(line for line in here.text.splitlines() if line.startswith("second"))


def test_a_slot_that_lost_what_it_needs() -> None:
    with running(max_slot_wal_keep_size="1MB", max_wal_size="32MB", min_wal_size="32MB") as server:
        server.run("select pg_create_physical_replication_slot('gone', true)")
        for _ in range(3):
            server.run("create table if not exists t (n int)", "select pg_switch_wal()", "checkpoint")
        until(lambda: value(server, LOST), "a slot that is lost")
        lost = one(look(server, replication), "slot.lost")
        assert str(lost.entity) == "ReplicationSlot//gone"
        assert lost.data["wal_status"] == "lost"


LOST = "select wal_status = 'lost' from pg_replication_slots"


def test_commits_that_wait_for_a_synchronous_replica_that_is_not_there() -> None:
    with running() as server:
        server.run("create table t (n int)")
        server.run("alter system set synchronous_standby_names = 'absent'", "select pg_reload_conf()")
        with client(server, "web") as connection:
            connection.execute("set synchronous_commit = on")
            with waiting(connection, "insert into t values (1)"):
                until(lambda: value(server, SYNC), "a commit that waits")
                found = one(look(server, replication), "replica.sync_waiting")
        assert (found.data["count"], found.data["replicas"]) == (1, 0)


SYNC = """select count(*) from pg_stat_activity where wait_event = 'SyncRep'
    and clock_timestamp() - query_start > interval '3.5 s'"""


def _slot(**more: object) -> Json:
    row: Json = {
        "slot": "cdc", "type": "logical", "plugin": "pgoutput", "active": False, "held_bytes": 2**20,
        "wal_status": "reserved", "inactive_since": "2026-03-01T10:00:00Z", "invalidated": None,
    }  # fmt: skip
    return {**row, **more}


@pytest.mark.parametrize(
    ("row", "id"),
    [
        (_slot(), ""),
        (_slot(held_bytes=2**30), "slot.inactive"),
        (_slot(wal_status="unreserved"), "slot.inactive"),
        (_slot(wal_status="lost", invalidated="wal_removed"), "slot.lost"),
        (_slot(active=True, held_bytes=2**28), ""),
        (_slot(active=True, held_bytes=2**32), "slot.behind"),
    ],
)
def test_slots_by_what_they_hold_and_for_whom(row: Json, id: str) -> None:
    found = list(slot_signals(Rows("slots", "shop", (row,)), NOW))
    assert [each.id for each in found] == ([id] if id else [])
    if id == "slot.inactive":
        assert "for 2 h" in found[0].text
        assert found[0].at == parse_time("2026-03-01T10:00:00Z")


@pytest.mark.parametrize(("unsent", "where"), [(2**30, "sending"), (0, "replaying")])
def test_where_a_replica_is_behind(unsent: int, where: str) -> None:
    row = {"application": "second", "state": "streaming", "unsent_bytes": unsent, "behind_bytes": 2**30}
    (found,) = replica_signals(Rows("replicas", "shop", (row,)))
    assert found.data["where"] == where
