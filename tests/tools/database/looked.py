"""Calls a tool of the database squad on a real server, as the executor does: its quotes are checked."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg

from opssquad import Cluster, Database, Result, Signal, Tool
from opssquad.executor import cited
from opssquad.investigation.systems import proven
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.server import SUPERUSER, Server

LONG = 6_000
"""Characters that a view may have at most: a model reads many of them."""
WIDE = 200
"""A line may be as long: statements are told on one."""


def look(
    server: Server, tool: Tool, user: str = SUPERUSER, dbname: str = "postgres", **args: object
) -> Result:
    """What the tool tells a login of that name of the server."""
    return asyncio.run(looked(server, tool, user, dbname, None, **args))


async def looked(
    server: Server, tool: Tool, user: str, dbname: str, cluster: Cluster | None, **args: object
) -> Result:
    """The same, also with a cluster at hand."""
    database = Database(Postgres(parse(server.dsn(user, dbname))), proven)
    handles = {Database: database, **({Cluster: cluster} if cluster else {})}
    try:
        result = cited(tool, await tool.run(args, handles))
    finally:
        await database.close()
    assert len(result.text) < LONG
    return result


def signals(result: Result, id: str) -> list[Signal]:
    """Its signals of that name."""
    return [each for each in result.signals if each.id == id]


def one(result: Result, id: str) -> Signal:
    """Its only signal of that name."""
    (found,) = signals(result, id)
    return found


def grave(result: Result) -> list[str]:
    """The names of its signals that say that something is wrong."""
    return [each.id for each in result.signals if each.severity != "info"]


@contextlib.contextmanager
def client(
    server: Server, name: str, user: str = SUPERUSER, dbname: str = "postgres"
) -> Iterator[psycopg.Connection]:
    """A client's session, in autocommit, gone at the end whatever it does."""
    connection = server.connect(user, dbname, application_name=name)
    try:
        yield connection
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=2)
        connection.close()


@contextlib.contextmanager
def waiting(connection: psycopg.Connection, statement: str) -> Iterator[None]:
    """The statement runs in a thread of its own, and will not come to an end by itself."""

    def run() -> None:
        with contextlib.suppress(psycopg.Error):
            connection.execute(statement)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=2)
        thread.join(10)


def until(holds: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Wait until it holds. Fails with what was waited for."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.03)


def value(server: Server, query: str, dbname: str = "postgres") -> object:
    """What a query of one value gives."""
    with server.connect(dbname=dbname) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def blocked(server: Server, count: int) -> None:
    """Wait until so many sessions wait for a lock."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    until(lambda: value(server, query) == count, f"{count} sessions that wait for a lock")
