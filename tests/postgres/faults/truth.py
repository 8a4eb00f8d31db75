"""The truth about a fault that stands, and the stage it stands on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psycopg

from tests.postgres.faults.application import OPERATOR, WATCHER, Application, password
from tests.postgres.faults.crowd import Crowd
from tests.postgres.server import Server

AT_THE_REPLICA = ("D10", "D14")
"""Faults that show at a replica, where one takes part."""


@dataclass(frozen=True)
class Truth:
    """What is so. `component` is to blame (`Session/<database>/<pid>`, `Client/<database>/<name>`,
    `Table/<database>/<schema>.<table>` and so on; empty where nothing is wrong), `also` may be named beside
    it, `distractors` look guilty and are not. `victims` are pids that suffer. `remedy` is what heals it, in
    SQL where SQL does, and `heal` does so. `replica` is a second server that takes part,
    `said` what an application logged."""

    fault: str
    component: str
    mechanism: str
    remedy: str
    heal: Callable[[], None]
    also: tuple[str, ...] = ()
    distractors: tuple[str, ...] = ()
    culprits: tuple[int, ...] = ()
    victims: tuple[int, ...] = ()
    replica: Server | None = None
    said: Sequence[str] = ()


@dataclass(frozen=True)
class Stage:
    """A server with an application on it, and its everyday sessions in `crowd`."""

    server: Server
    app: Application
    crowd: Crowd

    def watcher(self) -> str:
        """The DSN of who may look and not touch."""
        return self.server.dsn(WATCHER, self.app.database, password=password(WATCHER))

    def operate(self, *statements: str, server: Server | None = None) -> None:
        """Run statements as the operator, who is no superuser."""
        dsn = (server or self.server).dsn(
            OPERATOR, self.app.database, password=password(OPERATOR), application_name="psql"
        )
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str, server: Server | None = None) -> list[tuple[object, ...]]:
        """What the superuser sees in the application's database."""
        with (server or self.server).connect(dbname=self.app.database) as root:
            return root.execute(query).fetchall()

    def one(self, query: str, server: Server | None = None) -> object:
        """The one value of a query."""
        return self.rows(query, server)[0][0]

    def waiting(self) -> tuple[int, ...]:
        """Pids that wait for a lock."""
        held = "select pid from pg_stat_activity where wait_event_type = 'Lock' order by pid"
        return tuple(pid for (pid,) in self.rows(held))  # type: ignore[misc]


def server_of(stage: Stage, truth: Truth) -> Server:
    """The server that shows the fault: the replica, where it is about replay or writing there."""
    at = truth.fault.partition("-")[0] in AT_THE_REPLICA
    return truth.replica if truth.replica and at else stage.server


Maker = Callable[..., AbstractContextManager[Truth]]
"""Takes a stage and, by name, the scales of its fault: seconds, times, bytes."""


@dataclass(frozen=True)
class Fault:
    """How a fault is made, and the settings its server needs."""

    make: Maker
    settings: Mapping[str, str] = field(default_factory=dict)
    newer: Mapping[str, str] = field(default_factory=dict)
    """Settings that came with version 16."""
