"""What the tool `schema` tells on real servers."""

from collections.abc import Iterator

import pytest
from tools.database.schema import schema

from opssquad import ToolError, parse_time
from tests.postgres.server import Server, running
from tests.tools.database.looked import grave, look, one, signals


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that keeps commit times."""
    with running(track_commit_timestamp="on") as made:
        yield made


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    """A server that keeps none."""
    with running() as made:
        yield made


def changes(server: Server, name: str, **args: object) -> dict[str, str]:
    """What changed in objects whose names begin so."""
    found = signals(look(server, schema, **args), "schema.changed")
    return {
        e.data["object"]: e.data["change"] for e in found if e.data["object"].startswith(f"public.{name}")
    }


def test_what_was_created_and_altered_is_told_with_its_time(server: Server) -> None:
    server.run(
        "create table kept (id int primary key, old text, note text)",
        "create view kept_view as select 1 as a",
    )
    assert changes(server, "kept") == {
        "public.kept": "created", "public.kept_pkey": "created", "public.kept_view": "created",
    }  # fmt: skip
    server.run("alter table kept add column fresh int")
    found = one(look(server, schema, table="kept"), "schema.changed")
    assert (found.data["change"], found.data["column"]) == ("column added or altered", "fresh")
    assert found.at
    server.run("alter table kept alter column note type varchar(9)", "alter table kept drop column old")
    assert changes(server, "kept")["public.kept"] == "column dropped"
    text = look(server, schema, table="kept").text
    assert "table public.kept: column added or altered note" in text
    assert "Columns were dropped of: public.kept (1)" in text
    assert changes(server, "kept", changed_minutes=0) == {}


def test_reading_writing_and_maintenance_are_no_change(server: Server) -> None:
    server.run("create table steady (id int)", "insert into steady values (1)")
    before = look(server, schema, table="steady")
    server.run("vacuum analyze steady", "update steady set id = 2", "create index on steady (id)")
    assert one(look(server, schema, table="steady"), "schema.changed").at == one(before, "schema.changed").at


def test_the_order_is_told_where_no_times_are_kept(plain: Server) -> None:
    plain.run(
        "create table first (a int)", "create table second (a int)", "alter table first add column b int"
    )
    found = look(plain, schema)
    assert "keeps no commit times" in found.text
    lines = [line for line in found.text.splitlines() if "transactions ago" in line]
    assert "table public.first: column added or altered b" in lines[0]
    assert "table public.second: created" in lines[1]
    assert not found.signals


MADE = [
    'create schema "Über"',
    "create table django_migrations (id serial, app text, name text, applied timestamptz)",
    "create table flyway_schema_history (installed_rank int, version text, script text,"
    " installed_on timestamp, success bool)",
    "create table schema_migrations (version bigint, dirty bool)",
    'create table "__EFMigrationsHistory" ("MigrationId" text, "ProductVersion" text)',
    'create table "Über".alembic_version (version_num text)',
]


def test_migrations_of_several_tools_are_told_newest_first(server: Server) -> None:
    server.run("create database moved")
    server.run(
        *MADE,
        "insert into django_migrations (app, name, applied) values ('a', '0001_old', now()),"
        " ('a', '0002_new', '2024-05-01 12:00:00+02')",
        "insert into flyway_schema_history values (2, '10', 'V10__x.sql', now(), false),"
        " (1, '9', 'V9__x.sql', now() at time zone 'utc', true)",
        "insert into schema_migrations values (9, false), (10, false)",
        "insert into \"__EFMigrationsHistory\" values ('20240101_a', '8'), ('20240201_b', '8')",
        "insert into \"Über\".alembic_version values ('abc123')",
        dbname="moved",
    )
    found = {e.data["tool"]: e for e in look(server, schema, dbname="moved").signals if e.data.get("last")}
    assert {tool: each.data["name"] for tool, each in found.items()} == {
        "django_migrations": "0002_new",
        "flyway_schema_history": "V10__x.sql",
        "schema_migrations": "10",
        "__EFMigrationsHistory": "20240201_b",
        "alembic_version": "abc123",
    }
    assert found["django_migrations"].at == parse_time("2024-05-01T10:00:00Z")
    assert found["alembic_version"].at is None
    assert found["flyway_schema_history"].severity == "warning"
    assert str(found["alembic_version"].entity) == "Database//moved"
    assert "V10__x.sql" in look(server, schema, dbname="moved").text


def test_a_time_without_a_zone_counts_only_where_the_server_is_at_utc(server: Server) -> None:
    server.run(
        "create database zoned", "create role there login", "alter role there set timezone = 'Asia/Tokyo'"
    )
    server.run(
        "create table knex_migrations (id int, name text, migration_time timestamp)",
        "insert into knex_migrations values (1, 'first.js', '2024-05-01 12:00:00.25')",
        "grant select on knex_migrations to there",
        dbname="zoned",
    )
    at_utc = one(look(server, schema, dbname="zoned"), "migration.applied")
    assert at_utc.at == parse_time("2024-05-01T12:00:00.25Z")
    assert one(look(server, schema, user="there", dbname="zoned"), "migration.applied").at is None


def test_a_table_of_migrations_that_may_not_be_read_or_is_another_is_left_out(server: Server) -> None:
    server.run("create database other", "create role nobody_here login")
    server.run("create table migrations (bird text, season text)", dbname="other")
    assert not signals(look(server, schema, dbname="other"), "migration.applied")
    server.run("create table goose_db_version (id int, version_id int)", dbname="other")
    assert not signals(look(server, schema, user="nobody_here", dbname="other"), "migration.applied")


def test_one_table_and_a_view_are_told_in_detail(server: Server) -> None:
    server.run(
        'create table "Größe" (id int not null default 7, "Näme X" numeric(9, 2))',
        'create view "Sicht" as select id from "Größe"',
    )
    text = look(server, schema, table='public."Größe"').text
    assert "public.Größe, 2 columns:" in text
    assert "numeric(9,2)" in text
    assert "not null" in text
    assert "public.Sicht, 1 column:" in look(server, schema, table="Sicht").text
    with pytest.raises(ToolError, match="nearest"):
        look(server, schema, table="Grösse")


def test_an_empty_and_a_large_database_are_told(plain: Server) -> None:
    plain.run("create database hollow", "create database wide")
    found = look(plain, schema, dbname="hollow")
    assert "No table is in hollow." in found.text
    assert not found.signals
    made = "execute format('create table t%s (%s)', n, (select string_agg('c' || k || ' int', ', ')"
    made += " from generate_series(1, 20) k))"
    blocks = [
        f"do $$ begin for n in {n}..{n + 249} loop {made}; end loop; end $$" for n in range(0, 1000, 250)
    ]
    plain.run(*blocks, dbname="wide")
    found = look(plain, schema, dbname="wide")
    assert "or more" in found.text
    assert not grave(found)
