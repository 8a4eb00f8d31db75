"""What the tool `indexes` tells on real servers."""

from collections.abc import Iterator

import psycopg
import pytest
from tools.database._definitions import definition
from tools.database.indexes import indexes

from tests.postgres.server import Server, running
from tests.tools.database.looked import client, look, one, signals, until, value, waiting


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that counts statements."""
    with running(autovacuum="off") as made:
        made.run("create extension pg_stat_statements")
        yield made


@pytest.fixture(autouse=True)
def counted_anew(server: Server) -> None:
    server.run("select pg_stat_statements_reset()")


def read(server: Server, table: str, scans: int) -> None:
    """Wait until statistics tell of the scans."""
    query = f"select seq_scan + coalesce(idx_scan, 0) from pg_stat_user_tables where relname = '{table}'"
    until(lambda: int(str(value(server, query))) >= scans, f"scans of {table}")


def orders(server: Server, name: str, rows: int = 60_000) -> None:
    server.run(
        f"create table {name} (id int primary key, customer int, state text, note text)",
        f"insert into {name} select n, n % 1000, 'new', repeat('x', 100) from generate_series(1, {rows}) n",
        f"analyze {name}",
    )


def test_an_index_that_statements_need_is_missing(server: Server) -> None:
    orders(server, "sought")
    server.run(*["select * from sought where customer = 7 and note = 'y'"] * 8)
    read(server, "sought", 8)
    signal = one(look(server, indexes, table="sought"), "index.missing")
    assert str(signal.entity) == str(signal.owner) == "Table/postgres/public.sought"
    assert signal.data["columns"] == ["customer", "note"]
    assert (signal.data["schema"], signal.data["table"]) == ("public", "public.sought")
    assert signal.data["calls"] == 8
    assert "customer = $1" in signal.data["statement"]
    server.run("create index on sought (customer)")
    assert not signals(look(server, indexes, table="sought"), "index.missing")


def test_a_partial_index_for_other_statements_does_not_do(server: Server) -> None:
    orders(server, "partly")
    server.run("create index on partly (customer) where state = 'old'")
    server.run(*["select * from partly where customer = 7"] * 8)
    read(server, "partly", 8)
    assert one(look(server, indexes, table="partly"), "index.missing").data["column"] == "customer"


def test_a_running_statement_is_evidence_where_none_are_counted() -> None:
    with running(shared_preload_libraries="") as bare:
        orders(bare, "sought")
        bare.run(*["select * from sought where customer = 7"] * 6)
        read(bare, "sought", 6)
        slow = "select *, pg_sleep(1) from sought where customer = 7"
        with client(bare, "shop") as shop, waiting(shop, slow):
            found = look(bare, indexes)
        assert one(found, "index.missing").data["calls"] == 0
        assert found.data["unread"][0]["what"] == "statements"


def test_the_key_of_a_partitioned_table_is_missing_there(server: Server) -> None:
    server.run(
        "create table events (id int, kind text, at date) partition by range (at)",
        "create table events_1 partition of events for values from ('2024-01-01') to ('2025-01-01')",
        "insert into events select n, 'k' || n % 500, '2024-05-01' from generate_series(1, 100000) n",
        "analyze events",
        *["select count(*) from events where kind = 'k7'"] * 8,
    )
    read(server, "events_1", 8)
    found = look(server, indexes)
    assert [
        each.data["column"] for each in signals(found, "index.missing") if "events" in each.owner.name
    ] == ["kind"]
    assert one(look(server, indexes, table="events"), "index.missing").owner.name == "public.events"
    server.run("create index on events (kind)")
    assert not [
        each for each in signals(look(server, indexes), "index.missing") if "events" in each.owner.name
    ]


def test_a_failed_concurrent_build_leaves_an_invalid_index(server: Server) -> None:
    server.run("create table twice (a int)", "insert into twice values (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.run("create unique index concurrently twice_a on twice (a)")
    signal = one(look(server, indexes), "index.invalid")
    assert str(signal.entity) == "Index/postgres/public.twice_a"
    assert str(signal.owner) == "Table/postgres/public.twice"
    server.run("drop index twice_a")


def test_an_index_that_is_being_built_is_not_invalid(server: Server) -> None:
    server.run('create table "Bau Ü" (a int)', 'insert into "Bau Ü" values (1)')
    with client(server, "writer") as writer, client(server, "deploy") as deploy, writer.transaction():
        writer.execute('insert into "Bau Ü" values (2)')
        with waiting(deploy, 'create index concurrently "Bau Index" on "Bau Ü" (a)'):
            until(
                lambda: value(server, "select count(*) from pg_index where not indisvalid"),
                "an index that is not valid yet",
            )
            found = look(server, indexes)
    assert not signals(found, "index.invalid")
    assert "Being built on" in found.text
    server.run('drop index if exists "Bau Index"')


def test_indexes_that_nobody_reads_are_told_since_when(server: Server) -> None:
    orders(server, "unread", 2000)
    server.run("create index unread_state on unread (state)", "update unread set customer = 1")
    server.run(*(f"select * from unread where id = {n}" for n in range(60)))
    read(server, "unread", 60)
    signal = one(look(server, indexes, table="unread"), "index.unused")
    assert str(signal.entity) == "Index/postgres/public.unread_state"
    assert signal.severity == "info"
    assert "since statistics began" in signal.text
    server.run("select pg_stat_reset()")
    assert "were not read since 0 s ago" in look(server, indexes, table="unread").text


def test_needless_indexes_are_told_with_the_one_that_does(server: Server) -> None:
    server.run(
        "create table copies (id int primary key, a int, b int, c text)",
        "create index copies_a on copies (a)",
        "create index copies_ab on copies (a, b)",
        "create index copies_ab2 on copies (a, b)",
        "create index copies_a_part on copies (a) where b > 1",
        "create index copies_b on copies (b desc)",
        "create index copies_lower on copies (lower(c), a)",
        "create index copies_hash on copies using hash (a)",
        "create unique index copies_id on copies (id)",
        "create unique index copies_u on copies (b, c)",
    )
    found = signals(look(server, indexes, table="copies"), "index.duplicate")
    assert {each.data["index"].removeprefix("public.") for each in found} == {
        "copies_a",
        "copies_ab",
        "copies_id",
    }
    assert {each.data["index"]: each.data["exact"] for each in found}["public.copies_a"] is False


def test_a_foreign_key_without_an_index_costs_where_rows_are_deleted(server: Server) -> None:
    server.run(
        'create table "Kunde" (id int primary key)',
        'insert into "Kunde" select generate_series(1, 100)',
        'create table bestellung (id int primary key, kunde int references "Kunde")',
        "insert into bestellung select n, 50 + n % 10 from generate_series(1, 6000) n",
    )
    until(
        lambda: value(
            server, "select n_live_tup = 6000 from pg_stat_user_tables where relname = 'bestellung'"
        ),
        "rows that are counted",
    )
    signal = one(look(server, indexes, table="bestellung"), "index.foreign_key_missing")
    assert signal.severity == "info"
    server.run('delete from "Kunde" where id <= 10')
    until(
        lambda: value(server, "select n_tup_del from pg_stat_user_tables where relname = 'Kunde'"), "deletes"
    )
    signal = one(look(server, indexes, table="bestellung"), "index.foreign_key_missing")
    assert signal.severity == "warning"
    assert (signal.data["columns"], signal.data["deleted"]) == (["kunde"], 10)
    server.run("create index on bestellung (kunde)")
    assert not signals(look(server, indexes, table="bestellung"), "index.foreign_key_missing")


def test_a_healthy_database_shows_nothing(server: Server) -> None:
    server.run("create database fine")
    assert not look(server, indexes, dbname="fine").signals
    server.run(
        "create table notes (id int primary key, tag text)",
        "insert into notes select n, 'tag' || n from generate_series(1, 8000) n",
        "create index on notes (tag)",
        "analyze notes",
        *["select * from notes where tag = 'tag7'"] * 60,
        *["select count(*) from notes"] * 3,
        dbname="fine",
    )
    found = look(server, indexes, dbname="fine")
    assert not found.signals
    assert "Nothing stands out." in found.text


@pytest.mark.parametrize(
    ("ddl", "keys", "leading"),
    [
        ("(a, b desc nulls last)", ("a", "b DESC NULLS LAST"), "a"),
        ('("Größe, x" text_pattern_ops)', ('"Größe, x" text_pattern_ops',), "Größe, x"),
        ("(lower(c), (a + b))", ("lower(c)", "((a + b))"), ""),
        ("(a) include (b, c) where (c = ') where (')", ("a",), "a"),
        ('("say ""so""")', ('"say ""so"""',), 'say "so"'),
    ],
)
def test_a_definition_is_taken_apart(server: Server, ddl: str, keys: tuple[str, ...], leading: str) -> None:
    server.run(
        'create table if not exists "t USING (x)" (a int, b int, c text, "Größe, x" text, "say ""so""" int)',
        f'create index taken on "t USING (x)" {ddl}',
    )
    found = definition({"definition": value(server, "select pg_get_indexdef('taken'::regclass)")})
    server.run("drop index taken")
    assert found
    assert (found.method, found.keys, found.leading) == ("btree", keys, leading)
    assert found.included == (("b", "c") if "include" in ddl else ())
    assert bool(found.condition) is ("where" in ddl)
