"""Faults of tables and plans: an index too few, indexes too many, statistics that are old."""

import contextlib
import time
from collections.abc import Iterator

from tests.postgres.faults.application import Application
from tests.postgres.faults.crowd import crowd, until
from tests.postgres.faults.truth import Stage, Truth


@contextlib.contextmanager
def dropped_index(stage: Stage, before: float = 0.6, slower: float = 5.0) -> Iterator[Truth]:
    """D06: a migration drops the index that look-ups go by. `before`: seconds with it; `slower`: how many
    times the mean of the look-up must have grown."""
    app, deal = stage.app, stage.app.deal
    value = deal.value.format(n="%(n)s::integer")
    look = f"select {deal.key}, {deal.state} from {deal.table} where {deal.reference} = {value}"
    heavy = f"select {deal.state}, count(*), sum({deal.amount}) from {deal.table} group by {deal.state}"
    more = f"select {app.party.label} from {app.party.table} where {app.party.key} = %(n)s"
    with crowd(stage.server, app) as made:
        workers = [made.work(client, look, every=0.01) for client in (app.front, app.front, app.api)]
        made.work(app.report, heavy, every=0.2)
        time.sleep(before)
        first = _mean(stage, deal.reference)
        deploy = made.sit(app.deploy)
        deploy.execute(f"alter table {app.trail.table} add column {app.new_column} text")
        deploy.execute(f"drop index {deal.index}")
        made.work(app.api, more, every=0.005)
        until(lambda: _mean(stage, deal.reference) > slower * first, "a look-up that became slow")
        remedy = f"create index concurrently {deal.index} on {deal.table} ({deal.reference})"
        yield Truth(
            fault="D06",
            component=app.component("Index", deal.index),
            mechanism="the index that look-ups go by was dropped by a migration",
            remedy=remedy,
            heal=lambda: stage.operate(remedy),
            also=(app.component("Table", deal.table), app.component("Client", app.deploy.name)),
            distractors=(
                app.component("Client", app.report.name),
                app.component("Table", app.trail.table),
                app.component("Client", app.api.name),
            ),
            victims=tuple(worker.pid for worker in workers),
        )


def _mean(stage: Stage, column: str) -> float:
    """Milliseconds that statements which search by a column take on average."""
    like = f"query like 'select%where {column} = %'"
    query = f"select coalesce(sum(total_exec_time) / sum(calls), 1e9) from pg_stat_statements where {like}"
    return float(str(stage.one(query)))


@contextlib.contextmanager
def unused_indexes(stage: Stage) -> Iterator[Truth]:
    """D07: indexes nobody reads on a table that is written all the time, also on the columns that change."""
    app, hot = stage.app, stage.app.hot
    with crowd(stage.server, app) as made:
        deploy = made.sit(app.deploy)
        for columns in _combinations(app):
            deploy.execute(f"create index on {hot.table} ({columns})")
        change = f"update {hot.table} set {hot.count} = {hot.count} + 1, {hot.touched} = now()"
        made.work(app.batch, f"{change} where mod({hot.key}, 5) = mod(%(n)s::integer, 5)", every=0.1)
        for client in (app.worker, app.api):
            made.work(client, f"{change} where {hot.key} = %(n)s", every=0.005)
        busy = f"select {app.deal.state}, count(*) from {app.deal.table} group by 1"
        made.work(app.report, busy, every=0.2)
        until(lambda: _hot_share(stage) < 0.5, "updates that touch indexes")
        unused = _unused(stage)
        yield Truth(
            fault="D07",
            component=app.component("Table", hot.table),
            mechanism="indexes that nobody reads are written with every update, none of which is HOT",
            remedy="; ".join(f"drop index {name}" for name in unused),
            heal=lambda: stage.operate(*(f"drop index concurrently {name}" for name in unused)),
            also=tuple(app.component("Index", name) for name in unused),
            distractors=tuple(app.component("Client", client.name) for client in (app.report, app.batch)),
        )


def _combinations(app: Application) -> list[str]:
    hot = app.hot
    first, second, third = hot.spare
    return [
        hot.count, hot.touched, first, second, third,
        f"{first}, {hot.count}", f"{second}, {hot.touched}", f"{third}, {hot.count}",
        f"{hot.touched} desc, {hot.key}", f"{first}, {second}, {third}", f"{hot.count}, {hot.touched}",
    ]  # fmt: skip


def _hot_share(stage: Stage) -> float:
    share = "n_tup_hot_upd::float / greatest(n_tup_upd, 1)"
    query = f"select case when n_tup_upd > {stage.app.hot.rows} then {share} else 1 end"
    return float(str(stage.one(f"{query} from pg_stat_user_tables where relname = '{stage.app.hot.table}'")))


def _unused(stage: Stage) -> list[str]:
    query = (
        "select s.indexrelname from pg_stat_user_indexes s join pg_index i using (indexrelid)"
        f" where s.relname = '{stage.app.hot.table}' and s.idx_scan = 0 and not i.indisunique order by 1"
    )
    return [str(name) for (name,) in stage.rows(query)]


@contextlib.contextmanager
def old_statistics(stage: Stage, loaded: int = 40000) -> Iterator[Truth]:
    """D08: a load of `loaded` rows of a kind the table did not have, after which nothing was analyzed."""
    app, trail, deal = stage.app, stage.app.trail, stage.app.deal
    joined = (
        f"select d.{deal.state}, count(*) from {trail.table} t join {deal.table} d"
        f" on d.{deal.key} = t.{trail.deal} where t.{trail.kind} = '{app.new_state}' group by 1"
    )
    with crowd(stage.server, app) as made:
        deploy = made.sit(app.deploy)
        deploy.execute(f"alter table {trail.table} set (autovacuum_enabled = off)")
        deploy.execute(f"alter table {app.party.table} add column {app.new_column} text")
        deploy.execute(f"create index on {deal.table} ({deal.state}, {deal.at})")
        loader = made.sit(app.batch)
        loader.execute(f"delete from {trail.table} where {trail.key} % 3 <> 0")
        loader.execute(
            f"insert into {trail.table} ({trail.deal}, {trail.kind}, {trail.note})"
            f" select 1 + n % {deal.rows}, '{app.new_state}', 'file ' || n % 50"
            f" from generate_series(1, {loaded}) n"
        )
        loader.close()
        reader = made.work(app.report, joined, every=0.2)
        made.work(app.front, f"select {deal.state} from {deal.table} where {deal.key} = %(n)s", every=0.01)
        until(lambda: _modified(stage) >= loaded and reader.done, "rows that are not in the statistics")
        remedy = f"analyze {trail.table}"
        yield Truth(
            fault="D08",
            component=app.component("Table", trail.table),
            mechanism="its statistics are from before a bulk load, and autovacuum is off for it",
            remedy=remedy,
            heal=lambda: stage.operate(f"alter table {trail.table} reset (autovacuum_enabled)", remedy),
            also=(app.component("Client", app.batch.name),),
            distractors=(
                app.component("Table", deal.table),
                app.component("Client", app.deploy.name),
                app.component("Table", app.hot.table),
            ),
            victims=(reader.pid,),
        )


def _modified(stage: Stage) -> int:
    table = stage.app.trail.table
    query = f"select n_mod_since_analyze from pg_stat_user_tables where relname = '{table}'"
    return int(str(stage.one(query)))
