"""Every look on real servers, old and new, by logins of several rights: it tells, or says what it cannot."""

import json
from collections.abc import Iterator

import pytest

from opssquad.errors import ToolError
from opssquad.worlds.sql.looks import known_looks
from tests.postgres.server import Server, replica_of, running
from tests.worlds.sql.opened import opened

ROLES = ("postgres", "monitor", "plain")
FULL = (
    "server", "sessions", "databases", "slots", "tables", "indexes", "columns", "foreign_keys", "prepared",
    "settings", "roles", "role_settings", "grants", "schemas", "checkpoints", "archiver", "wal",
)  # fmt: skip
"""Looks that show something to everybody on the server of these tests."""
EXTENSION = 'create extension pg_stat_statements schema "My Stats"'


@pytest.fixture(scope="module", params=["15", "18"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, max_prepared_transactions="2") as server:
        server.run(
            "create role monitor login", "grant pg_monitor to monitor", "create role plain login",
            "create database bare", 'create schema "My Stats"', EXTENSION,
            'grant usage on schema "My Stats" to public',
            "create table t (id int primary key, other int references t)", "insert into t values (1, 1)",
            "begin; insert into t values (2, 1); prepare transaction 'left'",
            "select pg_create_physical_replication_slot('kept', true)",
            "alter role plain set work_mem = '8MB'",
        )  # fmt: skip
        yield server


@pytest.mark.parametrize("role", ROLES)
async def test_every_look_tells_or_says_what_it_cannot(server: Server, role: str) -> None:
    with server.connect(application_name="web"):
        async with opened(server.dsn(role)) as database:
            found = {look: await database.rows(look) for look in known_looks()}
    for look, rows in found.items():
        json.dumps(list(rows.rows))
        assert "\n" not in rows.missing, look
        assert "opssquad" not in rows.source().text, look
        for row in rows.rows:
            assert rows.quote(row).text in rows.source().text
    for look in FULL:
        assert found[look].rows, look
    unseen = {look for look in found if found[look].missing}
    if role != "plain":
        assert not unseen
        assert found["statements"].rows
    else:
        assert {"sessions", "replicas"} <= unseen


async def test_columns_are_the_same_for_every_login(server: Server) -> None:
    columns: dict[str, set[tuple[str, ...]]] = {}
    for role in ROLES:
        async with opened(server.dsn(role)) as database:
            for look in known_looks():
                for row in (await database.rows(look)).rows[:1]:
                    columns.setdefault(look, set()).add(tuple(row))
    assert {look: len(each) for look, each in columns.items() if len(each) != 1} == {}


async def test_what_a_login_does_not_see_is_said_with_what_mends_it(server: Server) -> None:
    with server.connect(application_name="web"):
        async with opened(server.dsn("plain")) as database:
            sessions = await database.rows("sessions")
            log = await database.log()
    assert "plain is no member of pg_read_all_stats" in sessions.missing
    assert "GRANT pg_monitor TO plain" in sessions.missing
    assert any(row["query"] == "<insufficient privilege>" for row in sessions.rows)
    assert log.missing


async def test_a_view_that_may_not_be_read_is_missing_and_no_error(server: Server) -> None:
    server.run("revoke select on pg_replication_slots from public")
    try:
        async with opened(server.dsn("plain")) as database:
            slots = await database.rows("slots")
            assert (await database.rows("roles")).rows
    finally:
        server.run("grant select on pg_replication_slots to public")
    assert not slots.rows
    assert slots.missing.startswith("permission denied for view pg_replication_slots, so this is not told: ")


async def test_an_extension_that_is_not_there_is_missing_with_what_adds_it(server: Server) -> None:
    async with opened(server.dsn("monitor", "bare")) as database:
        statements = await database.rows("statements")
    assert "the extension pg_stat_statements is not installed in bare" in statements.missing
    assert "CREATE EXTENSION pg_stat_statements" in statements.missing


async def test_an_extension_is_found_wherever_it_is_installed(server: Server) -> None:
    async with opened(server.dsn("monitor")) as database:
        statements, reset = await database.rows("statements"), await database.rows("statements_reset")
    assert statements.rows
    assert reset.rows[0]["stats_reset"]


async def test_rows_are_chosen_by_their_columns_and_odd_values_are_values(server: Server) -> None:
    async with opened(server.dsn()) as database:
        assert [row["role"] for row in (await database.rows("roles", role="plain")).rows] == ["plain"]
        for odd in ("x' or true --", '"', "%", "\\", "ä\n"):
            assert not (await database.rows("roles", role=odd)).rows
        with pytest.raises(ToolError, match="nothing called 'rolls' can be looked at"):
            await database.rows("rolls")


async def test_the_log_is_read_from_its_end(server: Server) -> None:
    with pytest.raises(Exception, match="nosuch"):
        server.run("select nosuch")
    async with opened(server.dsn()) as database:
        whole, end = await database.log(), await database.log(most=300)
    assert any("nosuch" in row["line"] for row in whole.rows)
    assert sum(len(row["line"]) + 1 for row in end.rows) <= 301
    assert [*whole.rows][-1] == [*end.rows][-1]


async def test_every_look_tells_of_a_replica_too(server: Server) -> None:
    with replica_of(server, "standby") as replica:
        async with opened(replica.dsn("monitor")) as database:
            assert (await database.facts())["in_recovery"] is True
            for look in known_looks():
                assert not (await database.rows(look)).missing, look
            assert (await database.rows("receiver")).rows
        async with opened(server.dsn("monitor")) as database:
            assert (await database.rows("replicas")).rows
            assert (await database.rows("slots", slot="standby")).rows[0]["active"] is True


async def test_a_database_is_told_from_all_others_by_whoever_may_read_it(server: Server) -> None:
    told = set()
    for role, dbname in (("postgres", "postgres"), ("monitor", "postgres"), ("postgres", "bare")):
        async with opened(server.dsn(role, dbname)) as database:
            told.add(await database.identity())
    assert len(told) == 2
    assert all(each.startswith("system=") for each in told)
