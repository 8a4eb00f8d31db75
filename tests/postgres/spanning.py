"""The database's part of incidents that span a cluster and a database: `python -m tests.postgres.spanning DIR
[ID...]` lets each fault stand on a real server with real clients for as long as its story lasts, and writes
the capture beside the scenario below DIR; `opssquad recording make` then moves it to the scenario's cluster.
"""

import argparse
import asyncio
import contextlib
import gzip
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opssquad.evals.capture import CaptureOrder, capture, passing_redactor
from opssquad.gate.own import Own
from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.material import FOLDER, LOG, ROWS
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.faults.application import Application, install
from tests.postgres.faults.catalogue import FAULTS, SETTINGS
from tests.postgres.faults.crowd import traffic
from tests.postgres.faults.spanned import LIBRARY, OIL, SKI
from tests.postgres.faults.truth import Stage
from tests.postgres.server import running

READY = "database system is ready to accept connections"
HOME = "/var/lib/postgresql"
NETWORK = "10.244.0.0/16"
"""From where a cluster's pods come, as pg_hba.conf has it."""


@dataclass(frozen=True)
class Story:
    """A fault on a company's database, for so many seconds; what its server is set to besides, and what is
    done there before any client comes."""

    app: Application
    fault: str
    seconds: float
    settings: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    scales: Mapping[str, float] = field(default_factory=dict)


PREFIX = {"log_line_prefix": "%m [%p] %q%u@%d %a %h "}
PATIENCE = (
    f"alter role {LIBRARY.api.role} set statement_timeout = '10s'",
    f"alter role {LIBRARY.front.role} set lock_timeout = '5s'",
)
ROOM = {"max_connections": "60", "superuser_reserved_connections": "3", "reserved_connections": "3"}
STORIES = {
    "bieb-0114": Story(LIBRARY, "D01", 240, {**PREFIX, **ROOM}, PATIENCE),
    "bieb-0128": Story(LIBRARY, "D03", 240, PREFIX, PATIENCE),
    "olio-1103": Story(OIL, "D02", 180, PREFIX, scales={"size": 10}),
    "olio-1117": Story(OIL, "D12", 240, PREFIX),
    "vlek-0212": Story(SKI, "D01", 240, {**PREFIX, **ROOM}),
    "vlek-0219": Story(SKI, "D03", 180, PREFIX, (f"alter role {SKI.api.role} set lock_timeout = '3s'",)),
}


@contextlib.contextmanager
def standing(story: Story) -> Iterator[Stage]:
    """A new server on which the story's fault stands; it needs PostgreSQL 16 or newer."""
    with running(**SETTINGS) as made:
        install(made, story.app)
        made.run(*story.before)
        made.stop()
        with (
            running(like=made.data, **{**SETTINGS, **story.settings}) as server,
            traffic(server, story.app) as crowd,
        ):
            stage = Stage(server, story.app, crowd)
            with FAULTS[story.fault].make(stage, **story.scales):
                yield stage


def record(folder: Path, story: Story) -> None:
    """Let the fault stand, then capture the database into `folder`."""
    with standing(story) as stage, tempfile.TemporaryDirectory() as nowhere:
        time.sleep(story.seconds)
        found = Path(nowhere) / "capture"
        asyncio.run(_capture(found, stage))
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        shutil.copytree(found / FOLDER, folder / FOLDER)
        _tidy(folder / LOG, stage)
        _without_places(folder / ROWS, stage)


async def _capture(folder: Path, stage: Stage) -> None:
    database = Database(Postgres(parse(stage.watcher())))
    try:
        await capture(None, CaptureOrder(folder, (), lambda now: None), passing_redactor(Own()), database)
    finally:
        await database.close()


def _tidy(log: Path, stage: Stage) -> None:
    """The log from when the server took connections, without the places of the machine that it ran on."""
    text = log.read_text(encoding="utf-8").replace(str(stage.server.home), HOME)
    lines = text.replace("127.0.0.1/32", NETWORK).splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines, 1) if READY in line)
    log.write_text("".join(lines[first:]), encoding="utf-8")


def _without_places(rows: Path, stage: Stage) -> None:
    """The rows without those either."""
    text = gzip.decompress(rows.read_bytes()).decode().replace(str(stage.server.home), HOME)
    rows.write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> None:
    """Capture the stories that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("ids", nargs="*", default=list(STORIES))
    given = parser.parse_args()
    for id in given.ids:
        record(given.out / id.partition("-")[0] / id, STORIES[id])
        print(id, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
