"""What the tool `grants` tells on real servers."""

from collections.abc import Iterator

import pytest
from tools.database.grants import grants

from opssquad import ToolError
from tests.postgres.server import Server, running
from tests.tools.database.looked import look, one


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with roles that have rights by different ways."""
    with running() as made:
        made.run(
            "create role owner_of login", "create role reader", "create role writer",
            "create role app login in role reader", "create role nested login in role writer",
            "grant reader to writer", "create role aloof login noinherit in role reader",
            "create role once login in role reader", "alter role once noinherit",
            "create role stranger login", "create role all_reader login in role pg_read_all_data",
            'create schema "Läden" authorization owner_of', "set role owner_of",
            'create table "Läden"."Ware" (id int)', 'create view "Läden".sicht as select 1 as a',
            'grant usage on schema "Läden" to reader', 'grant select on "Läden"."Ware" to reader',
            'grant insert, update on "Läden"."Ware" to writer', 'grant delete on "Läden"."Ware" to stranger',
            'grant select on "Läden".sicht to public',
        )  # fmt: skip
        yield made


def allowed(server: Server, user: str, privilege: str) -> bool:
    """What the server itself says."""
    with server.connect(user) as connection:
        row = connection.execute(
            "select has_table_privilege(c.oid, %s) from pg_class c where relname = 'Ware'", [privilege]
        ).fetchone()
        assert row
        return bool(row[0])


USERS = ("owner_of", "app", "nested", "aloof", "once", "stranger", "all_reader", "postgres")


def test_rights_through_other_roles_are_those_that_the_server_gives(server: Server) -> None:
    may = look(server, grants, table='"Läden"."Ware"').data["may"]
    for user in USERS:
        for privilege in ("select", "insert", "update", "delete", "truncate"):
            assert (privilege in may[user]["privileges"]) is allowed(server, user, privilege), (
                user,
                privilege,
            )
    assert may["app"]["through"] == {"select": "reader"}
    assert may["nested"]["through"]["select"] == "reader"


def test_a_right_without_the_schema_is_told_apart(server: Server) -> None:
    found = look(server, grants, table="Läden.Ware")
    may = found.data["may"]
    assert may["app"]["uses_schema"] is True
    assert may["stranger"] == {"privileges": ["delete"], "through": {}, "uses_schema": False}
    assert "is owned by owner_of" in found.text
    assert "has no right on it: aloof" in found.text


def test_one_role_is_told_with_the_tables_that_it_may_use(server: Server) -> None:
    found = look(server, grants, role="app")
    assert found.data["may"]["Läden.Ware"]["privileges"] == ["select"]
    assert "app may:" in found.text
    assert "member of reader" in found.text
    assert "Läden.sicht" in found.data["may"]
    with pytest.raises(ToolError, match=r"nearest: .*writer"):
        look(server, grants, role="writr")


def test_a_view_is_found_and_what_is_not_there_is_said(server: Server) -> None:
    assert "select" in look(server, grants, table="sicht").data["may"]["stranger"]["privileges"]
    with pytest.raises(ToolError, match="nearest"):
        look(server, grants, table="Waren")


def test_a_password_that_ran_out_is_told(server: Server) -> None:
    assert not look(server, grants).signals
    server.run(
        "create role late login valid until '2024-01-01 00:00:00+00'",
        "create role \"Ewig\" login valid until 'infinity'",
        "create role group_late valid until '2024-01-01'",
        "create role soon login valid until '2124-01-01'",
    )
    signal = one(look(server, grants), "role.expired")
    assert str(signal.entity) == "Role//late"
    assert signal.at
    assert signal.at.isoformat() == "2024-01-01T00:00:00+00:00"
    assert not look(server, grants, role="app").signals
    server.run("drop role late")


def test_a_year_that_no_calendar_of_ours_has_ends_no_look(server: Server) -> None:
    server.run(
        "create role past login valid until '0044-03-15 BC'",
        "create role typo login valid until '20260-01-01'",
    )
    assert not look(server, grants).signals
    server.run("drop role past", "drop role typo")


def test_what_was_granted_is_told_by_role(server: Server) -> None:
    text = look(server, grants).text
    assert "reader    1 of Läden  select\n" in text
    assert "stranger  1 of Läden  delete (but it may not use the schema)" in text
    assert "public    1 of Läden  select\n" in text


def test_an_empty_database_and_a_login_without_rights(server: Server) -> None:
    server.run("create database hollow")
    assert "No table is here" in look(server, grants, dbname="hollow").text
    assert "owned by owner_of" in look(server, grants, user="stranger").text


def test_thousands_of_grants_are_grouped(server: Server) -> None:
    server.run("create database wide")
    made = "execute format('create table t%s (a int)', n); execute format('grant select on t%s to reader', n)"
    blocks = [
        f"do $$ begin for n in {n}..{n + 249} loop {made}; end loop; end $$" for n in range(0, 1500, 250)
    ]
    server.run(*blocks, dbname="wide")
    text = look(server, grants, dbname="wide").text
    assert "reader    1500 of public  select" in text
