"""Carries out changes on a real server as the house does: card, act, check, and that the card's binding is
read anew the same way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opssquad import Check, Database, Preview, Progress, Result, Tool, Undo
from opssquad.executor import cited
from opssquad.toolbox import Handles
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.server import SUPERUSER, Server


@dataclass
class Acting:
    """A login of the server, and what running checks said."""

    database: Database
    said: list[str] = field(default_factory=list)

    @property
    def handles(self) -> Handles:
        """What a tool gets."""
        return {Database: self.database, Progress: Progress(self.said.append)}

    async def foresee(self, tool: Tool, **args: object) -> tuple[Preview, Undo]:
        """The card; what it is bound to is read anew the same way."""
        preview, undo = await tool.foresee(args, self.handles)
        assert preview.binding
        assert await tool.observed(args, self.handles) == preview.binding
        return preview, undo

    async def run(self, tool: Tool, **args: object) -> Result:
        """The act."""
        return cited(tool, await tool.run(args, self.handles))

    async def check(self, tool: Tool, preview: Preview, **args: object) -> Check:
        """Whether it helped."""
        return await tool.check(args, preview.before, self.handles)

    async def carry_out(self, tool: Tool, **args: object) -> tuple[Preview, Undo, Check]:
        """Card, act and check."""
        preview, undo = await self.foresee(tool, **args)
        result = await self.run(tool, **args)
        assert result.commands == (preview.command,)
        return preview, undo, await self.check(tool, preview, **args)


@asynccontextmanager
async def acting(server: Server, user: str = SUPERUSER, dbname: str = "postgres") -> AsyncIterator[Acting]:
    """A login that may look and act; nothing of it is left open at the end."""
    database = Database(Postgres(parse(server.dsn(user, dbname))), prove=lambda statement: statement)
    try:
        yield Acting(database)
    finally:
        await database.close()
