"""Asks a tool that runs statements of one's own, with the proof that they only read."""

import asyncio

from opssquad import Database, Result, Tool
from opssquad.executor import cited
from opssquad.investigation.systems import proven
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.server import SUPERUSER, Server
from tests.tools.database.looked import LONG


def ask(
    server: Server, tool: Tool, user: str = SUPERUSER, dbname: str = "postgres", **args: object
) -> Result:
    """What the tool tells a login of that name of the server."""
    return asyncio.run(_asked(server, tool, user, dbname, **args))


async def _asked(server: Server, tool: Tool, user: str, dbname: str, **args: object) -> Result:
    database = Database(Postgres(parse(server.dsn(user, dbname))), proven)
    try:
        result = cited(tool, await tool.run(args, {Database: database}))
    finally:
        await database.close()
    assert len(result.text) < LONG
    return result
