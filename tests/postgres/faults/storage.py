"""Faults of WAL and of what reads it: a writer of too much, a replica that cannot replay, a slot nobody
reads."""

import contextlib
from collections.abc import Iterator

import psycopg

from tests.postgres.faults.application import Application
from tests.postgres.faults.crowd import Crowd, Step, crowd, until
from tests.postgres.faults.truth import Stage, Truth
from tests.postgres.server import Server, replica_of

LOST = "select confl_snapshot from pg_stat_database_conflicts where datname = current_database()"
RETAINED = "select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) from pg_replication_slots"
STUCK = """
select from pg_stat_activity where backend_type = 'startup'
and (wait_event like 'RecoveryConflict%' or wait_event = 'BufferPin')
"""
"""Replay waits for a snapshot, or for the page that a cursor stands on: which of them comes first varies."""
WARNING = "checkpoints are occurring too frequently"
SMALL = ("alter system set min_wal_size = '32MB'", "alter system set max_wal_size = '32MB'")
BEHIND = "select pg_wal_lsn_diff(sent_lsn, replay_lsn) from pg_stat_replication"


@contextlib.contextmanager
def checkpoint_storm(stage: Stage, rows: int = 60000) -> Iterator[Truth]:
    """D09: a batch job fills its table with `rows` again and again, and WAL faster than checkpoints like."""
    app = stage.app
    stage.server.run(*SMALL, "select pg_reload_conf()")
    with crowd(stage.server, app) as made:
        busy = f"select {app.deal.state}, count(*), avg({app.deal.amount}) from {app.deal.table} group by 1"
        made.work(app.report, busy, every=0.05)
        writer = made.work(app.batch, _load(app, rows), every=0.05)
        until(lambda: stage.server.log.read_text().count(WARNING) > 1, "warnings")
        pid = writer.pid
        remedy = f"select pg_terminate_backend({pid})"

        def heal() -> None:
            writer.leaving.set()
            stage.operate(remedy)

        yield Truth(
            fault="D09",
            component=app.component("Client", app.batch.name),
            mechanism="a batch job writes WAL faster than max_wal_size allows between checkpoints",
            remedy=f"stop the job; {remedy}",
            heal=heal,
            also=(app.component("Session", pid), app.component("Table", app.intake.table)),
            distractors=tuple(app.component("Client", client.name) for client in (app.report, app.worker)),
            culprits=(pid,),
        )


def _load(app: Application, rows: int) -> Step:
    table, columns = app.intake.table, ", ".join(app.intake.columns)
    texts = "'L' || n, n % 900, repeat('offer ' || n % 70 || ' ', 20)"
    fill = f"select {texts} from generate_series(1, {rows}) n"

    def step(connection: psycopg.Connection) -> None:
        # Two transactions: rows for a table emptied in the same one would not be logged in full.
        connection.execute(f"truncate {table}")
        connection.execute(f"insert into {table} ({columns}) {fill}")

    return step


@contextlib.contextmanager
def replay_lag(stage: Stage, behind: int = 100_000, every: float = 1.0) -> Iterator[Truth]:
    """D10: a report's open cursor on the replica stops replay, which waits for it. `behind`: bytes of WAL
    that the replica must lack; `every`: seconds from one update of all rows to the next."""
    app = stage.app
    with (
        _replica(stage) as replica,
        crowd(stage.server, app) as made,
    ):
        _readers(made, replica)
        report = made.sit(app.report, replica)
        report.execute("begin")
        report.execute(f"declare export cursor for select * from {app.hot.table} order by {app.hot.key}")
        report.execute("fetch 100 from export")
        made.work(app.upkeep, _churn(app), every=every)
        until(lambda: stage.rows(STUCK, replica), "replay that waits")
        until(lambda: int(str(stage.one(BEHIND))) > behind, "a replica that is behind")
        pid = report.info.backend_pid
        remedy = f"select pg_terminate_backend({pid})"
        yield Truth(
            fault="D10",
            component=app.component("Session", pid),
            mechanism="its open cursor on the replica needs rows that replay would remove, so replay waits",
            remedy=f"on the replica: {remedy}",
            heal=lambda: stage.operate(remedy, server=replica),
            also=(app.component("Client", app.report.name), app.component("Server", "replica")),
            distractors=(
                app.component("Client", app.upkeep.name),
                app.component("Client", app.front.name),
                "network",
            ),
            culprits=(pid,),
            replica=replica,
        )


@contextlib.contextmanager
def recovery_conflict(stage: Stage, delay: str = "100ms", lost: int = 2) -> Iterator[Truth]:
    """D10-cancel: the replica lets a query hold up replay for `delay` only and then cancels it; the report
    needs longer. `lost`: queries that must have been cancelled."""
    app, hot, deal = stage.app, stage.app.hot, stage.app.deal
    weekly = (
        f"select {hot.spare[0]}, count(*), avg({deal.amount}) from {hot.table} h join {deal.table} d"
        f" on d.{deal.hot} = h.{hot.key} cross join generate_series(1, 25) week group by 1"
    )
    with _replica(stage) as replica, crowd(stage.server, app) as made:
        replica.run(f"alter system set max_standby_streaming_delay = '{delay}'", "select pg_reload_conf()")
        _readers(made, replica)
        report = made.work(app.report, weekly, every=0.05, server=replica)
        made.work(app.upkeep, _churn(app), every=0.2)
        until(lambda: int(str(stage.one(LOST, replica))) >= lost, "queries that are cancelled")

        def heal() -> None:
            replica.run("alter system reset max_standby_streaming_delay", "select pg_reload_conf()")

        yield Truth(
            fault="D10-cancel",
            component=app.component("Setting", "max_standby_streaming_delay"),
            mechanism="queries on the replica are cancelled once replay has waited for them that long",
            remedy="on the replica: alter system reset max_standby_streaming_delay; select pg_reload_conf()",
            heal=heal,
            also=(app.component("Server", "replica"), app.component("Table", hot.table)),
            distractors=tuple(app.component("Client", client.name) for client in (app.upkeep, app.front)),
            victims=(report.pid,),
            replica=replica,
        )


@contextlib.contextmanager
def _replica(stage: Stage) -> Iterator[Server]:
    with replica_of(stage.server, max_standby_archive_delay="-1") as replica:
        yield replica


def _readers(made: Crowd, replica: Server) -> None:
    """Everyday sessions on the replica."""
    app = made.app
    look = f"select {app.party.label} from {app.party.table} where {app.party.key} = %(n)s"
    for client in (app.front, app.front, app.worker):
        made.work(client, look, server=replica)


def _churn(app: Application) -> Step:
    """Update all rows of the hot table and remove what is dead."""

    def step(connection: psycopg.Connection) -> None:
        connection.execute(f"update {app.hot.table} set {app.hot.touched} = now()")
        connection.execute(f"vacuum {app.hot.table}")

    return step


@contextlib.contextmanager
def left_slot(stage: Stage, switches: int = 8) -> Iterator[Truth]:
    """D11: a consumer of changes is gone and its slot keeps WAL, `switches` files of it; a second slot is
    inactive as often, as its consumer reads now and then."""
    app, trail = stage.app, stage.app.trail
    stage.server.run(*SMALL, "select pg_reload_conf()")
    with crowd(stage.server, app) as made, stage.server.connect(dbname=app.database) as root:
        root.execute(f"create publication {app.polled} for table {trail.table}")
        for slot in (app.slot, app.polled):
            made.sit(app.change_reader).execute(
                f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
            )
        made.work(app.change_reader, _poll(app), every=0.3)
        for n in range(switches):
            stage.operate(f"insert into {trail.table} ({trail.deal}, {trail.kind}) values ({n + 1}, 'x')")
            root.execute("select pg_switch_wal()")
            root.execute("checkpoint")

        def kept(slot: str) -> int:
            # What a slot may let go is decided where a checkpoint noted which transactions ran.
            root.execute("checkpoint")
            return int(str(stage.one(f"{RETAINED} where slot_name = '{slot}'")))

        until(lambda: kept(app.slot) > (switches - 1) * 2**24, "WAL that is kept")
        until(lambda: kept(app.polled) < 2**24, "WAL that the other slot lets go")
        remedy = f"select pg_drop_replication_slot('{app.slot}')"
        yield Truth(
            fault="D11",
            component=app.component("ReplicationSlot", app.slot),
            mechanism="an inactive slot of a consumer that is gone keeps WAL",
            remedy=remedy,
            heal=lambda: stage.operate(remedy, "checkpoint"),
            distractors=(
                app.component("ReplicationSlot", app.polled),
                app.component("Table", trail.table),
            ),
        )


def _poll(app: Application) -> str:
    given = f"'proto_version', '1', 'publication_names', '{app.polled}'"
    return f"select count(*) from pg_logical_slot_get_binary_changes('{app.polled}', null, null, {given})"
