"""A live database as a test opens it, and what the server has of ours."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.dsn import Dsn, parse
from opssquad.worlds.sql.postgres import Postgres
from opssquad.worlds.sql.trouble import DatabaseError, Kind
from tests.postgres.server import Server


@asynccontextmanager
async def opened(dsn: str | Dsn) -> AsyncIterator[Database]:
    """The database, whose statements run as they are given, and are not proven to read."""
    meant = parse(dsn) if isinstance(dsn, str) else dsn
    database = Database(Postgres(meant), prove=lambda statement, *, binds=False: statement)
    try:
        yield database
    finally:
        await database.close()


def ours(server: Server, more: str = "") -> int:
    """How many sessions of ours the server has."""
    with server.connect() as root:
        query = f"select count(*) from pg_stat_activity where application_name = 'opssquad' {more}"
        row = root.execute(query).fetchone()
        assert row
        return int(row[0])


async def settled(server: Server, count: int = 0, more: str = "", seconds: float = 3.0) -> None:
    """Wait until so many sessions of ours are there."""
    end = time.monotonic() + seconds
    while (found := ours(server, more)) != count:
        assert time.monotonic() < end, f"{found} sessions of ours, not {count}"
        await asyncio.sleep(0.02)


async def refused(dsn: str, kind: Kind, said: str) -> DatabaseError:
    """That the database cannot be looked at, and is said to be so in one clear line."""
    async with opened(dsn) as database:
        with pytest.raises(DatabaseError, match=said) as raised:
            await database.facts()
    assert raised.value.kind == kind, str(raised.value)
    assert raised.value.blind
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500
    return raised.value
