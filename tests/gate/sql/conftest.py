"""A real server with a small shop in it, and sessions that may only read."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres.server import Server, running

SHOP = (
    "create extension pg_stat_statements",
    "create type status as enum ('open', 'paid')",
    """create table orders (
        id serial primary key, note text default '-', total numeric default 1, tags text[],
        placed timestamptz default now(), status status default 'open',
        details jsonb default '{"a": {"b": 1}}'
    )""",
    "insert into orders (note) values ('a'), ('b'), ('x1')",
    "comment on table orders is 'what was ordered'",
    "create sequence s",
    "create role reader login in role pg_monitor",
    "grant select on orders, s to reader",
    "create role planner login",
    "grant select, insert, update, delete on orders to planner",
)
OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=2000 -c lock_timeout=500"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as started:
        started.run(*SHOP)
        yield started


@pytest.fixture(scope="session")
def reader(server: Server) -> Iterator[psycopg.Connection]:
    """A session as one has it on call: an unprivileged role, read only."""
    with server.connect("reader", options=OPTIONS) as connection:
        yield connection


@pytest.fixture(scope="session")
def planner(server: Server) -> Iterator[psycopg.Connection]:
    """A session of a role that might write: EXPLAIN of a change asks for its rights."""
    with server.connect("planner", options=OPTIONS) as connection:
        yield connection


@pytest.fixture(scope="session")
def mighty(server: Server) -> Iterator[psycopg.Connection]:
    """A session of the superuser that may write: nothing holds it back but the proof."""
    with server.connect(options="-c statement_timeout=250 -c lock_timeout=100") as connection:
        connection.autocommit = False
        yield connection
