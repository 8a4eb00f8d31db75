"""What the tool `tables` tells on real servers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tools.database._bloat import bloats
from tools.database.signals.tables import table_signals
from tools.database.tables import tables

from opssquad import Rows, ToolError, parse_time
from tests.postgres.server import Server, running
from tests.tools.database.looked import grave, look, one, signals, until, value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that vacuums nothing by itself."""
    with running(autovacuum="off") as made:
        yield made


def counted(server: Server, table: str, column: str, least: int, dbname: str = "postgres") -> None:
    """Wait until statistics tell it: sessions flush them when they end, at the latest."""
    query = f"select {column} >= {least} from pg_stat_user_tables where relname = '{table}'"
    until(lambda: value(server, query, dbname), f"{column} of {table}")


def filled(server: Server, table: str, rows: int, more: str = "") -> None:
    server.run(
        f"create table {table} (id int primary key, code int, note text) {more}",
        f"insert into {table} select n, n % 100, 'note ' || n from generate_series(1, {rows}) n",
    )
    if "partition" not in more:
        # What is flushed after a vacuum has counted would be counted twice.
        counted(server, table, "n_tup_ins", rows)


def test_dead_rows_are_told_with_their_share(server: Server) -> None:
    filled(server, "worn", 4000)
    server.run("vacuum analyze worn", "update worn set code = code + 1 where id <= 2000")
    counted(server, "worn", "n_dead_tup", 2000)
    signal = one(look(server, tables, table="worn"), "table.dead_rows")
    assert str(signal.entity) == "Table/postgres/public.worn"
    assert (signal.data["dead"], signal.data["live"]) == (2000, 4000)
    assert signal.data["share"] == pytest.approx(1 / 3, abs=0.001)
    assert signal.data["last_autovacuum"] == ""
    assert parse_time(signal.data["last_vacuum"])


def test_a_table_that_vacuum_forgot_is_told_a_day_later(server: Server) -> None:
    filled(server, "forgotten", 3000)
    server.run("vacuum forgotten", "delete from forgotten where id <= 2000")
    counted(server, "forgotten", "n_dead_tup", 2000)
    found = look(server, tables, table="forgotten")
    assert not signals(found, "table.not_vacuumed")
    # The same rows, seen when a day has gone by.
    with server.connect() as connection:
        row = connection.execute(
            "select row_to_json(s) from pg_stat_user_tables s where relname = 'forgotten'"
        ).fetchone()
    assert row
    own = {**row[0], "schema": "public", "table": "forgotten", "options": None, "xid_age": 1, "indexes": 1}
    own |= {"planner_rows": 3000, "planner_size": 1, "heap_size": 1}
    later = parse_time(own["last_vacuum"]) + timedelta(days=2)
    told = table_signals(Rows("tables", "postgres", [own]), Rows("indexes", "postgres"), {}, None, later)
    (signal,) = [each for each in told if each.id == "table.not_vacuumed"]
    assert signal.at == parse_time(own["last_vacuum"])


def test_statistics_from_before_a_load_are_stale(server: Server) -> None:
    filled(server, "loaded", 2000, "with (autovacuum_enabled = off)")
    server.run("analyze loaded", "insert into loaded select n from generate_series(3000, 30000) n")
    counted(server, "loaded", "n_mod_since_analyze", 27001)
    found = look(server, tables, table="loaded")
    signal = one(found, "table.stale_statistics")
    assert signal.data["modified"] == 27001
    assert signal.data["rows"] == 29001
    assert signal.data["planner_rows"] == 2000
    assert signal.data["autovacuum_off"] is True
    assert parse_time(signal.data["last_analyze"])
    assert one(found, "table.autovacuum_off").data["options"] == ["autovacuum_enabled=off"]
    server.run("analyze loaded")
    assert not signals(look(server, tables, table="loaded"), "table.stale_statistics")


def test_a_table_that_was_never_analyzed_is_stale(server: Server) -> None:
    filled(server, "fresh", 5000)
    counted(server, "fresh", "n_live_tup", 5000)
    signal = one(look(server, tables, table="fresh"), "table.stale_statistics")
    assert signal.data["last_analyze"] == ""
    assert "never analyzed" in signal.text


def test_whole_reads_of_a_large_table_are_counted(server: Server) -> None:
    server.run("create table searched (id int, code int)")
    server.run("insert into searched select n, n % 100 from generate_series(1, 6000) n")
    server.run(*["select count(*) from searched where code = 3"] * 6)
    counted(server, "searched", "seq_scan", 6)
    signal = one(look(server, tables, table="searched"), "table.sequential_scans")
    assert (signal.data["scans"], signal.data["rows_per_scan"]) == (6, 6000)
    assert signal.severity == "info"


def test_a_heap_of_deleted_rows_is_bloated_until_it_is_written_anew(server: Server) -> None:
    server.run(
        "create unlogged table swollen (id int, note text)",
        "insert into swollen select n, repeat('x', 900) from generate_series(1, 80000) n",
        "delete from swollen where id % 20 <> 0",
        "vacuum analyze swollen",
    )
    signal = one(look(server, tables, table="swollen"), "table.bloated")
    assert signal.data["share"] == pytest.approx(0.95, abs=0.02)
    assert signal.data["estimated"] is True
    server.run("vacuum full swollen", "analyze swollen")
    assert not signals(look(server, tables, table="swollen"), "table.bloated")


def test_a_full_table_is_estimated_without_bloat(server: Server) -> None:
    """Rows of several kinds, also with nulls, columns gone, and a fill factor."""
    server.run(
        "create table mixed (a int, b text, c numeric, d timestamptz, e uuid) with (fillfactor = 70)",
        "alter table mixed drop column e",
        "insert into mixed select n, nullif(repeat('y', n % 40), ''), n * 1.5, now()"
        " from generate_series(1, 40000) n",
        "analyze mixed",
    )
    with server.connect() as connection:
        heap = value(server, "select pg_relation_size('mixed')")
        row = connection.execute(
            "select reltuples, relpages, reloptions from pg_class where relname = 'mixed'"
        ).fetchone()
        width = value(server, "select sum(avg_width)::int from pg_stats where tablename = 'mixed'")
    assert row
    where = {"schema": "public", "table": "mixed"}
    own = {
        **where,
        "heap_size": heap,
        "planner_rows": row[0],
        "planner_size": row[1] * 8192,
        "options": row[2],
    }
    (estimate,) = bloats([own], [{**where, "width": width}]).values()
    assert estimate.share < 0.15


def test_many_indexes_that_nobody_reads_are_told_with_the_writes(server: Server) -> None:
    filled(server, "busy", 2000)
    server.run(
        *(f"create index busy_{n} on busy (code, (id % {n}))" for n in range(2, 8)),
        "analyze busy",
        "update busy set code = code + 1",
        *(f"select * from busy where id = {n}" for n in range(60)),
    )
    counted(server, "busy", "idx_scan", 50)
    signal = one(look(server, tables, table="busy"), "table.many_indexes")
    assert (signal.data["indexes"], signal.data["unused"]) == (7, 6)
    assert signal.data["writes"] == 4000
    assert signal.data["hot_share"] == 0


def test_a_table_just_loaded_has_not_too_many_indexes(server: Server) -> None:
    filled(server, "restored", 3000)
    server.run(*(f"create index restored_{n} on restored (code, (id % {n}))" for n in range(2, 8)))
    counted(server, "restored", "n_live_tup", 3000)
    assert not signals(look(server, tables, table="restored"), "table.many_indexes")


def test_names_with_capitals_quotes_dots_and_unicode(server: Server) -> None:
    name = 'Bestell "Übersicht".2024'
    quoted = '"Bestell ""Übersicht"".2024"'
    server.run('create schema "Shop"', f'create table "Shop".{quoted} (a int)')
    server.run(f'insert into "Shop".{quoted} select generate_series(1, 2000)')
    counted(server, name, "n_live_tup", 2000)
    found = [each for each in look(server, tables).signals if name in each.owner.name]
    assert {str(each.entity) for each in found} == {f"Table/postgres/Shop.{name}"}


def test_a_table_in_detail_has_columns_indexes_and_foreign_keys(server: Server) -> None:
    server.run(
        "create table parent (id int primary key)",
        "create table child (id int primary key, parent int not null references parent)",
    )
    found = look(server, tables, table="public.child").text
    assert "parent integer not null" in found
    assert "(no index)" in found
    assert "child_pkey" in found
    assert "Referred to by: public.child" in look(server, tables, table="parent").text


def test_a_table_that_is_not_there_is_told_with_the_nearest(server: Server) -> None:
    server.run("create table customers (id int)")
    with pytest.raises(ToolError, match=r"nearest: .*public\.customers"):
        look(server, tables, table="custmers")


def test_partitions_are_told_each_and_their_parent_has_no_age(server: Server) -> None:
    server.run(
        "create table events (id int, at date) partition by range (at)",
        "create table events_1 partition of events for values from ('2024-01-01') to ('2025-01-01')",
        "insert into events select n, '2024-05-01' from generate_series(1, 3000) n",
        "analyze events",
    )
    assert "A partition of public.events." in look(server, tables, table="events_1").text
    assert not [each for each in look(server, tables).signals if each.owner.name == "public.events"]


def test_a_locked_table_is_not_waited_for(server: Server) -> None:
    filled(server, "locked", 10)
    with server.connect() as holder, holder.transaction():
        holder.execute("lock table locked")
        assert "locked" in look(server, tables, table="locked").text


def test_an_empty_database_and_a_light_load_show_nothing(server: Server) -> None:
    server.run("create database quiet")
    assert look(server, tables, dbname="quiet").text.startswith("No table is in quiet.")
    server.run(
        "create table notes (id int primary key, body text)",
        "insert into notes select n, 'note' from generate_series(1, 5000) n",
        "vacuum analyze notes",
        *(f"update notes set body = 'new' where id = {n}" for n in range(100)),
        "delete from notes where id < 20",
        "select count(*) from notes",
        dbname="quiet",
    )
    counted(server, "notes", "n_tup_del", 19, "quiet")
    found = look(server, tables, dbname="quiet")
    assert not found.signals
    assert not grave(found)


def test_thousands_of_tables_are_told_quickly_and_shortly(server: Server) -> None:
    server.run("create database large")
    made = "execute format('create table t%s (a int, b int)', n)"
    blocks = [
        f"do $$ begin for n in {n}..{n + 299} loop {made}; end loop; end $$" for n in range(0, 1500, 300)
    ]
    server.run(*blocks, dbname="large")
    found = look(server, tables, dbname="large")
    assert found.text.startswith("1500 tables")
    assert "and 1486 more tables" in found.text
