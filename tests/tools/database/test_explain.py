"""What the tool `explain` tells on real servers."""

from collections.abc import Iterator

import pytest
from tools.database.explain import explain

from opssquad import Database, ToolError
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.binaries import folder
from tests.postgres.server import Server, running
from tests.tools.database.looked import look, one, signals, until, value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a table of some size."""
    with running(autovacuum="off") as made:
        made.run(
            "create extension pg_stat_statements",
            "create table orders (id int primary key, customer int, code varchar(20), state text)",
            "create table customers (id int primary key, name text)",
            "insert into customers select n, 'c' || n from generate_series(1, 200) n",
            'create table "Größe X" (id int, "Farbe" text)',
        )
        made.run("insert into orders select n, n % 500, 'k' || n, 'new' from generate_series(1, 20000) n")
        made.run("insert into \"Größe X\" select n, 'rot' || n from generate_series(1, 6000) n")
        made.run("analyze")
        for name in ("orders", "Größe X"):
            query = f"select n_live_tup >= 6000 from pg_stat_user_tables where relname = '{name}'"
            until(lambda query=query: value(made, query), "rows that are counted")  # type: ignore[misc]
        yield made


def test_a_large_table_that_is_read_whole_for_a_few_rows_stands_out(server: Server) -> None:
    found = look(server, explain, statement="select * from orders where customer = 7 and code = 'k7';")
    signal = one(found, "plan.sequential_scan")
    assert str(signal.entity) == "Table/postgres/public.orders"
    assert signal.severity == "warning"
    assert signal.data["columns"] == ["customer", "code"]
    assert signal.data["rows"] == 20000
    assert "Seq Scan on public.orders" in found.text


def test_a_plan_by_an_index_and_one_that_needs_all_rows_do_not(server: Server) -> None:
    for statement in ("select * from orders where id = 7", "select count(*) from orders"):
        assert not look(server, explain, statement=statement).signals
    most = look(server, explain, statement="select * from orders where state = 'new'")
    assert one(most, "plan.sequential_scan").severity == "info"


def test_names_with_capitals_and_blanks_are_found(server: Server) -> None:
    found = look(server, explain, statement='select 1 from "Größe X" g where "Farbe" = \'rot7\'')
    signal = one(found, "plan.sequential_scan")
    assert str(signal.entity) == "Table/postgres/public.Größe X"
    assert signal.data["columns"] == ["Farbe"]


def test_parameters_are_planned_where_the_server_can(server: Server) -> None:
    found = look(server, explain, statement="select * from orders where customer = $1")
    assert one(found, "plan.sequential_scan").data["columns"] == ["customer"]
    assert "any values" in found.text
    with pytest.raises(ToolError):
        look(server, explain, statement="select * from orders where customer = $1; select 1")
    assert (
        look(server, explain, statement="select '$1' from orders where id = 1")
        .commands[0]
        .startswith("explain select")
    )


def test_parameters_are_asked_for_where_it_cannot() -> None:
    try:
        folder("15")
    except RuntimeError:
        pytest.skip("no older server is here")
    with running("15") as older:
        older.run("create table t (a int)")
        with pytest.raises(ToolError, match="put values"):
            look(older, explain, statement="select * from t where a = $1")
        assert "Seq Scan on public.t" in look(older, explain, statement="select * from t where a = 1").text


def test_a_statement_is_planned_and_never_run(server: Server) -> None:
    for statement in ("explain analyze delete from orders", "explain (analyze, buffers) delete from orders",
                      "EXPLAIN ANALYZE VERBOSE update orders set state = 'x'"):  # fmt: skip
        assert "public.orders" in look(server, explain, statement=statement).text
    assert value(server, "select count(*) from orders where state = 'new'") == 20000


@pytest.mark.parametrize(
    "statement", ["select 1; drop table orders", "drop table orders", "", "vacuum orders"]
)
def test_what_is_not_one_statement_to_plan_is_refused(server: Server, statement: str) -> None:
    with pytest.raises(ToolError):
        look(server, explain, statement=statement)
    assert value(server, "select count(*) from orders") == 20000


def test_the_id_of_a_counted_statement_does(server: Server) -> None:
    server.run("select pg_stat_statements_reset()", "select state from orders where customer = 8")
    id = str(value(server, "select queryid from pg_stat_statements where query like 'select state%'"))
    assert one(look(server, explain, statement=id), "plan.sequential_scan").data["columns"] == ["customer"]
    with pytest.raises(ToolError, match="no statement has the id"):
        look(server, explain, statement="123456789")


def test_an_estimate_far_from_the_rows_that_are_there_stands_out(server: Server) -> None:
    server.run("create table grown (a int)", "insert into grown values (1)")
    server.run("analyze grown")
    assert not look(server, explain, statement="select * from grown").signals
    server.run("create table shrunk (a int)", "insert into shrunk select generate_series(1, 50000)")
    server.run("vacuum analyze shrunk", "delete from shrunk where a > 100")
    query = "select n_live_tup <= 100 from pg_stat_user_tables where relname = 'shrunk'"
    until(lambda: value(server, query), "rows that are counted")
    signal = one(look(server, explain, statement="select * from shrunk"), "plan.row_estimate")
    assert signal.data == {"table": "public.shrunk", "planned": 50000, "rows": 100}


def test_a_loop_over_a_whole_table_is_told(server: Server) -> None:
    joined = 'select * from orders o join "Größe X" g on g.id > o.customer where o.id = 7'
    found = look(server, explain, statement=joined)
    assert "A nested loop may read Größe X whole for each of 1 rows" in found.text


def test_a_long_plan_is_cut_and_its_end_kept(server: Server) -> None:
    union = " union all ".join(f"select id from orders where customer = {n}" for n in range(80))
    found = look(server, explain, statement=union)
    assert "more lines" in found.text
    assert "plan.sequential_scan" in found.text
    assert len(signals(found, "plan.sequential_scan")) == 1


async def test_the_server_itself_refuses_a_second_statement_after_a_plan(server: Server) -> None:
    database = Database(Postgres(parse(server.dsn())), lambda statement: statement)
    with pytest.raises(ToolError, match="multiple commands"):
        await database.select("explain (generic_plan) select $1::int; drop table customers")
    assert (await database.select("explain (generic_plan) select $1::int")).rows
    await database.close()
    assert value(server, "select count(*) from customers") == 200
