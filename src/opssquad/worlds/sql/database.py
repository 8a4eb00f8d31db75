"""The database handle that tools get; the same for a live database and a recorded one.

Looks are named, their rows are JSON objects. A handle limited to reading refuses every act. How rows come
and acts are done is its backend's: `postgres` or `recorded`.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from opssquad.errors import Refused, ToolError
from opssquad.findings import Quote
from opssquad.toolbox import Handle
from opssquad.types import Effect, Json

Bind = str | int | float | bool | None
"""A value of a parameter of a statement."""


@dataclass(frozen=True)
class Rows:
    """What a look showed. `missing` says what could not be seen and what that costs; `cut`: there were more
    rows than are read of that look. `name` is the database's."""

    look: str
    name: str
    rows: Sequence[Json] = ()
    missing: str = ""
    cut: bool = False

    def source(self) -> Quote:
        """The rows as a place that can be quoted: a line each."""
        return Quote(locator=f"rows {self.name}/{self.look}", text="\n".join(map(row_text, self.rows)))

    def quote(self, row: Json, *columns: str) -> Quote:
        """A row as evidence, or its part from the first to the last of those columns."""
        names = list(row)
        at = [names.index(column) for column in columns if column in row]
        part = names[min(at) : max(at) + 1] if at else names
        text = row_text({name: row[name] for name in part})
        return Quote(locator=f"rows {self.name}/{self.look}", text=text)


def row_text(row: Json) -> str:
    """A row as one line: `pid=4711 state=active query=select 1`; what is not set is left out."""
    return " ".join(f"{name}={shown(value)}" for name, value in row.items() if value is not None)


def shown(value: Any) -> str:
    """A value on one line, without what could draw on a terminal."""
    if isinstance(value, list):
        return "{" + ",".join(map(shown, value)) + "}"
    if isinstance(value, bool):
        return "t" if value else "f"
    return " ".join(str(value).split())


@dataclass(frozen=True)
class Answered:
    """What a free statement gave: names of columns, rows as text, whether there was more."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    cut: bool = False


@dataclass(frozen=True)
class Done:
    """What an act did: its statement as it was run, and what the server said."""

    statement: str
    said: str = ""


class Prove(Protocol):
    """Gives a statement back as it may be run, because it provably only reads; raises ToolError for others.
    With `binds` the statement has parameters, whose values go beside it."""

    def __call__(self, statement: str, *, binds: bool = ...) -> str: ...


def _nothing_proven(statement: str, *, binds: bool = False) -> str:
    raise ToolError("no statement of one's own can be run here: nothing proves that it only reads")


class Backend(Protocol):
    """A database, live or recorded."""

    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    def now(self) -> datetime: ...
    def login(self) -> Json: ...
    async def facts(self) -> Json: ...
    async def rows(self, look: str, where: Mapping[str, str]) -> Rows: ...
    async def select(self, statement: str, most: int, size: int, binds: Sequence[Bind] = ...) -> Answered: ...
    async def log(self, most: int) -> Rows: ...
    async def act(self, act: str, args: Json) -> Done: ...
    def statement(self, act: str, args: Json) -> str: ...
    async def identity(self) -> str: ...
    async def close(self) -> None: ...


class Database(Handle):
    """A PostgreSQL database as one login sees it. `name` is the database's, `server` is `host:port`.

    Every call raises ToolError in one line that says what to try; trouble of the server's own is a
    `DatabaseError`.
    """

    def __init__(self, backend: Backend, prove: Prove = _nothing_proven) -> None:
        self._backend = backend
        self._prove = prove
        self._writable = True

    @property
    def name(self) -> str:
        """The database's name."""
        return self._backend.name

    @property
    def server(self) -> str:
        """Where it is served: `host:port`."""
        return self._backend.server

    def limited(self, effect: Effect) -> Self:
        """The handle for a call of that effect: for `read`, acts raise Refused."""
        other = copy.copy(self)
        other._writable = self._writable and effect == "mutate"
        return other

    def now(self) -> datetime:
        """The world's clock: that of the server, running on."""
        return self._backend.now()

    def login(self) -> Json:
        """Which server is meant and as whom, for the record: no secret in it."""
        return self._backend.login()

    async def facts(self) -> Json:
        """Version, recovery state, limits, extensions and who we are: the row of the look `server`."""
        return await self._backend.facts()

    async def rows(self, look: str, **where: str) -> Rows:
        """The rows of a look, those whose columns have these values if any are given. What this login or
        server cannot show is said in `missing`."""
        return await self._backend.rows(look, where)

    async def log(self, most: int = 400_000) -> Rows:
        """The end of the server's log, a row `{line: ...}` each, as far as `most` bytes go."""
        return await self._backend.log(most)

    async def select(
        self, statement: str, most: int = 200, size: int = 100_000, binds: Sequence[Bind] = ()
    ) -> Answered:
        """Run one statement that provably only reads, in a read-only transaction: at most that many rows and
        characters of it. `binds` are the values of its parameters, `$1` the first; they are sent beside it,
        never put into it. Raises ToolError for any other."""
        if binds:
            return await self._backend.select(self._prove(statement, binds=True), most, size, binds)
        return await self._backend.select(self._prove(statement), most, size)

    def statement(self, act: str, **args: Any) -> str:
        """What an act would run, as an engineer would type it. Raises ToolError for an act that is none."""
        return self._backend.statement(act, args)

    async def act(self, act: str, **args: Any) -> Done:
        """Do what is known by that name (`acts` says which there are). Raises Refused from a handle that is
        limited to reading."""
        if not self._writable:
            raise Refused(f"{act} would change {self.name}, and this call may only read")
        return await self._backend.act(act, args)

    async def identity(self) -> str:
        """What tells this database from all others, whatever its address."""
        return await self._backend.identity()

    async def close(self) -> None:
        """Leave nothing open on the server."""
        await self._backend.close()
