"""What the tools read is read on an older server as well, by one who may only look."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from tools.database.blocking import blocking
from tools.database.overview import overview
from tools.database.replication import replication
from tools.database.server_log import server_log
from tools.database.sessions import sessions

from opssquad import Tool
from tests.postgres.binaries import folder
from tests.postgres.server import Server, running
from tests.tools.database.looked import client, grave, look, one

OLD = "15"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        folder(OLD)
    except RuntimeError as error:
        pytest.skip(str(error))
    with running(OLD) as made:
        made.run(
            "create role watcher login in role pg_monitor",
            "grant execute on function pg_read_file(text, bigint, bigint) to watcher",
        )
        yield made


@pytest.mark.parametrize(
    "tool", [overview, sessions, blocking, replication, server_log], ids=lambda t: t.name
)
def test_all_is_seen_by_a_member_of_pg_monitor(server: Server, tool: Tool) -> None:
    result = look(server, tool, "watcher")
    assert "Not seen" not in result.text
    assert grave(result) == []


def test_the_log_is_found_where_the_current_file_may_not_be_asked_for(server: Server) -> None:
    with client(server, "billing") as connection, suppress(psycopg.Error):
        connection.execute("select total from pg_class")
    assert one(look(server, server_log, "watcher"), "log.undefined_column").data["column"] == "total"
