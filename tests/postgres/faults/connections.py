"""Faults of connections: too many of them, and a pool that keeps the few it has for too long."""

import contextlib
import queue
import threading
from collections.abc import Iterator

import psycopg

from tests.postgres.faults.application import Client
from tests.postgres.faults.crowd import Crowd, crowd, until
from tests.postgres.faults.truth import Stage, Truth


@contextlib.contextmanager
def exhausted(stage: Stage, most: int = 100) -> Iterator[Truth]:
    """D01: one client holds most connections, nearly all of them idle; others are refused."""
    app = stage.app
    with crowd(stage.server, app) as made:
        busy = f"select {app.deal.state}, sum({app.deal.amount}) from {app.deal.table} group by 1"
        made.work(app.report, busy, every=0.2)
        held = _fill(made, app.api, most)
        refused = [made.work(client, "select 1", every=0.3) for client in (app.front, app.front, app.worker)]
        until(lambda: all(worker.errors for worker in refused), "clients that are refused")
        remedy = (
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where application_name = '{app.api.name}' and state = 'idle'"
        )
        yield Truth(
            fault="D01",
            component=app.component("Client", app.api.name),
            mechanism="holds most of max_connections and leaves them idle",
            remedy=remedy,
            heal=lambda: _end(stage, remedy),
            distractors=tuple(app.component("Client", client.name) for client in (app.report, app.front)),
            culprits=tuple(held),
        )


def _fill(made: Crowd, client: Client, most: int) -> list[int]:
    """Connect until the server refuses."""
    held: list[int] = []
    with contextlib.suppress(psycopg.OperationalError):
        while len(held) < most:
            seat = made.sit(client)
            seat.execute("select 1")
            held.append(seat.info.backend_pid)
    return held


def _end(stage: Stage, statement: str) -> None:
    # Before version 16 the reserved connections are for superusers only.
    if stage.server.bin and int(str(stage.one("show server_version_num"))) < 160000:
        stage.server.run(statement, dbname=stage.app.database)
    else:
        stage.operate(statement)


@contextlib.contextmanager
def pool_waits(stage: Stage, size: int = 6, patience: float = 0.3, call: float = 0.4) -> Iterator[Truth]:
    """D02: requests of one client wait for its pool of `size`, for `patience` seconds, because those that
    have a connection keep a transaction open for a `call` to another service. The database is quiet."""
    app, party = stage.app, stage.app.party
    pool: queue.Queue[psycopg.Connection] = queue.Queue()
    quick, over = threading.Event(), threading.Event()
    said: list[str] = []

    def request() -> None:
        while not over.is_set():
            try:
                connection = pool.get(timeout=patience)
            except queue.Empty:
                said.append(f"Connection is not available, request timed out after {patience * 1000:g}ms")
                continue
            with connection.transaction():
                connection.execute(f"select {party.label} from {party.table} where {party.key} = 77")
                quick.wait(call)
            pool.put(connection)
            over.wait(0.02)

    with crowd(stage.server, app) as made:
        for _ in range(size):
            pool.put(made.sit(app.api))
        requests = [threading.Thread(target=request, daemon=True) for _ in range(3 * size)]
        for each in requests:
            each.start()
        try:
            until(lambda: len(said) >= 3, "requests that time out")
            yield Truth(
                fault="D02",
                component=app.component("Client", app.api.name),
                mechanism="its pool is taken by requests that keep a transaction open during a call",
                remedy="the release before, which called the service outside of the transaction",
                heal=quick.set,
                distractors=("PostgreSQL", app.component("Client", app.worker.name)),
                said=said,
            )
        finally:
            over.set()
            quick.set()
            for each in requests:
                each.join()
