"""Each fault stands, by the server's own views and log; its healing heals it; nothing of it is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.postgres.faults.application import Application
from tests.postgres.faults.catalogue import FAULTS
from tests.postgres.faults.companies import CLINIC, COMPANIES, FREIGHT, SHOP
from tests.postgres.faults.crowd import until
from tests.postgres.faults.locks import LEVELS
from tests.postgres.faults.looking import Shelf, both_versions, enters, log, named, plan, stays
from tests.postgres.faults.storage import BEHIND, WARNING

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shelf() -> Iterator[Shelf]:
    """Where data with an application in it is kept."""
    kept = Shelf()
    with kept.stack:
        yield kept


on_both = pytest.mark.parametrize("version", both_versions())


@on_both
def test_connections_are_exhausted_by_one_client(shelf: Shelf, version: str) -> None:
    with shelf.made("D01", SHOP, version) as (stage, truth):
        top = stage.rows(
            "select application_name, count(*), count(*) filter (where state = 'idle') from pg_stat_activity"
            " where datname = current_database() group by 1 order by 2 desc limit 1"
        )
        name, held, idle = top[0]
        assert truth.component == f"Client/shop/{name}"
        assert held > 10
        assert idle >= held - 2
        assert not enters(stage, SHOP.front)
        assert "remaining connection slots are reserved" in log(stage)
        if version == "18":
            assert psycopg.connect(stage.watcher()).close() is None
        truth.heal()
        until(lambda: enters(stage, SHOP.front), "a log-in that works")


def test_a_pool_is_exhausted_while_the_database_is_quiet(shelf: Shelf) -> None:
    with shelf.made("D02", CLINIC) as (stage, truth):
        assert "request timed out" in truth.said[0]
        states = "select count(*) from pg_stat_activity where state = "
        until(lambda: stage.one(f"{states} 'idle in transaction'") >= 4, "transactions that are kept open")
        assert stage.one(f"{states} 'active'") <= 4
        assert not stage.waiting()
        truth.heal()
        assert stays(lambda: len(truth.said))


@on_both
def test_a_chain_of_locks_hangs_on_a_session_that_does_nothing(shelf: Shelf, version: str) -> None:
    with shelf.made("D03", FREIGHT, version) as (stage, truth):
        (holder,) = truth.culprits
        blocked = stage.one(
            f"select count(*) from pg_stat_activity where {holder} = any(pg_blocking_pids(pid))"
        )
        assert blocked >= 6
        assert stage.one(LEVELS) >= 1
        assert stage.rows(f"select state from pg_stat_activity where pid = {holder}") == [
            ("idle in transaction",)
        ]
        held = (
            f"select count(*) from pg_locks where pid = {holder} and mode = 'AccessExclusiveLock' and granted"
        )
        assert stage.one(held) >= 1
        assert "still waiting for" in log(stage)
        truth.heal()
        until(lambda: not stage.waiting(), "a queue that is gone")


def test_two_orders_of_locking_deadlock(shelf: Shelf) -> None:
    with shelf.made("D04", SHOP) as (stage, truth):
        count = "select deadlocks from pg_stat_database where datname = current_database()"
        assert stage.one(count) >= 3
        text = log(stage)
        assert "deadlock detected" in text
        assert text.count(": update products set in_stock = in_stock + 1") >= 3
        truth.heal()
        assert stays(lambda: log(stage).count("deadlock detected"), settling=1.0)


def test_an_old_snapshot_keeps_dead_rows(shelf: Shelf) -> None:
    with shelf.made("D05", CLINIC) as (stage, truth):
        oldest = (
            "select pid from pg_stat_activity where backend_xmin is not null order by age(backend_xmin) desc"
        )
        assert stage.one(oldest) == truth.culprits[0]
        dead = "select n_dead_tup from pg_stat_user_tables where relname = 'room'"
        assert stage.one(dead) > CLINIC.hot.rows
        assert "dead but not yet removable" in log(stage)
        truth.heal()
        until(lambda: stage.one(dead) < CLINIC.hot.rows, "dead rows that are removed")


def test_a_dropped_index_makes_a_statement_slow(shelf: Shelf) -> None:
    with shelf.made("D06", FREIGHT) as (stage, truth):
        look = "select leg from consignment where waybill = 'WB88000777'"
        assert "Seq Scan" in str(plan(stage, look)["nodes"])
        assert "ci_deploy@tms_prod sqitch LOG:  statement: drop index consignment_waybill" in log(stage)
        scans = "select seq_scan from pg_stat_user_tables where relname = 'consignment'"
        assert stage.one(scans) > 3
        truth.heal()
        assert "consignment_waybill" in str(plan(stage, look)["nodes"])


def test_unused_indexes_make_updates_cold(shelf: Shelf) -> None:
    with shelf.made("D07", SHOP) as (stage, truth):
        assert len(truth.also) >= 10
        share = "n_tup_hot_upd::float / greatest(n_tup_upd, 1)"
        hot = f"select {share} from pg_stat_user_tables where relname = 'products'"
        assert stage.one(hot) < 0.5
        truth.heal()
        stage.rows("select pg_stat_reset_single_table_counters('products'::regclass)")
        until(lambda: stage.one(hot) > 0.5, "updates that touch no index")


def test_a_load_leaves_statistics_that_mislead(shelf: Shelf) -> None:
    with shelf.made("D08", FREIGHT) as (stage, truth):
        changed = "select n_mod_since_analyze from pg_stat_user_tables where relname = 'scan'"
        assert stage.one(changed) >= 40000

        def off() -> float:
            node = plan(stage, "select remark from scan where terminal = 'customs'", analyze=True)
            return float(node["Actual Rows"]) / float(node["Plan Rows"])  # type: ignore[arg-type]

        assert off() > 50
        truth.heal()
        assert off() < 2


def test_a_batch_job_storms_checkpoints(shelf: Shelf) -> None:
    with shelf.made("D09", CLINIC) as (stage, truth):
        assert log(stage).count(WARNING) >= 2
        assert named(stage, CLINIC.batch) == 1
        truth.heal()
        until(lambda: named(stage, CLINIC.batch) == 0, "a job that ends")
        assert stays(lambda: log(stage).count(WARNING))


@on_both
def test_a_cursor_on_the_replica_stops_replay(shelf: Shelf, version: str) -> None:
    with shelf.made("D10", SHOP, version) as (stage, truth):
        assert truth.replica
        assert stage.one(BEHIND) > 50_000
        end = stage.one("select pg_current_wal_lsn()")
        reached = f"select pg_last_wal_replay_lsn() >= '{end}'"
        assert stage.one(reached, truth.replica) is False
        truth.heal()
        until(lambda: stage.one(reached, truth.replica), "replay that goes on")


def test_the_replica_cancels_queries_that_hold_up_replay(shelf: Shelf) -> None:
    with shelf.made("D10-cancel", FREIGHT) as (stage, truth):
        assert truth.replica
        assert "canceling statement due to conflict with recovery" in log(stage, truth.replica)
        truth.heal()
        assert stays(lambda: log(stage, truth.replica).count("conflict with recovery"))


def test_a_slot_that_was_left_keeps_wal(shelf: Shelf) -> None:
    with shelf.made("D11", CLINIC) as (stage, truth):
        slots = dict(
            stage.rows("select slot_name, pg_current_wal_lsn() - restart_lsn from pg_replication_slots")
        )
        assert slots["archive_feed"] > 6 * 2**24 > 2**25 > slots["fhir_changes"]
        size = "select sum(size) from pg_ls_waldir()"
        before = stage.one(size)
        truth.heal()
        assert stage.one(size) < before / 2


def test_a_client_gives_the_password_from_before(shelf: Shelf) -> None:
    with shelf.made("D12", FREIGHT) as (stage, truth):
        assert 'password authentication failed for user "toll_app"' in log(stage)
        assert enters(stage, FREIGHT.api)
        assert not enters(stage, FREIGHT.front)
        truth.heal()
        assert stays(lambda: log(stage).count('failed for user "toll_app"'))


def test_a_migration_revokes_privileges(shelf: Shelf) -> None:
    with shelf.made("D13", CLINIC) as (stage, truth):
        assert "invoicing_svc@kis invoicing ERROR:  permission denied for table finding" in log(stage)
        truth.heal()
        assert stage.one("select has_table_privilege('invoicing_svc', 'finding', 'select')") is True
        assert stays(lambda: log(stage).count("permission denied"))


def test_a_role_is_missing(shelf: Shelf) -> None:
    with shelf.made("D13-role", SHOP) as (stage, truth):
        assert 'role "import_rw" does not exist' in log(stage)
        truth.heal()
        until(lambda: named(stage, SHOP.batch), "a client that is back")
        assert stays(lambda: log(stage).count("does not exist"), settling=0.3)


def test_a_client_writes_to_the_standby(shelf: Shelf) -> None:
    with shelf.made("D14", SHOP) as (stage, truth):
        assert stage.one("select pg_is_in_recovery()", truth.replica) is True
        assert "cannot execute INSERT in a read-only transaction" in log(stage, truth.replica)
        truth.heal()
        assert named(stage, SHOP.api, truth.replica) == 0
        assert "read-only" not in log(stage)


def test_a_setting_makes_sessions_read_only(shelf: Shelf) -> None:
    with shelf.made("D14-setting", FREIGHT) as (stage, truth):
        failed = "dispatch_app@tms_prod dispatch ERROR:  cannot execute INSERT in a read-only transaction"
        assert failed in log(stage)
        assert "tracking_app@tms_prod" not in log(stage)
        truth.heal()
        assert stays(lambda: log(stage).count("cannot execute INSERT"))


def test_a_client_asks_for_a_column_by_its_old_name(shelf: Shelf) -> None:
    with shelf.made("D15", CLINIC) as (stage, truth):
        assert 'scheduling_svc@kis scheduling ERROR:  column "minutes" does not exist' in log(stage)
        truth.heal()
        assert stays(lambda: log(stage).count('"minutes" does not exist'), settling=0.2)


@pytest.mark.parametrize("app", COMPANIES.values(), ids=COMPANIES)
def test_a_quiet_day_has_no_errors(shelf: Shelf, app: Application) -> None:
    with shelf.made("Z1", app) as (stage, truth):
        assert truth.component == ""
        assert not [worker.errors for worker in stage.crowd.workers if worker.errors]
        assert " ERROR: " not in log(stage)
        names = {name for (name,) in stage.rows("select application_name from pg_stat_activity")}
        everyday = (app.api, app.front, app.worker, app.report, app.person, app.exporter)
        assert names >= {client.name for client in everyday}
        with (
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
            psycopg.connect(stage.watcher()) as watching,
        ):
            watching.execute("create table notes (n integer)")


def test_a_chain_that_is_over_is_only_in_the_log(shelf: Shelf) -> None:
    with shelf.made("Z2", CLINIC) as (stage, _):
        assert "still waiting for" in log(stage)
        assert "terminating connection due to administrator command" in log(stage)
        until(lambda: not stage.waiting(), "no session that waits")


def test_maintenance_runs_blocks_nobody_and_ends_whole(shelf: Shelf) -> None:
    with shelf.stage("Z5", SHOP) as stage:
        with FAULTS["Z5"].make(stage) as truth:
            until(lambda: named(stage, SHOP.upkeep) == 2, "both jobs")
            theirs = f"pg_blocking_pids(pid) && array{list(truth.culprits)}"
            others = f"{theirs} and application_name <> 'reindexdb'"
            assert not stage.rows(f"select from pg_stat_activity where {others}")
        assert named(stage, SHOP.upkeep) == 0
        assert not stage.rows("select from pg_index where not indisvalid")


def test_every_fault_can_be_looked_at_from_a_shell() -> None:
    assert {f"D{n:02}" for n in range(1, 16)} | {"Z1", "Z2", "Z5"} <= set(FAULTS)
    command = [sys.executable, "-m", "tests.postgres.faults", "D03", "freight", "--with", "hold=0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as shown:
        assert shown.stdout
        lines = []
        for line in shown.stdout:
            if line.startswith("#"):
                break
            lines.append(line)
        said = yaml.safe_load("".join(lines))
        with psycopg.connect(said["servers"]["primary"]["watcher"]) as watching:
            blockers = "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
            assert watching.execute(blockers).fetchone()[0] >= 6
        assert said["truth"]["component"].startswith("Session/tms_prod/")
        # As a terminal does it: the server gets it too.
        os.killpg(shown.pid, signal.SIGINT)
        assert shown.stdout.read() == "ended\n"
    assert shown.returncode == 0
