"""Who may create a function in a schema has neither our looks nor a proven statement call it."""

from collections.abc import Iterator

import pytest

from opssquad.worlds.sql.looks import known_looks
from opssquad.worlds.sql.trouble import DatabaseError
from tests.postgres.server import Server, running
from tests.worlds.sql.opened import opened

BODY = "language plpgsql as $$ begin raise exception 'called'; end $$"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run("create role app login", "create database clean")
        for name in ("postgres", "clean"):
            server.run(
                "grant create on schema public to app", "create schema app authorization app",
                "create table migrations (id int)", "insert into migrations values (7)",
                "create view app.orders as select 1 as id",
                dbname=name,
            )  # fmt: skip
        server.run(
            f"create function public.lower(name) returns text {BODY}",
            f"create function public.cardinality(int2[]) returns int {BODY}",
            user="app",
        )
        yield server


async def test_no_look_calls_a_function_that_somebody_put_in_public(server: Server) -> None:
    async with opened(server.dsn()) as database:
        for look in known_looks():
            await database.rows(look)


@pytest.mark.parametrize(
    "statement",
    ["select lower(relname) from pg_class where relname = 'pg_class'", "explain select lower('x'::name)"],
)
async def test_a_statement_calls_the_built_in_that_was_proven(server: Server, statement: str) -> None:
    async with opened(server.dsn()) as database:
        assert (await database.select(statement)).rows


async def test_where_that_could_be_a_table_is_asked_for_with_its_schema(server: Server) -> None:
    async with opened(server.dsn()) as database:
        assert (await database.select("select lower(id::text) from public.migrations")).rows == [("7",)]
        with pytest.raises(DatabaseError, match="public.migrations|as public.orders") as raised:
            await database.select("select lower(id::text) from migrations")
    assert "role app" in str(raised.value)


async def test_where_nothing_stands_in_for_a_built_in_tables_are_found_as_the_login_finds_them(
    server: Server,
) -> None:
    server.run("alter database clean set search_path = app, public, pg_catalog")
    async with opened(server.dsn(dbname="clean")) as database:
        assert (await database.select("select id from orders where id in (1)")).rows == [("1",)]
        assert (await database.select("select id from migrations")).rows == [("7",)]


async def test_a_path_that_puts_others_before_the_built_in_ones_does_not_count(server: Server) -> None:
    server.run("alter role app set search_path = public, pg_catalog")
    server.run(f"create function public.upper(text) returns text {BODY}", user="app")
    async with opened(server.dsn("app")) as database:
        assert (await database.select("select upper('x')")).rows == [("X",)]
        await database.rows("sessions")


async def test_an_act_calls_the_function_of_its_card(server: Server) -> None:
    server.run(
        "create database owned owner app",
        "alter database owned set search_path = public, pg_catalog",
    )
    server.run(
        f"create function public.pg_cancel_backend(int) returns bool {BODY}",
        f"create function public.pg_reload_conf() returns bool {BODY}",
        user="app",
        dbname="owned",
    )
    async with opened(server.dsn(dbname="owned")) as database:
        with server.connect("app", "owned"):
            rows = (await database.rows("sessions")).rows
            row = next(row for row in rows if row["role"] == "app" and row["database"] == "owned")
            await database.act("cancel", pid=row["pid"], started=row["backend_start"])
        await database.act("setting", name="work_mem", value=None)


async def test_functions_of_extensions_are_no_reason_to_ask_for_schemas(server: Server) -> None:
    server.run("create extension if not exists pg_stat_statements", dbname="clean")
    server.run(
        "create function public.abs(text) returns text immutable language sql as 'select $1'", dbname="clean"
    )
    async with opened(server.dsn(dbname="clean")) as database:
        assert (await database.select("select abs(-id) from migrations")).rows == [("7",)]


async def test_what_is_shown_is_the_path_of_the_login(server: Server) -> None:
    async with opened(server.dsn()) as database:
        assert (await database.select("show search_path")).rows == [('"$user", public',)]
