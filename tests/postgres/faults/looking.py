"""What the tests of faults ask of a server: a fault made and left, its log, its plans, its sessions."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tests.postgres.binaries import folder
from tests.postgres.faults.application import Application, Client, password
from tests.postgres.faults.catalogue import FAULTS, installed, staged
from tests.postgres.faults.crowd import until
from tests.postgres.faults.truth import Stage, Truth
from tests.postgres.server import Server


class Shelf:
    """Data with an application in it, made once for each application and version of a server."""

    def __init__(self) -> None:
        self.stack = contextlib.ExitStack()
        self.data: dict[tuple[str, str], Path] = {}

    @contextlib.contextmanager
    def stage(self, fault: str, app: Application, version: str = "") -> Iterator[Stage]:
        """A stage for a fault that is not made yet."""
        key = (app.name, version)
        if key not in self.data:
            self.data[key] = self.stack.enter_context(installed(app, version))
        with staged(fault, app, version, self.data[key]) as stage:
            yield stage

    @contextlib.contextmanager
    def made(self, fault: str, app: Application, version: str = "") -> Iterator[tuple[Stage, Truth]]:
        """The fault stands inside; after it, only the everyday sessions may be left on the server."""
        with self.stage(fault, app, version) as stage:
            with FAULTS[fault].make(stage) as truth:
                yield stage, truth
            until(lambda: not strangers(stage), "sessions of the fault that end")
            assert not stage.rows("select from pg_stat_activity where state like 'idle in transaction%'")


def both_versions() -> list[str]:
    """The servers there are, of the versions that differ most."""
    there = []
    for version in ("15", "18"):
        with contextlib.suppress(RuntimeError):
            folder(version)
            there.append(version)
    return there


def strangers(stage: Stage) -> list[tuple[object, ...]]:
    """Sessions that are none of the everyday ones."""
    known = [worker.pid for worker in stage.crowd.workers]
    known += [seat.info.backend_pid for seat in stage.crowd.seats if not seat.closed]
    found = stage.rows(
        "select pid, application_name, state from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    return [row for row in found if row[0] not in known]


def log(stage: Stage, server: Server | None = None) -> str:
    """A server's log."""
    return (server or stage.server).log.read_text(errors="replace")


def stays(value: Callable[[], object], settling: float = 0.3, quiet: float = 0.6) -> bool:
    """Whether a value no longer changes once what was under way is over."""
    time.sleep(settling)
    first = value()
    time.sleep(quiet)
    return value() == first


def enters(stage: Stage, client: Client, word: str = "") -> bool:
    """Whether a client's log-in works."""
    try:
        given = {"password": word or password(client.role), "application_name": client.name}
        stage.server.connect(client.role, stage.app.database, **given).close()
    except psycopg.OperationalError:
        return False
    return True


def plan(stage: Stage, query: str, analyze: bool = False) -> dict[str, object]:
    """The top node of a query's plan, with the names of all nodes in `nodes`."""
    ask = f"explain (format json, analyze {analyze}) {query}"
    (top,) = (each["Plan"] for each in stage.rows(ask)[0][0])  # type: ignore[union-attr]
    return {**top, "nodes": json.dumps(top)}


def named(stage: Stage, client: Client, server: Server | None = None) -> int:
    """How many sessions a client has."""
    query = f"select count(*) from pg_stat_activity where application_name = '{client.name}'"
    return int(str(stage.one(query, server)))
