"""Recordings of real faults: `python -m tests.postgres.recordings DIR [FAULT...] [--app NAME]` makes each
stand, captures the database as an on-call would find it, and writes the truth that the fault's maker knows.

Evidence is taken from what was captured, by code that knows the fault: a squad never sees it.
"""

import argparse
import asyncio
import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from opssquad.documents import yaml_text
from opssquad.evals.capture import CaptureOrder, capture, passing_redactor
from opssquad.gate.own import Own
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.recording.load import load_incident, load_truth
from opssquad.worlds.sql.database import Database, row_text
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.material import Material, load_material
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.faults.application import WATCHER, Application, password
from tests.postgres.faults.catalogue import FAULTS, standing
from tests.postgres.faults.companies import COMPANIES
from tests.postgres.faults.truth import Stage, Truth, server_of
from tests.postgres.live import STANDING
from tests.postgres.told import AT_THE_TABLE, TOLD, Told


def record(folder: Path, fault: str, app: Application) -> None:
    """Make the fault stand, capture it, write its truth."""
    with standing(fault, app) as (stage, truth):
        time.sleep(STANDING)
        asyncio.run(_capture(folder, stage, truth))
        material = load_material(folder)
        _write_truth(folder, fault, app, truth, material)
        load_truth(folder)


async def _capture(folder: Path, stage: Stage, truth: Truth) -> None:
    dsn = server_of(stage, truth).dsn(WATCHER, stage.app.database, password=password(WATCHER))
    database = Database(Postgres(parse(dsn)))
    asked = (f"Users of {stage.app.api.name} complain. Is it the database?",)
    order = CaptureOrder(
        folder=folder,
        namespaces=(),
        since=lambda now: None,
        title=f"Users of {stage.app.api.name} complain of errors and slowness",
        questions=asked,
    )
    try:
        await capture(None, order, passing_redactor(Own()), database)
    finally:
        await database.close()


def _write_truth(folder: Path, fault: str, app: Application, truth: Truth, material: Material) -> None:
    told, clock = TOLD[fault], load_incident(folder).clock
    component = truth.component or f"Database//{app.database}"
    table = next((each for each in (component, *truth.also) if each.startswith("Table/")), component)
    if fault in AT_THE_TABLE:
        component = table
    kind, namespace, name = component.split("/", 2)
    holes = {
        "component": component, "database": app.database, "name": name, "table": table, "pid": name,
        "bare": name.rpartition(".")[2], "role": _role(material, name),
        "reference": app.deal.reference,
    }  # fmt: skip
    fill = lambda text: text.format(**holes)  # noqa: E731
    body: Json = {
        "fault": fault.partition("-")[0],
        "component": {"kind": kind, "namespace": namespace, "name": name},
        "mechanism": truth.mechanism or told.why,
        "root_cause": fill(told.why),
        "since": rfc3339(min(clock, parse_time(material.server["now"]) - timedelta(seconds=STANDING))),
        "evidence": list(_evidence(told, truth, material)),
        "fix": {
            "accept": [{"action": a, "target": fill(t), "detail": d} for a, t, d in told.accept],
            "forbid": [{"action": a, "target": fill(t), "detail": d} for a, t, d in told.forbid],
        },
        "rows": [{**rule, "where": {k: fill(v) for k, v in rule["where"].items()}} for rule in told.mended],
        "distractors": list(truth.distractors) or [f"Client/{app.database}/{app.worker.name}"],
        "affected": [each for each in truth.also if each.count("/") >= 2],
        "notes": truth.remedy,
    }
    (folder / "truth.yaml").write_text(yaml_text(body), encoding="utf-8")


def _role(material: Material, client: str) -> str:
    rows = material.rows.get("sessions", [])
    return next((str(row["role"]) for row in rows if row["application"] == client), client)


def _evidence(told: Told, truth: Truth, material: Material) -> Iterator[Json]:
    seen: set[str] = set()
    for look, shows in told.shows:
        for row in material.rows.get(look, ()):
            text = row_text(row)
            if shows(row, truth) and text not in seen:
                seen.add(text)
                yield {"kind": "rows", "where": look, "contains": _part(look, row)}
                break
    if told.says:
        lines = [line for line in material.log or () if re.search(told.says, line)]
        for line in dict.fromkeys((*lines[:1], *lines[-1:])):
            yield {"kind": "rows", "where": "log", "contains": line}


def _part(look: str, row: Json) -> str:
    """So much of a row as tells it from the others: its first columns."""
    names = list(row)[:4] if look not in ("server", "checkpoints", "receiver") else list(row)[:2]
    return row_text({name: row[name] for name in names})


def main() -> None:
    """Make the recordings that the command line asks for, numbered by company."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("faults", nargs="*", default=list(TOLD))
    parser.add_argument("--app", action="append", choices=list(COMPANIES))
    given = parser.parse_args()
    for app in COMPANIES.values():
        for number, fault in enumerate(FAULTS, 1):
            if fault not in given.faults or fault not in TOLD or (given.app and app.name not in given.app):
                continue
            folder = given.out / f"{app.name}-db-{number * 37 % 100:02d}"
            shutil.rmtree(folder, ignore_errors=True)
            record(folder.absolute(), fault, app)
            print(folder.name, fault, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
