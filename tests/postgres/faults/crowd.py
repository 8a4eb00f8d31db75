"""Sessions of an application's clients on a real server: some the maker drives itself, some that work in
threads of their own as programs do (they meet errors, pause, reconnect). All end with the block.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator

import psycopg

from tests.postgres.faults.application import Application, Client, password
from tests.postgres.server import Server

Step = Callable[[psycopg.Connection], object]
WAIT = 10.0
"""Seconds until something that was begun must be seen."""


class Worker(threading.Thread):
    """A session that repeats a step. `errors` is what the server refused, in order, newest last."""

    def __init__(
        self, server: Server, connect: Callable[[], psycopg.Connection], step: Step, every: float
    ) -> None:
        super().__init__(daemon=True)
        self.server, self.connect, self.step, self.every = server, connect, step, every
        self.errors: list[str] = []
        self.done = 0
        self.pid = 0
        self.leaving = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.leaving.is_set():
            try:
                with contextlib.closing(self.connect()) as connection:
                    self.pid = connection.info.backend_pid
                    self._work(connection)
            except psycopg.Error as error:
                self.errors.append(str(error).strip())
            self.pid = 0
            self.leaving.wait(max(self.every, 0.1))

    def end(self) -> None:
        """Have the server end its session."""
        if pid := self.pid:
            with contextlib.suppress(psycopg.OperationalError):
                self.server.run(f"select pg_terminate_backend({pid})")

    def _work(self, connection: psycopg.Connection) -> None:
        while not self.leaving.is_set() and not connection.broken:
            try:
                self.step(connection)
                self.done += 1
            except psycopg.Error as error:
                self.errors.append(str(error).strip())
            self.leaving.wait(self.every)


class Crowd:
    """The sessions of a block."""

    def __init__(self, server: Server, app: Application) -> None:
        self.server, self.app = server, app
        self.workers: list[Worker] = []
        self.seats: list[psycopg.Connection] = []

    def sit(self, client: Client, server: Server | None = None, **more: str) -> psycopg.Connection:
        """A session in autocommit that does what the caller has it do."""
        seat = self._connector(client, server or self.server, more)()
        self.seats.append(seat)
        return seat

    def work(
        self, client: Client, step: Step | str, every: float = 0.05, server: Server | None = None, **more: str
    ) -> Worker:
        """A session that repeats a step, or a statement with `%(n)s` for a number."""
        act = _execute(step) if isinstance(step, str) else step
        where = server or self.server
        worker = Worker(where, self._connector(client, where, more), act, every)
        self.workers.append(worker)
        return worker

    def dismiss(self, *workers: Worker, grace: float = 0.3) -> None:
        """End workers: those that wait for something are ended by the server."""
        for worker in workers:
            worker.leaving.set()
        until = time.monotonic() + grace
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))
        while left := [worker for worker in workers if worker.is_alive()]:
            for worker in left:
                worker.end()
            left[0].join(0.2)

    def close(self) -> None:
        """End all."""
        self.dismiss(*self.workers)
        self.workers.clear()
        for seat in self.seats:
            seat.close()
        self.seats.clear()

    def _connector(
        self, client: Client, server: Server, more: dict[str, str]
    ) -> Callable[[], psycopg.Connection]:
        given = {"password": password(client.role), "connect_timeout": "5", **more}
        database = self.app.database
        return lambda: server.connect(client.role, database, application_name=client.name, **given)


@contextlib.contextmanager
def crowd(server: Server, app: Application) -> Iterator[Crowd]:
    """Sessions that end with the block."""
    made = Crowd(server, app)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def traffic(server: Server, app: Application) -> Iterator[Crowd]:
    """What a quiet day looks like: each client runs its statements, metrics are collected, and somebody
    has a window open."""
    with crowd(server, app) as made:
        for who, statement in app.mix:
            made.work(getattr(app, who), statement, every=0.03 + random.random() / 20)
        made.work(app.exporter, "select datname, numbackends, xact_commit from pg_stat_database", every=0.5)
        made.sit(app.person).execute(f"select count(*) from {app.party.table}")
        until(lambda: all(worker.done for worker in made.workers), "statements of every client")
        yield made


def until(seen: Callable[[], object], what: str, seconds: float = WAIT) -> None:
    """Wait for something that comes by itself. Raises TimeoutError with what it is."""
    end = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


def _execute(statement: str) -> Step:
    chance = random.Random(statement)

    def step(connection: psycopg.Connection) -> None:
        # A statement that takes no number may be one that cannot be prepared.
        connection.execute(statement, {"n": chance.randint(1, 1000)} if "%(n)s" in statement else None)

    return step
