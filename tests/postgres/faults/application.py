"""What a company keeps in its database and who connects to it, as a value: every fault is written in these
terms, so no fault knows a name. The three companies are in `companies.py`, their tables in `applications/`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg

from tests.postgres.server import Server

FOLDER = Path(__file__).parent / "applications"
WATCHER, OPERATOR = "watcher", "operator"


@dataclass(frozen=True)
class Client:
    """A program that connects: the application_name it gives, and the role it logs in as."""

    name: str
    role: str


@dataclass(frozen=True)
class Party:
    """Who the business is with: a table read by key."""

    table: str
    key: str
    label: str


@dataclass(frozen=True)
class Hot:
    """Few rows that are updated all the time: `count` is the column that changes, `touched` the time of
    it, `spare` columns that nobody searches by."""

    table: str
    key: str
    count: str
    touched: str
    spare: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Deal:
    """The large table: a row a deal, of a party and with a row of the hot table. `reference` is what
    people look deals up by, `index` the index that serves it, `value` the one at row n in `{n}`."""

    table: str
    key: str
    party: str
    hot: str
    reference: str
    index: str
    value: str
    state: str
    amount: str
    at: str
    rows: int


@dataclass(frozen=True)
class Trail:
    """What happened to a deal, only ever added to."""

    table: str
    key: str
    deal: str
    kind: str
    note: str
    at: str


@dataclass(frozen=True)
class Intake:
    """Where files from outside are loaded before they are worked in; `columns` is text, integer, text."""

    table: str
    columns: tuple[str, str, str]


@dataclass(frozen=True)
class Application:
    """A company's database: its tables, its clients and what those run all day. `new_state` is a state no
    deal has yet, `new_column` one that a release adds, `slot` a consumer of changes that went away and
    `polled` one that still reads."""

    name: str
    database: str
    schema: str
    owner: str
    api: Client
    front: Client
    worker: Client
    report: Client
    batch: Client
    deploy: Client
    person: Client
    upkeep: Client
    change_reader: Client
    party: Party
    hot: Hot
    deal: Deal
    trail: Trail
    intake: Intake
    new_state: str
    new_column: str
    renamed: str
    slot: str
    polled: str
    mix: tuple[tuple[str, str], ...]
    """Pairs of a client's field and a statement it runs, with `%(n)s` for a number from 1 to 1000."""

    @property
    def exporter(self) -> Client:
        """The client that collects metrics."""
        return Client("postgres_exporter", WATCHER)

    def clients(self) -> Iterator[Client]:
        """Every client but the exporter."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Client):
                yield value

    def component(self, kind: str, name: str | int) -> str:
        """What a truth calls a thing of this database, or of its server; tables and indexes carry their
        schema."""
        where = f"{self.schema}." if kind in ("Table", "Index") else ""
        database = "" if kind in ("Role", "ReplicationSlot", "Setting", "Server") else self.database
        return f"{kind}/{database}/{where}{name}"


def password(role: str) -> str:
    """The password a role was given at first."""
    return f"{role[::-1]}-7Qx"


def install(server: Server, app: Application) -> None:
    """Make the roles, the database and its tables, and fill them."""
    with server.connect() as root:
        for statement in _roles(app, server):
            root.execute(statement)
        root.execute(f"create database {app.database} owner {app.owner}")
        root.execute(f"alter database {app.database} set search_path = {app.schema}, public")
    with server.connect(dbname=app.database) as root:
        root.execute("create extension pg_stat_statements")
        root.execute(f"alter schema public owner to {app.owner}")
        root.execute(f"grant execute on function pg_read_file(text, bigint, bigint) to {WATCHER}, {OPERATOR}")
        root.execute(f"set role {app.owner}")
        root.execute(f"create schema if not exists {app.schema}")
        root.execute((FOLDER / f"{app.name}.sql").read_text(encoding="utf-8"))
        _grant(root, app)
        root.execute("reset role")
        root.execute("vacuum analyze")
        root.execute("select pg_stat_statements_reset()")


def _roles(app: Application, server: Server) -> Iterator[str]:
    with server.connect() as root:
        found = root.execute("select rolname from pg_roles where rolname like 'pg\\_%'").fetchall()
    offered = {name for (name,) in found}
    yield f"create role {app.owner}"
    yield f"create role {WATCHER} login in role pg_monitor password '{password(WATCHER)}'"
    yield f"alter role {WATCHER} set default_transaction_read_only = on"
    # The replication attribute lets an operator drop a slot.
    yield f"create role {OPERATOR} login replication in role {app.owner} password '{password(OPERATOR)}'"
    for granted in ("pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_maintain"):
        if granted in offered:
            yield f"grant {granted} to {OPERATOR}"
    if "pg_use_reserved_connections" in offered:
        yield f"grant pg_use_reserved_connections to {OPERATOR}, {WATCHER}"
    for role in sorted({client.role for client in app.clients()}):
        yield f"create role \"{role}\" login password '{password(role)}'"
    yield f'grant {app.owner} to "{app.deploy.role}", "{app.upkeep.role}"'
    yield f'alter role "{app.change_reader.role}" replication'


def _grant(connection: psycopg.Connection, app: Application) -> None:
    readers = ", ".join(f'"{role}"' for role in sorted({app.report.role, app.person.role, OPERATOR}))
    writing = (app.api, app.front, app.worker, app.batch)
    writers = ", ".join(f'"{role}"' for role in sorted({client.role for client in writing}))
    connection.execute(f"grant usage on schema {app.schema} to {readers}, {writers}")
    connection.execute(f"grant select on all tables in schema {app.schema} to {readers}")
    connection.execute(
        f"grant select, insert, update, delete, truncate on all tables in schema {app.schema} to {writers}"
    )
    connection.execute(f"grant usage on all sequences in schema {app.schema} to {writers}")
