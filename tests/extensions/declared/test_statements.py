"""Declared statements: values go beside them, and nothing but a read loads or runs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.errors import ToolError
from opssquad.extensions.declared.statements import binds
from opssquad.investigation.systems import proven
from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.extensions.declared.making import run, tool
from tests.postgres.server import Server, running

ORDERS = """
name: orders
description: Orders of a customer.
kind: sql
effect: read
parameters:
  customer: {type: string}
  above: {type: integer, default: 0}
statement: >
  select id, customer, note::text from public.orders
  where customer = :customer and id > :above and note <> ':customer' order by id -- :customer
signals:
  - {id: order.late, when: {path: "[*].note", equals: late}, text: "order {id} is late",
     entity: "Order//{id}"}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.run(
            "create table orders (id int, customer text, note text)",
            "insert into orders values (1, 'kim', 'fine'), (2, 'kim', 'late'), (3, 'lee', 'fine')",
        )
        yield server


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    made = Database(Postgres(parse(server.dsn())), proven)
    yield made
    await made.close()


async def test_rows_are_a_table_and_each_is_a_quote(tmp_path: Path, database: Database) -> None:
    got = await run(tool(tmp_path, ORDERS), database, customer="kim")
    assert [line.split() for line in got.text.splitlines()] == [
        ["id", "customer", "note"], ["1", "kim", "fine"], ["2", "kim", "late"],
    ]  # fmt: skip
    assert got.sources[0].text == "id=1 customer=kim note=fine\nid=2 customer=kim note=late"
    (late,) = got.signals
    assert (str(late.entity), late.text) == ("Order//2", "order 2 is late")
    assert "customer=kim, above=0" in got.commands[0]
    assert len((await run(tool(tmp_path, ORDERS), database, customer="kim", above=1)).text.splitlines()) == 2


@pytest.mark.parametrize(
    "value",
    ["' or true --", "kim'; drop table orders; --", "$1", ":above", "{above}", "\\' or 1=1", "kim\x00"],
)
async def test_a_value_is_never_part_of_the_statement(tmp_path: Path, database: Database, value: str) -> None:
    made = tool(tmp_path, ORDERS)
    if "\0" in value:
        with pytest.raises(ToolError):
            await run(made, database, customer=value)
    else:
        assert (await run(made, database, customer=value)).text == "nothing"
    assert (await run(made, database, customer="lee")).signals == ()


async def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no Database is connected here"):
        await run(tool(tmp_path, ORDERS), customer="kim")


@pytest.mark.parametrize(
    ("statement", "told", "names"),
    [
        ("select :a, :b, :a", "select $1, $2, $1", ["a", "b"]),
        ("select x::a, ':a', \":a\", e'\\':a'", "select x::a, ':a', \":a\", e'\\':a'", []),
        ("select 1 -- :a\n, :a /* :b */", "select 1 -- :a\n, $1 /* :b */", ["a"]),
        ("select $x$ :a $x$, $$:b$$, :b", "select $x$ :a $x$, $$:b$$, $1", ["b"]),
        ("select :other", "select :other", []),
    ],
)
def test_only_parameters_outside_of_texts_are_bound(statement: str, told: str, names: list[str]) -> None:
    assert binds(statement, {"a", "b"}) == (told, names)


@settings(max_examples=50)
@given(st.text("ab:'\"$-/*\\e \n", max_size=60))
def test_a_statement_without_parameters_is_left_as_it_is(statement: str) -> None:
    assert binds(statement, set()) == (statement, [])
