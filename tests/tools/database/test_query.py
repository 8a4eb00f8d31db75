"""What the tool `query` tells on real servers."""

from collections.abc import Iterator

import pytest
from tools.database.query import query

from opssquad import ToolError
from tests.postgres.server import Server, running
from tests.tools.database.looked import look, value


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a small table."""
    with running() as made:
        made.run(
            'create table "Ware" (id int, "Name" text, note text)',
            "insert into \"Ware\" values (1, 'Größe', null), (2, '日本', 'a\nb')",
        )
        yield made


def test_rows_come_as_a_table_that_is_aligned(server: Server) -> None:
    found = look(server, query, statement='select * from "Ware" order by id;')
    assert found.text.splitlines() == ["2 rows.", "id  Name   note", "1   Größe  -", "2   日本   a b"]
    assert found.data == {"rows": 2, "columns": ["id", "Name", "note"], "cut": False}
    assert not found.signals


def test_more_rows_than_asked_for_are_said_to_be_there(server: Server) -> None:
    found = look(server, query, statement="select n, n from generate_series(1, 1000) n", rows=3)
    assert found.text.startswith("3 rows and more")
    assert (
        look(server, query, statement="select n, n from generate_series(1, 1000) n", rows=9999).data["rows"]
        == 500
    )


@pytest.mark.parametrize(
    "statement",
    ["explain(verbose) select 1", "-- why?\nexplain select 1", "/* kim */ show work_mem", "/**/select 1"],
)
def test_words_before_a_statement_change_nothing(server: Server, statement: str) -> None:
    assert look(server, query, statement=statement).data["rows"]


def test_long_cells_are_cut_and_counted(server: Server) -> None:
    found = look(server, query, statement="select n, repeat('x', 5000) from generate_series(1, 3) n")
    assert "3 cells are cut" in found.text
    assert len(found.text) < 400


def test_many_rows_and_columns_stay_within_a_view(server: Server) -> None:
    wide = ", ".join(f"n + {n} as column_{n}" for n in range(60))
    found = look(server, query, statement=f"select {wide} from generate_series(1, 400) n", rows=400)
    assert len(found.text) < 5600
    assert "more lines are not shown" in found.text
    assert "30 more columns are not shown" in found.text


def test_one_row_larger_than_all_that_is_read_is_said(server: Server) -> None:
    found = look(server, query, statement="select repeat('x', 1000000), 1")
    assert "one alone has more than" in found.text


def test_plans_settings_and_nothing_are_shown(server: Server) -> None:
    assert "Seq Scan" in look(server, query, statement='explain select * from "Ware"').text
    assert look(server, query, statement="show server_version").data["rows"] == 1
    assert (
        look(server, query, statement='select * from "Ware" where false').text
        == "0 rows. Columns: id, Name, note"
    )
    assert look(server, query, statement="values (1, 'a'), (2, 'b')").data["rows"] == 2


@pytest.mark.parametrize(
    "statement",
    [
        'delete from "Ware"', 'select 1; delete from "Ware"', "", " ; ", "select pg_sleep(1)",
        'with gone as (delete from "Ware" returning *) select * from gone', "select pg_terminate_backend(1)",
        'explain analyze delete from "Ware"', 'select * from "Ware" for update', "select none from nowhere",
        'select * into copied from "Ware"', "set work_mem = 1", "commit",
    ],
)  # fmt: skip
def test_what_does_not_provably_read_is_refused(server: Server, statement: str) -> None:
    with pytest.raises(ToolError):
        look(server, query, statement=statement)
    assert value(server, 'select count(*) from "Ware"') == 2
