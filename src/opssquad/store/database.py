"""One SQLite file: opened safely, brought to the current schema, used one transaction at a time.

Errors of SQLite become `StoreError` here and nowhere else. What is stored is not known here.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from opssquad.errors import StoreError
from opssquad.store import schema

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_SECONDS = 10.0
PAUSE = 0.02


class Database:
    """A connection with a thread of its own. Every piece of work is one transaction, and a write that was
    begun is finished even if the one who asked for it is cancelled."""

    def __init__(self, path: Path, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.path = path
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file (mode 0600). Raises StoreError: newer schema, not ours, corrupt, locked."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opssquad-store")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(path, connection, thread)

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        await self._run(self._connection.close)
        self._thread.shutdown(wait=False)

    async def read(self, work: Work[T]) -> T:
        """Do the work in one transaction that sees one state of the file."""
        return await self._run(lambda: self._transact(work, "begin"))

    async def write(self, work: Work[T], *, durable: bool = False) -> T:
        """Do the work in one transaction; either all of it is on record or none.

        It survives the death of the process. With `durable` it survives the loss of power too, and so does
        everything that was written before it.
        """

        def begin() -> T:
            self._connection.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            return self._transact(work, "begin immediate")

        return await asyncio.shield(self._run(begin))

    def _run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        def translated() -> T:
            with translate(self.path):
                return function()

        return asyncio.get_running_loop().run_in_executor(self._thread, translated)

    def _transact(self, work: Work[T], begin: str) -> T:
        connection = self._connection
        connection.execute(begin)
        try:
            value = work(connection)
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.execute("rollback")
        return value


@contextmanager
def translate(path: Path) -> Iterator[None]:
    """SQLite's errors as one line that says which file, what is wrong, and what to do."""
    try:
        yield
    # In a damaged file even the message, or a text, may be no UTF-8.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: {error}; {_advice(str(error))}") from error


@contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state of the file and changes nothing, beside whoever writes; the file is
    neither made nor brought up to date. Raises StoreError."""
    with translate(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        try:
            connection.execute("pragma trusted_schema = off")
            connection.execute("pragma query_only = on")
            connection.execute("begin")
            yield connection
        finally:
            connection.close()


def _advice(said: str) -> str:
    if "locked" in said or "busy" in said:
        return "another process holds it; try again, or end that process"
    if "full" in said or "I/O" in said:
        return "make room on the disk; nothing was half-written"
    if "readonly" in said or "unable to open" in said:
        return "check the permissions of the file and its folder"
    return "it is damaged or not ours: move it away to start anew, or restore a copy"


def _connect(path: Path) -> sqlite3.Connection:
    with translate(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # In one transaction: another process may be making the file at this moment.
    connection.execute("begin")
    try:
        complete = schema.complete(connection, path)
    finally:
        connection.execute("rollback")
    _write_ahead(connection)
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma trusted_schema = off")
    if complete:
        return
    connection.execute("begin immediate")
    try:
        schema.bring_up(connection, path)
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait for that lock, so of two that open a new file at once
    one would fail."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(PAUSE)
