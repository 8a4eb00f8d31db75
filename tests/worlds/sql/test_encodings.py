"""Databases and sessions whose texts are in another encoding than ours, or in none."""

from collections.abc import Iterator

import pytest

from opssquad.worlds.sql.looks import known_looks
from tests.postgres.server import Server, running
from tests.worlds.sql.opened import opened

TEMPLATE = "template template0 lc_collate 'C' lc_ctype 'C'"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create extension pg_stat_statements",
            f"create database latin encoding 'LATIN1' {TEMPLATE}",
            f"create database bytes encoding 'SQL_ASCII' {TEMPLATE}",
        )
        with (
            server.connect(dbname="latin", client_encoding="LATIN1") as latin,
            server.connect(dbname="bytes") as raw,
        ):
            latin.execute("select 'Küche'")
            raw.execute(b'create table "bestellung_\xfc" (id int)')
            raw.execute(b"select 'K\xfcche' -- \xfc")
            yield server


@pytest.mark.parametrize("dbname", ["postgres", "latin", "bytes"])
async def test_every_look_is_taken_whatever_the_encodings(server: Server, dbname: str) -> None:
    async with opened(server.dsn(dbname=dbname)) as database:
        for look in known_looks():
            await database.rows(look)
        sessions = (await database.rows("sessions")).rows
        statements = [row["query"] for row in sessions if row["database"] == "latin"]
        assert any(query.startswith("select 'K") for query in statements), statements


async def test_that_a_garbled_statement_takes_the_statistics_away_is_said(server: Server) -> None:
    async with opened(server.dsn()) as database:
        found = await database.rows("statements")
    assert not found.rows
    assert "0xfc, so this is not told" in found.missing


@pytest.mark.parametrize("dbname", ["postgres", "latin"])
@pytest.mark.parametrize("given", ["UTF8", "LATIN1"])
async def test_a_statement_and_its_rows_are_read_as_they_are_meant(
    server: Server, dbname: str, given: str
) -> None:
    async with opened(server.dsn(dbname=dbname, client_encoding=given)) as database:
        answer = await database.select("select 'é', chr(233), length('é')")
    assert answer.rows == [("é", "é", "1")]


async def test_bytes_of_no_encoding_are_shown_as_far_as_they_are_text(server: Server) -> None:
    async with opened(server.dsn(dbname="bytes")) as database:
        names = [row["table"] for row in (await database.rows("tables")).rows]
        answer = await database.select("select relname from pg_class where relname like 'bestellung%'")
    assert names == ["bestellung_\ufffd"]
    assert answer.rows == [("bestellung_\ufffd",)]
