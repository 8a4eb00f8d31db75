"""A live PostgreSQL database: named looks in read-only transactions, acts on a connection of their own.

At most two connections at a time, one for looks and one for an act, and none while nothing is asked for a
moment: a server that is short of connections must not lose one to whoever looks why.
"""

import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor, generators, sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from opssquad.errors import ToolError, ToolUnsure
from opssquad.times import parse_time, wall_clock
from opssquad.types import Json
from opssquad.worlds.sql.acts import LOCK_WAIT, Act, Statement, act_of, text_of
from opssquad.worlds.sql.connections import Connections, saying, taken
from opssquad.worlds.sql.database import Answered, Bind, Done, Rows
from opssquad.worlds.sql.dsn import Meant
from opssquad.worlds.sql.looks import LookSpec, hidden, lacking, look_of
from opssquad.worlds.sql.naming import naming
from opssquad.worlds.sql.trouble import DatabaseError

FRESH = 30.0
"""Seconds that facts about the server hold."""
BATCH = 100
"""Rows that are fetched at a time; one at first, and fewer where they are long: all are in memory at once."""
GARBLED = ("22021", "22P05")
"""PostgreSQL's codes for a text that it cannot put into another encoding: one such statement of any database
takes the whole view pg_stat_statements away."""
GENERIC = re.compile(r"explain\s*\([^)]*\bgeneric_plan\b", re.IGNORECASE)
"""A statement whose parameters have no values."""
PLAIN = re.compile(r"(?:\s+|--[^\n]*\n|/\*[^*/]*\*/)*(?:explain|show)\b", re.IGNORECASE)
"""A statement for which there is no cursor."""
DENIED = ("vacuum_is_permitted_for_relation", "vacuum_is_relation_owner")
"""Where in PostgreSQL (16 and later, before) the warning is from that a table is left out, because the role
may not vacuum or analyze it: it has no code of its own, and its words are in the server's language."""


class Postgres:
    """A database over the network. Not connected until it is asked for something."""

    def __init__(self, dsn: Meant) -> None:
        self._dsn, self._to = dsn, Connections(dsn)
        self._facts: Json = {}
        self._facts_at = -FRESH
        self._ahead = timedelta()

    @property
    def name(self) -> str:
        """The database's name."""
        return self._dsn.dbname

    @property
    def server(self) -> str:
        """Where it is served: `host:port`."""
        return self._dsn.server

    def now(self) -> datetime:
        """The server's clock, as it was last seen, running on; ours where it was not seen yet."""
        return wall_clock() + self._ahead

    def login(self) -> Json:
        """Where and as whom; no secret."""
        return self._dsn.described()

    async def facts(self) -> Json:
        """The row of the look `server`, at most half a minute old."""
        if time.monotonic() - self._facts_at > FRESH:
            spec = look_of("server")
            found = await self._read(spec.text(0), 1)
            seen = parse_time(found[0]["now"])
            self._facts, self._facts_at, self._ahead = found[0], time.monotonic(), seen - wall_clock()
        return self._facts

    async def rows(self, look: str, where: Mapping[str, str]) -> Rows:
        """Rows of a look; what cannot be seen is in `missing`. Raises DatabaseError."""
        spec = look_of(look)
        facts = await self.facts()
        if look == "server":
            return Rows(look, self.name, (facts,))
        if lost := lacking(spec, facts):
            return Rows(look, self.name, missing=lost)
        try:
            found = await self._read(await self._text(spec, facts), spec.most + 1, where)
        except DatabaseError as error:
            if error.kind != "denied" and error.sqlstate not in GARBLED:
                raise
            return Rows(look, self.name, missing=f"{error.said}, so this is not told: {spec.tells}")
        return Rows(look, self.name, found[: spec.most], hidden(spec, facts), cut=len(found) > spec.most)

    async def select(self, statement: str, most: int, size: int, binds: Sequence[Bind] = ()) -> Answered:
        """Run a statement that reads, by a cursor where it can have one."""
        bare = statement.strip().rstrip(";")
        async with self._to.looking() as connection, naming(connection, bare, self._to.where):
            if GENERIC.match(bare):
                return taken(await _planned(connection, bare.encode()), most, size)
            if PLAIN.match(bare):
                return taken(await _bound(connection, bare, binds), most, size)
            # Binary, so that it goes by the protocol that takes no second statement.
            await _bound(connection, f"declare taken no scroll cursor for {bare}", binds)
            return await _fetched(connection, most, size)

    async def log(self, most: int) -> Rows:
        """The end of the server's log file, where it has one that we may read."""
        facts, place = await self.facts(), await self.rows("log_file", {})
        file = place.rows[0]["file"] if place.rows else None
        if not file:
            why = place.missing or "the server writes no log file of its own (logging_collector is off)"
            return Rows("log", self.name, missing=why)
        statement = sql.SQL(
            "select regexp_split_to_table(pg_read_file(f.file, greatest(f.size - {most}, 0), {most}),"
            " E'\\n') as line from (select l.file, d.size from (select {file}::text)"
            " l (file) join pg_ls_logdir() d on l.file like '%/' || d.name) f"
        ).format(file=file, most=most)
        try:
            found = await self._read(statement.as_string(None), most)
        except DatabaseError as error:
            if error.kind != "denied":
                raise
            return Rows(
                "log",
                self.name,
                missing=f"{error.said}, so the server's log {file} cannot be read here; a superuser mends it"
                f" with: GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint) TO {facts['role']}",
            )
        return Rows("log", self.name, [row for row in found if row["line"]])

    def statement(self, act: str, args: Json) -> str:
        """What the act would run."""
        return act_of(act, args).text()

    async def act(self, act: str, args: Json) -> Done:
        """Run an act's statements on a connection of its own. Raises DatabaseError, and ToolUnsure where the
        answer was lost."""
        todo = act_of(act, args)
        # What was approved is carried out also by a role, or in a database, that only reads by default.
        options = {"lock_timeout": LOCK_WAIT, "default_transaction_read_only": "off"}
        if todo.patient:
            # Its deadline bounds it: a timeout that is meant for queries would leave half an index.
            options |= {"lock_timeout": "0", "statement_timeout": "0"}
        if todo.calls:
            # Whoever owns a database may have its sessions find functions of theirs first.
            options["search_path"] = "pg_catalog"
        connection = await self._to.connect(options)
        # Read at once: they are gone with the message that brought them.
        notices: list[tuple[str, str]] = []
        connection.add_notice_handler(
            lambda said: notices.append((str(said.message_primary), str(said.source_function)))
        )
        try:
            for number, statement in enumerate(todo.statements):
                cursor = await self._run(connection, statement, todo.statements[:number])
                if todo.gone:
                    await self._answered(todo, cursor)
        finally:
            await connection.close()
        self._facts_at = -FRESH
        for said, source in notices:
            if source in DENIED:
                raise DatabaseError(self._to.where, "denied", f"{todo.text()}: {said}")
        return Done(todo.text(), "; ".join(said for said, _ in notices[:3]))

    async def _run(
        self, connection: AsyncConnection[Any], statement: Statement, before: Sequence[Statement]
    ) -> AsyncCursor[Any]:
        try:
            async with saying(self._to.where, connection):
                return await connection.execute(statement)
        except DatabaseError as error:
            if error.kind == "lost" or connection.closed:
                raise ToolUnsure(f"{error}; it may have happened") from error
            if before:
                raise ToolUnsure(
                    f"{text_of(before)} is done, but {text_of((statement,))}: {error}"
                ) from error
            raise

    async def _answered(self, todo: Act, cursor: AsyncCursor[Any]) -> None:
        row = await cursor.fetchone()
        if row is None:
            raise ToolError(f"{todo.gone}; look again")
        if row[0] is not True:
            raise ToolError(f"{self._to.where}: the server did not carry out {todo.text()}")

    async def identity(self) -> str:
        """The server's system identifier and the database's name; its address where that may not be read."""
        try:
            rows = await self._read("select system_identifier::text as id from pg_control_system()", 1)
        except DatabaseError as error:
            if error.kind != "denied":
                raise
            return f"server={self.server} database={self.name}"
        return f"system={rows[0]['id']} database={self.name}"

    async def close(self) -> None:
        """Close what is open."""
        await self._to.close()

    async def _text(self, spec: LookSpec, facts: Json) -> str:
        """The look's statement, with names of extensions put where they are installed."""
        text = spec.text(int(facts["version_num"]))
        if not spec.needs or not spec.needs.extension:
            return text
        found = await self._read(
            "select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace"
            f" where e.extname = '{spec.needs.extension}'", 1,
        )  # fmt: skip
        schema = sql.Identifier(found[0]["schema"]).as_string(None) if found else "public"
        for view in (spec.needs.extension, f"{spec.needs.extension}_info"):
            text = text.replace(f"{{{view}}}", f"{schema}.{view}")
        return text

    async def _read(self, text: str, most: int, where: Mapping[str, str] | None = None) -> list[Json]:
        wanted = sql.SQL(" and ").join(
            sql.SQL("q.{}::text = {}").format(sql.Identifier(name), value)
            for name, value in (where or {}).items()
        )
        statement = sql.SQL("select row_to_json(q) from ({}) q {} limit {}").format(
            sql.SQL(text), sql.SQL("where {}").format(wanted) if where else sql.SQL(""), most
        )  # fmt: skip
        async with self._to.looking() as connection:
            # As bytes: a statement of a session in another database is in the encoding of that one.
            found = taken(await connection.execute(statement), most, sys.maxsize)
            return [json.loads(row[0]) for row in found.rows if row[0] is not None]


async def _fetched(connection: AsyncConnection[Any], most: int, size: int) -> Answered:
    """Rows of the cursor `taken`, as far as `most` rows and `size` characters go."""
    columns: tuple[str, ...] = ()
    rows: list[Sequence[str | None]] = []
    room, batch = size, 1
    while len(rows) <= most and room >= 0:
        cursor = await connection.execute(f"fetch {batch} from taken".encode())
        part = taken(cursor, most - len(rows), room)
        columns, rows = tuple(part.columns), [*rows, *part.rows]
        lengths = [sum(len(cell or "") for cell in row) for row in part.rows]
        room -= sum(lengths)
        if part.cut or cursor.rowcount < batch:
            return Answered(columns, rows, part.cut)
        batch = max(1, min(BATCH, room // max(1, *lengths)))
    return Answered(columns, rows, cut=True)


async def _bound(connection: AsyncConnection[Any], text: str, binds: Sequence[Bind]) -> AsyncCursor[Any]:
    """Run a text with the values of its parameters beside it; `%` is no sign of ours in it."""
    cursor = AsyncRawCursor(connection)
    return await cursor.execute(text.encode(), list(binds) or None, binary=True)


async def _planned(connection: AsyncConnection[Any], statement: bytes) -> AsyncCursor[Any]:
    """A plan for any values. They can be left open only by the protocol that would take a second statement
    too, so the server is first asked by the other one, which knows of one alone."""
    # Not in a thread, which would go on with the connection after a deadline has closed it.
    connection.pgconn.send_prepare(b"", statement)
    (parsed,) = await connection.wait(generators.execute(connection.pgconn))
    if parsed.status != ExecStatus.COMMAND_OK:
        raise error_from_result(parsed)
    return await connection.execute(statement)
