"""Which tables statements name, and by which columns they filter."""

from collections.abc import Sequence

import pytest
from tools.database._statements import Names

from opssquad import Json


def table(schema: str, name: str, **more: object) -> Json:
    return {"schema": schema, "table": name, "n_live_tup": 10, "seq_scan": 3, **more}


def columns(table: str, *names: str) -> list[Json]:
    schema, _, name = table.partition(".")
    return [{"schema": schema, "table": name, "column": column} for column in names]


TABLES = [
    table("public", "orders"), table("public", "customers"), table("public", "Café Über"),
    table("sales", "orders"), table("a", "twin"), table("b", "twin"), table("public", 'say "so"'),
]  # fmt: skip
NAMES = Names(
    TABLES,
    [*columns("public.orders", "id", "customer", "state"), *columns("public.customers", "id", "email")],
)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("select * from orders where id = $1", ["public.orders"]),
        ("SELECT * FROM Orders", ["public.orders"]),
        ('select * from "Orders"', []),
        ("select 1 from sales.orders o, customers c", ["sales.orders", "public.customers"]),
        ('select * from public."Café Über" x', ["public.Café Über"]),
        ('select * from "say ""so""" where a = 1', ['public.say "so"']),
        ("update only orders as o set state = $1 from customers where o.id = $2",
         ["public.orders", "public.customers"]),
        ("insert into customers(email) values ($1) on conflict (email) do update set email = $1",
         ["public.customers"]),
        ("delete from orders using customers c where c.id = customer", ["public.orders", "public.customers"]),
        ("select * from customers join orders using (id) for update of orders",
         ["public.customers", "public.orders"]),
        ("with orders as (select 1) select * from orders", []),
        ("with x as materialized (select * from customers) select * from x, orders",
         ["public.customers", "public.orders"]),
        ("select * from orders(1)", []),
        ("select extract(day from at) from customers", ["public.customers"]),
        ("select 'from orders' -- from orders\n from customers /* join orders */", ["public.customers"]),
        ("select * from twin", []),
        ("select * from a.twin", ["a.twin"]),
        ("copy orders (id) from stdin", ["public.orders"]),
        ("select a is distinct from orders from customers", ["public.customers"]),
        ("select * from customers where name = 'cut off in the mid", ["public.customers"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_statement_names_tables(statement: str, named: Sequence[str]) -> None:
    found = [f"{row['schema']}.{row['table']}" for row in NAMES.tables(statement)]
    assert found == list(named)


@pytest.mark.parametrize(
    ("statement", "filters"),
    [
        ("select * from orders where customer = $1 and state = 'new'", ["customer", "state"]),
        ("select * from orders o join customers c on c.id = o.customer where o.state = $1 and email = $2",
         ["state"]),
        ("select * from orders o, customers c where id = $1 and customer = $2", ["customer"]),
        ("select * from orders where customer in ($1, $2) or $3 = id", ["customer", "id"]),
        ("select * from orders where customer = any($1)", ["customer"]),
        ("update orders set state = $1 where customer = $2", ["customer"]),
        ("select * from orders where lower(state) = $1", []),
        ("select * from orders where customer::text = $1 and id = uuid 'a'", ["id"]),
        ("select * from orders where state > $1 and customer = id", []),
        ("select * from orders where customer not in ($1)", []),
        ("select * from orders where id in (select id from customers where email = $1) and state = $2",
         ["state"]),
        ("select state = $1 from orders", []),
        ("select * from orders where (customer = -1) group by state having state = $1", ["customer"]),
        ("select * from orders where strange = $1", []),
    ],
)  # fmt: skip
def test_a_statement_filters_by_columns(statement: str, filters: Sequence[str]) -> None:
    assert NAMES.filters(statement, TABLES[0]) == list(filters)


def test_a_partitioned_table_stands_for_its_partitions() -> None:
    parts = [table("public", f"events_{n}", root_schema="public", root="events") for n in range(3)]
    # PostgreSQL 13 does not list the partitioned table itself, later ones do with counters of nothing.
    for whole in ([], [{"schema": "public", "table": "events", "n_live_tup": 0, "seq_scan": 0}]):
        (row,) = Names([*whole, *parts]).tables("select * from events where kind = $1")
        assert (row["n_live_tup"], row["seq_scan"], len(row["parts"])) == (30, 3, 3)
