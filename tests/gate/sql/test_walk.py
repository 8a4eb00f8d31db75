"""The walk is closed by default: what no grammar of today brings is refused as well."""

import pytest
from postgast import parse, pg_query_pb2

from opssquad.gate.sql.lists import grammar
from opssquad.gate.sql.unproven import Unproven
from opssquad.gate.sql.walk import Walk


def test_a_name_where_none_is_expected_is_refused() -> None:
    tree = parse("select 1")
    tree.stmts[0].stmt.select_stmt.target_list.add().string.sval = "pg_sleep"
    with pytest.raises(Unproven, match=r"SelectStmt\.target_list"):
        Walk("select 1", grammar().nodes).check(tree.stmts[0].stmt)


@pytest.mark.parametrize("node", [field.name for field in pg_query_pb2.Node.DESCRIPTOR.fields])
def test_every_kind_of_node_that_is_not_listed_is_refused(node: str) -> None:
    tree = parse("select 1")
    inner = getattr(tree.stmts[0].stmt.select_stmt.target_list.add(), node)
    inner.SetInParent()
    walk = Walk("select 1", grammar().nodes)
    if inner.DESCRIPTOR.name in grammar().nodes - {"String"}:
        walk.check(tree.stmts[0].stmt)
    else:
        with pytest.raises(Unproven):
            walk.check(tree.stmts[0].stmt)
