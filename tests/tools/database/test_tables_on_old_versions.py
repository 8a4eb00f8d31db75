"""What the tools read of tables, statements and rights is read on an older server too, and by a login that
may do next to nothing."""

from collections.abc import Iterator

import pytest
from tools.database.explain import explain
from tools.database.grants import grants
from tools.database.indexes import indexes
from tools.database.query import query
from tools.database.schema import schema
from tools.database.settings import settings
from tools.database.slow_statements import slow_statements
from tools.database.tables import tables

from opssquad import Tool
from tests.postgres.binaries import folder
from tests.postgres.server import Server, running
from tests.tools.database.looked import grave, look

OLD = "15"
SAFE = {"fsync": "on", "full_page_writes": "on"}
CALLS: list[tuple[Tool, dict[str, object]]] = [
    (slow_statements, {"seconds": 0}),
    (tables, {"table": "events_1"}),
    (indexes, {}),
    (explain, {"statement": "select 1"}),
    (schema, {}),
    (settings, {}),
    (query, {"statement": "select 1"}),
    (grants, {"table": "notes"}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        folder(OLD)
    except RuntimeError as error:
        pytest.skip(str(error))
    with running(OLD, **SAFE) as made:
        made.run(
            "create extension pg_stat_statements",
            "create role watcher login in role pg_monitor",
            "create role nobody_much login",
            "create table notes (id int primary key, other int references notes)",
            "create table events (id int) partition by range (id)",
            "create table events_1 partition of events for values from (1) to (9)",
            "create table alembic_version (version_num text)",
        )
        yield made


@pytest.mark.parametrize("user", ["watcher", "nobody_much"])
@pytest.mark.parametrize(("tool", "args"), CALLS, ids=[tool.name for tool, _ in CALLS])
def test_a_healthy_server_shows_nothing_grave(
    server: Server, tool: Tool, args: dict[str, object], user: str
) -> None:
    result = look(server, tool, user, **args)
    assert grave(result) == []
    assert result.text
    assert user != "watcher" or "Not seen" not in result.text
