"""Parameters of a statement: proven only where values go beside it, and no way around the proof."""

import pytest

from opssquad.gate.sql import SqlRead, SqlRefusal, prove

BOUND = "select id from orders where name like '%x' and id = $1 limit $2"


def test_a_statement_with_parameters_is_proven_where_values_go_beside_it() -> None:
    assert prove(BOUND, binds=True) == SqlRead(text=BOUND)
    assert isinstance(prove(BOUND), SqlRefusal)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from orders where id = $1",
        "select pg_terminate_backend($1)",
        "select set_config('x', $1, false)",
        "select 1 from orders where id = $1; delete from orders",
        "select * from orders where id = $1 for update",
        "with gone as (delete from orders where id = $1 returning id) select * from gone",
        "explain analyze select $1::int",
        "prepare p as select $1",
    ],
)
def test_a_parameter_makes_no_change_a_read(statement: str) -> None:
    assert isinstance(prove(statement, binds=True), SqlRefusal)
