"""Faults of locks and snapshots: who holds what for how long, and in which order."""

import contextlib
import threading
import time
from collections.abc import Iterator

import psycopg

from tests.postgres.faults.application import Application, Client
from tests.postgres.faults.crowd import Crowd, Step, crowd, until
from tests.postgres.faults.truth import Stage, Truth

LEVELS = """
select count(*) from pg_stat_activity a where wait_event_type = 'Lock' and exists (
    select from pg_stat_activity b where b.pid = any(pg_blocking_pids(a.pid)) and b.wait_event_type = 'Lock')
"""
"""How many sessions wait for one that waits itself."""
LEFT_OPEN = """
select pg_terminate_backend(pid) from pg_stat_activity
where state = 'idle in transaction' and state_change < now() - interval '200 ms'
"""


@contextlib.contextmanager
def lock_chain(stage: Stage, hold: float = 0.3) -> Iterator[Truth]:
    """D03: a migration altered the large table and was not committed. `hold`: seconds that the chain must
    stand, more than deadlock_timeout for the log to have it."""
    app, deal = stage.app, stage.app.deal
    with crowd(stage.server, app) as made:
        elder = open_transaction(made, app.person, app)
        holder = made.sit(app.deploy)
        holder.execute("begin")
        holder.execute(f"alter table {deal.table} add column {app.new_column} text")
        _queue_up(made, app)
        until(lambda: len(stage.waiting()) >= 7 and stage.one(LEVELS), "sessions that wait in levels")
        time.sleep(hold)
        pid = holder.info.backend_pid
        remedy = f"select pg_terminate_backend({pid})"
        yield Truth(
            fault="D03",
            component=app.component("Session", pid),
            mechanism="idle in transaction with ACCESS EXCLUSIVE on the table that the others want",
            remedy=remedy,
            heal=lambda: stage.operate(remedy),
            also=(app.component("Table", deal.table), app.component("Client", app.deploy.name)),
            distractors=(app.component("Session", elder), app.component("Client", app.worker.name)),
            culprits=(pid,),
            victims=stage.waiting(),
        )


@contextlib.contextmanager
def recovered(stage: Stage, ago: float = 1.0) -> Iterator[Truth]:
    """Z2: such a chain, ended `ago` seconds before; its log lines stay."""
    with lock_chain(stage) as chain:
        chain.heal()
        stage.operate(LEFT_OPEN)
        time.sleep(ago)
        yield Truth(
            fault="Z2",
            component="",
            mechanism="a chain of lock waits that is over",
            remedy="nothing",
            heal=lambda: None,
            distractors=(chain.component, *chain.also),
        )


@contextlib.contextmanager
def deadlocks(stage: Stage, times: int = 3) -> Iterator[Truth]:
    """D04: one client changes pairs of rows in descending order, all others in ascending order. `times`:
    deadlocks that must have happened."""
    app, hot = stage.app, stage.app.hot
    take = f"update {hot.table} set {hot.count} = {hot.count} - 1 where {hot.key} = %s"
    give = f"update {hot.table} set {hot.count} = {hot.count} + 1, {hot.touched} = now() where {hot.key} = %s"
    released = threading.Event()
    with crowd(stage.server, app) as made:
        ascending = [made.work(client, _pair(take, (41, 42))) for client in (app.api, app.front)]
        ascending += [made.work(client, _pair(take, (42, 43))) for client in (app.api, app.front)]
        other = made.work(app.worker, _pair(give, (42, 41), released))
        until(lambda: int(str(stage.one(COUNT))) >= times, "deadlocks")
        yield Truth(
            fault="D04",
            component=app.component("Client", app.worker.name),
            mechanism="locks rows in the opposite order of every other client",
            remedy="the release before, which locked in ascending order",
            heal=released.set,
            also=(app.component("Table", hot.table),),
            distractors=tuple(app.component("Client", client.name) for client in (app.api, app.front)),
            culprits=(other.pid,),
            victims=tuple(worker.pid for worker in ascending),
        )


COUNT = "select deadlocks from pg_stat_database where datname = current_database()"


@contextlib.contextmanager
def old_snapshot(stage: Stage, every: float = 0.4) -> Iterator[Truth]:
    """D05: a report read something in REPEATABLE READ and sits, while all rows of a table are updated
    `every` so many seconds: autovacuum may not remove the dead ones."""
    app, hot = stage.app, stage.app.hot
    with crowd(stage.server, app) as made:
        elder = open_transaction(made, app.person, app)
        sitting = open_transaction(made, app.report, app, "begin isolation level repeatable read")
        change = f"update {hot.table} set {hot.count} = {hot.count} + 1, {hot.touched} = now()"
        made.work(app.batch, change, every=every)
        until(lambda: "dead but not yet removable" in stage.server.log.read_text(), "autovacuum that fails")
        until(lambda: _dead(stage) > 2 * hot.rows, "dead rows that stay")
        remedy = f"select pg_terminate_backend({sitting})"
        yield Truth(
            fault="D05",
            component=app.component("Session", sitting),
            mechanism="idle in transaction with an old snapshot, so that dead rows cannot be removed",
            remedy=f"{remedy}; vacuum {hot.table}",
            heal=lambda: stage.operate(remedy, f"vacuum {hot.table}"),
            also=(app.component("Table", hot.table), app.component("Client", app.report.name)),
            distractors=(
                app.component("Session", elder),
                app.component("Client", app.batch.name),
                "autovacuum",
            ),
            culprits=(sitting,),
        )


def _dead(stage: Stage) -> int:
    table = stage.app.hot.table
    return int(str(stage.one(f"select n_dead_tup from pg_stat_user_tables where relname = '{table}'")))


def open_transaction(made: Crowd, client: Client, app: Application, begin: str = "begin") -> int:
    """A session idle in transaction after it read from the party table; its pid."""
    seat = made.sit(client)
    seat.execute(begin)
    seat.execute(f"select {app.party.label} from {app.party.table} order by {app.party.key} limit 10")
    return seat.info.backend_pid


def _queue_up(made: Crowd, app: Application) -> None:
    """Readers and writers of the large table, one of which holds a row that another one wants."""
    deal, hot = app.deal, app.hot
    look = f"select {deal.state}, {deal.at} from {deal.table} where {deal.key} = %(n)s"
    change = f"update {deal.table} set {deal.amount} = {deal.amount} + 1 where {deal.key} = %(n)s"
    for client, statement in ((app.front, look), (app.front, look), (app.api, change), (app.report, look)):
        made.work(client, statement)
    made.work(app.api, change)
    made.work(app.batch, look)
    row = f"update {hot.table} set {hot.count} = {hot.count} + 1 where {hot.key} = %(n)s"

    def both(connection: psycopg.Connection) -> None:
        with connection.transaction():
            connection.execute(row, {"n": 7})
            connection.execute(change, {"n": 7})

    made.work(app.worker, both)
    made.work(app.front, lambda connection: connection.execute(row, {"n": 7}))


def _pair(statement: str, keys: tuple[int, int], sort: threading.Event | None = None) -> Step:
    """Change two rows in one transaction, in that order, or sorted once the event is set."""

    def step(connection: psycopg.Connection) -> None:
        order = sorted(keys) if sort and sort.is_set() else keys
        with connection.transaction():
            for key in order:
                connection.execute(statement, [key])
                time.sleep(0.05)

    return step
