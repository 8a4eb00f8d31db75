"""All tools that read, and the squad, on a server as it is: the one of `OPSSQUAD_TEST_DSN`, on which nothing
is made, else one of ours."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from opssquad import Database, Tool, ToolError, content
from opssquad.events import Concluded
from opssquad.executor import cited
from opssquad.investigation import Investigation, Options
from opssquad.investigation.systems import proven
from opssquad.squad.spec import load_squad
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.server import running

THEIRS = "OPSSQUAD_TEST_DSN"
TOOLS = {
    tool.name: tool
    for tool in content.tools(load_squad(content.squad("database")).tools)
    if tool.effect == "read" and Database in tool.act.handles.values()
}
ARGS = {"explain": {"statement": "select 1"}, "query": {"statement": "select 1 as one"}}
OURS = "select count(*) from pg_stat_activity where application_name = 'opssquad' and usename = current_user"


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    if given := os.environ.get(THEIRS):
        yield given
    else:
        with running() as server:
            yield server.dsn()


def test_there_are_tools_to_try() -> None:
    assert {"overview", "blocking", "query"} <= set(TOOLS)


async def told(tool: Tool, dsn: str) -> str:
    """What it says; on a server of somebody else's also why it cannot."""
    database = Database(Postgres(parse(dsn)), proven)
    try:
        return cited(tool, await tool.run(ARGS.get(tool.name, {}), {Database: database})).text
    except ToolError as error:
        if THEIRS in os.environ:
            return str(error)
        raise
    finally:
        await database.close()


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_a_tool_answers_or_says_why_not_and_leaves_nothing_open(dsn: str, name: str) -> None:
    assert await told(TOOLS[name], dsn)
    with psycopg.connect(dsn) as other:
        assert other.execute(OURS).fetchone() == (0,)


async def test_the_squad_comes_to_a_conclusion(dsn: str, tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="kim", squad="database", dsn=SecretStr(dsn), mode="ask")
    async with await Investigation.open(options) as run:
        events = [event async for event in run.ask("Is anything wrong with the database?")]
    (concluded,) = [event.conclusion for event in events if isinstance(event, Concluded)]
    assert concluded.no_fault or concluded.causes or concluded.missing
