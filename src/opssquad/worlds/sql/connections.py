"""Connections to a PostgreSQL server: at most one that looks, and none while nobody asks for a moment."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from opssquad.worlds.sql.database import Answered
from opssquad.worlds.sql.dsn import Meant
from opssquad.worlds.sql.naming import BUILT_IN
from opssquad.worlds.sql.trouble import DatabaseError, told

CONNECTING = 5
"""Seconds to connect; one more server named in the DSN, one more time."""
READING = 8_000
"""Milliseconds that one statement may run."""
TRIES, BETWEEN = 4, 0.4
"""How often we ask for a connection where none is left: clients come and go. Seconds in between."""
LINGER = 1.5
"""Seconds that a connection is kept for the next look."""
READ_ONLY = {
    "statement_timeout": str(READING),
    "lock_timeout": "500",
    "idle_in_transaction_session_timeout": "10000",
    "work_mem": "4MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # A statement was proven to read by these rules of quoting.
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "on",
}
"""What holds for every transaction that looks: local to it, since behind a pooler the session is next another
client's, who must not find it read-only."""
OURS = {"application_name": "opssquad", "client_encoding": "UTF8"}
"""What of a DSN is ours to say."""
LOST = "08006"
"""PostgreSQL's code for a connection that broke."""
VAIN = 10.0
"""Seconds after which it is worth waiting again."""
PASSING = ("full", "starting")
"""Trouble in connecting that may be over in a second."""


class Connections:
    """Opens connections by a DSN; lends out the one that looks, to one caller at a time."""

    def __init__(self, dsn: Meant) -> None:
        self._dsn = dsn
        self._looking = asyncio.Lock()
        self._open: AsyncConnection[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._vain = -VAIN

    @property
    def where(self) -> str:
        """The database and its server, as messages name them."""
        return self._dsn.where

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A read-only transaction on the connection that looks. Raises DatabaseError."""
        async with self._looking:
            if self._closing:
                self._closing.cancel()
            if self._open is None or self._open.closed:
                self._open = await self._reading()
            try:
                async with saying(self.where, self._open), self._open.transaction():
                    await self._open.execute(_sets(READ_ONLY))
                    yield self._open
            except BaseException:
                # Whatever state it is in is not for the next one.
                await self._shut()
                raise
            self._closing = asyncio.create_task(self._close_later())

    async def _reading(self) -> AsyncConnection[Any]:
        connection = await self.connect({})
        await connection.set_read_only(True)
        return connection

    async def close(self) -> None:
        """Close what is open."""
        if self._closing:
            self._closing.cancel()
        async with self._looking:
            await self._shut()

    async def connect(self, options: Mapping[str, str]) -> AsyncConnection[Any]:
        """A new connection in autocommit, with those settings. Raises DatabaseError."""
        # What was waited for in vain a moment ago is not waited for again by every look.
        tries = TRIES if time.monotonic() > self._vain + VAIN else 1
        for attempt in range(1, tries):
            try:
                return await self._connect(options)
            except DatabaseError as error:
                if error.kind not in PASSING:
                    raise
            await asyncio.sleep(BETWEEN * attempt)
        try:
            return await self._connect(options)
        except DatabaseError as error:
            if error.kind in PASSING:
                self._vain = time.monotonic()
            raise

    async def _close_later(self) -> None:
        await asyncio.sleep(LINGER)
        async with self._looking:
            await self._shut()

    async def _shut(self) -> None:
        if self._open:
            await self._open.close()
        self._open = None

    async def _connect(self, options: Mapping[str, str]) -> AsyncConnection[Any]:
        dsn = await self._dsn.resolve()
        given = psycopg.conninfo.conninfo_to_dict(dsn.conninfo.get_secret_value())
        own = str(given.pop("options", None) or "")
        words = {"connect_timeout": CONNECTING, **given, **OURS}
        asked = " ".join([own, *(f"-c {name}={value}" for name, value in options.items())]).strip()
        async with saying(self.where):
            try:
                return await _connected(words, asked)
            except psycopg.OperationalError as error:
                # A pooler that passes none on. Ours are left out then, and the call's deadline bounds it; to
                # set them once connected would set them for whoever gets the session next.
                if not options or "unsupported startup parameter" not in str(error):
                    raise
            return await _connected(words, own)


def _sets(values: Mapping[str, str]) -> sql.Composed:
    """One request that sets them all, as long as the transaction lasts."""
    each = (
        sql.SQL("set local {} = {}").format(sql.Identifier(name), value) for name, value in values.items()
    )
    return sql.SQL("; ").join((*each, BUILT_IN))


async def _connected(words: Mapping[str, Any], options: str) -> AsyncConnection[Any]:
    conninfo = psycopg.conninfo.make_conninfo("", **words, **({"options": options} if options else {}))
    connection = await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # Such a server holds any bytes, and would refuse to send those that are no UTF-8.
        await connection.execute("set client_encoding = 'SQL_ASCII'")
    return connection


@contextlib.asynccontextmanager
async def saying(where: str, over: AsyncConnection[Any] | None = None) -> AsyncIterator[None]:
    """What the library raises is one clear line; what breaks an open connection is no trouble in connecting,
    whatever its words. Raises DatabaseError."""
    try:
        yield
    except psycopg.Error as error:
        message = error.diag.message_primary or str(error)
        broken = over is not None and over.closed and not error.sqlstate
        raise told(where, message, LOST if broken else error.sqlstate or "") from error


def taken(cursor: Any, most: int, size: int) -> Answered:
    """Rows as the server wrote them, as far as `most` rows and `size` characters go."""
    result = cursor.pgresult
    columns = tuple(column.name for column in cursor.description or ())
    rows: list[tuple[str | None, ...]] = []
    for number in range(result.ntuples):
        cells = (result.get_value(number, column) for column in range(result.nfields))
        row = tuple(None if cell is None else cell.decode(errors="replace") for cell in cells)
        size -= sum(len(cell or "") for cell in row)
        if len(rows) >= most or size < 0:
            return Answered(columns, rows, cut=True)
        rows.append(row)
    return Answered(columns, rows)
