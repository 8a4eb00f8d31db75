"""The overview of a database with thousands of tables and hundreds of sessions.

`python -m tests.bench.crowded DSN` prints JSON: seconds of the call, characters of what a model reads.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.database.overview import overview

from opssquad import Database
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.bench.measure import Figure, run, with_tests
from tests.postgres.server import running

TABLES, SESSIONS = 5_000, 500
BATCH = 500
"""Tables made in one transaction, each of which holds a lock until its end."""


def overview_figures(times: int) -> list[Figure]:
    """One look at everything, by a process of its own."""
    with tempfile.TemporaryDirectory() as folder, _crowded() as dsn:
        here = Path(folder)
        runs = [run(["-m", "tests.bench.crowded", dsn], here, with_tests(here)) for _ in range(times)]
    told = [json.loads(r.output) for r in runs]
    shape = f"{TABLES} tables, {SESSIONS} sessions"
    return [
        Figure(f"overview of {shape}", [t["seconds"] for t in told], "s", 2),
        Figure("overview, memory of the client", [r.megabytes for r in runs], "MB", 100),
        Figure("overview, what the model reads", [t["characters"] / 4 for t in told], "tokens", 1500),
    ]


@contextlib.contextmanager
def _crowded() -> Iterator[str]:
    """A server with so many tables and idle sessions; gives its DSN."""
    with running(max_connections=str(SESSIONS + 20)) as server, contextlib.ExitStack() as stack:
        for first in range(0, TABLES, BATCH):
            made = "execute format('create table t%s (id int primary key, note text)', n);"
            server.run(f"do $$ begin for n in {first}..{first + BATCH - 1} loop {made} end loop; end $$")
        for n in range(SESSIONS):
            stack.enter_context(server.connect(application_name=f"client-{n % 40}"))
        yield server.dsn()


async def _look(dsn: str) -> dict[str, float]:
    began = time.monotonic()
    database = Database(Postgres(parse(dsn)))
    result = await overview.run({}, {Database: database})
    seconds = time.monotonic() - began
    await database.close()
    return {"seconds": seconds, "characters": len(result.text)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_look(sys.argv[1]))))
