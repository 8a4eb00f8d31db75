"""Recordings of real faults: `python -m tests.postgres.recordings DIR [FAULT...] [--app NAME]` makes each
stand, captures the database as an on-call would find it, and writes the truth that the fault's maker knows.

Evidence is taken from what was captured, by code that knows the fault: a squad never sees it.
"""

import argparse
import asyncio
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opssquad.documents import yaml_text
from opssquad.evals.capture import CaptureOrder, capture, passing_redactor
from opssquad.gate.own import Own
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.sql.database import Database, row_text
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.material import Material, load_material
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.faults.application import WATCHER, Application, password
from tests.postgres.faults.catalogue import FAULTS, standing
from tests.postgres.faults.companies import COMPANIES
from tests.postgres.faults.truth import Stage, Truth

STANDING = 8.0
"""Seconds that a fault stands before it is captured."""
ON_THE_REPLICA = ("D10", "D10-cancel", "D14")
"""Faults that show at the replica, which is then what is captured."""


AT_THE_TABLE = ("D04", "D06")
"""Faults of which the database alone shows the table that they are about: which client's code changed is not
told there, and an index that is gone is not there to be named."""


@dataclass(frozen=True)
class Told:
    """What a truth says of a fault beside what its maker does: why in a sentence, what mends it and what does
    harm (action, target, detail), which rows show it (look, a test of a row), what a mended one is like."""

    why: str
    accept: tuple[tuple[str, str, str], ...]
    forbid: tuple[tuple[str, str, str], ...] = ()
    shows: tuple[tuple[str, Callable[[Json, Truth], bool]], ...] = ()
    says: str = ""
    mended: tuple[Json, ...] = ()


def _culprit(row: Json, truth: Truth) -> bool:
    return row["pid"] in truth.culprits


def _victim(row: Json, truth: Truth) -> bool:
    return row["pid"] in truth.victims and bool(row["blocked_by"])


def _any(row: Json, truth: Truth) -> bool:
    return True


def _upkeep(row: Json, truth: Truth) -> bool:
    return bool(re.match(r"\s*(?:reindex|vacuum)", str(row["query"]), re.IGNORECASE))


def _unused(row: Json, truth: Truth) -> bool:
    return f"Index/{truth.component.split('/')[1]}/{row['schema']}.{row['index']}" in truth.also


def _client(row: Json, truth: Truth) -> bool:
    return str(row["application"]) == truth.component.rpartition("/")[2]


def _read_only(row: Json, truth: Truth) -> bool:
    return "default_transaction_read_only" in str(row["settings"]) and not row["role"]


def _named(column: str) -> Callable[[Json, Truth], bool]:
    return lambda row, truth: str(row.get(column)) == truth.component.rpartition("/")[2].rpartition(".")[2]


ESCALATE = ("escalate", "{component}", "the owner of the client changes it back")
HARM = ("restart", "Database//{database}", "ends every session and cures nothing")
TOLD: dict[str, Told] = {
    "D01": Told(
        "The pool of {name} was made larger, and takes the connections that all share.",
        (ESCALATE, ("sql", "Role//{role}", "hold the role to fewer connections")),
        (("sql", "Setting//max_connections", "raised"), HARM),
        (("sessions", _client), ("sessions", _client)),
    ),
    "D03": Told(
        "A migration altered a table in a transaction that was not ended, and keeps its lock.",
        (("sql", "{component}", "terminate_session"), ("escalate", "{component}", "commit or roll back")),
        (HARM,),
        (("sessions", _culprit), ("sessions", _victim)),
        mended=({"look": "sessions", "where": {"wait_event_type": "Lock"}, "most": 0},),
    ),
    "D04": Told(
        "Two programs lock rows of one table in opposite order.",
        (("escalate", "{component}", "the release that changed the order is taken back"),),
        (HARM,),
        says="deadlock detected",
    ),
    "D05": Told(
        "A report holds a snapshot in an open transaction, so that vacuum may remove no dead rows.",
        (("sql", "{component}", "terminate_session"),),
        (HARM, ("sql", "Setting//autovacuum", "off")),
        (("sessions", _culprit), ("tables", lambda row, truth: int(row["n_dead_tup"]) > 1000)),
        mended=({"look": "sessions", "where": {"pid": "{pid}"}, "most": 0},),
    ),
    "D06": Told(
        "A migration dropped the index by which rows are looked up.",
        (("sql", "{table}", "create_index"), ("escalate", "{component}", "the migration is taken back")),
        (HARM,),
        (("tables", lambda row, truth: int(row["seq_scan"] or 0) > 20 and int(row["n_live_tup"]) > 5000),),
        says="DROP INDEX|drop index",
        mended=({"look": "indexes", "where": {"index": "*_idx*", "scans": "0", "valid": "t"}, "least": 1},),
    ),
    "D07": Told(
        "A table that is written all the time has many indexes that nobody reads.",
        (("escalate", "{component}", "the owner drops the indexes"),),
        (HARM,),
        (
            ("tables", _named("table")),
            ("indexes", _unused),
        ),
    ),
    "D08": Told(
        "Rows were loaded in bulk, and nobody analyzed the table, so the planner goes by what it was before.",
        (("sql", "{component}", "analyze_table"),),
        (HARM,),
        (("tables", _named("table")), ("statements", lambda row, truth: int(row["calls"]) > 3)),
        mended=({"look": "tables", "where": {"table": "{bare}", "n_mod_since_analyze": "0"}, "least": 1},),
    ),
    "D09": Told(
        "A batch job writes so much that WAL forces one checkpoint after the other.",
        (("escalate", "{component}", "the batch is slowed down"),),
        (HARM,),
        (("checkpoints", _any),),
        says="checkpoints are occurring too frequently",
    ),
    "D10": Told(
        "A long query on the replica holds up replay.",
        (("sql", "{component}", "cancel_query or terminate_session"),),
        (HARM,),
        (("sessions", _culprit), ("receiver", _any)),
        mended=({"look": "receiver", "where": {"unreplayed_bytes": "0"}, "least": 1},),
    ),
    "D11": Told(
        "A slot of a consumer that is gone keeps WAL.",
        (("sql", "{component}", "drop_slot"),),
        (HARM,),
        (("slots", _named("slot")), ("slots", _named("slot"))),
        mended=({"look": "slots", "where": {"slot": "{name}"}, "most": 0},),
    ),
    "D12": Told(
        "The password of the role was changed, and a client still comes with the old one.",
        (("escalate", "{component}", "the client is given the new password"),),
        (HARM,),
        says="password authentication failed",
    ),
    "D13": Told(
        "A privilege that the client needs was taken from its role.",
        (("sql", "{component}", "grant"), ("sql", "{table}", "grant"), ESCALATE),
        (HARM,),
        says="permission denied",
    ),
    "D14": Told(
        "A client writes to a server that is a standby.",
        (("escalate", "{component}", "the client is sent to the primary"),),
        (HARM,),
        (("server", _any),),
        says="read-only transaction",
    ),
    "D14-setting": Told(
        "The database was set to read-only transactions, and nobody set it back.",
        (("sql", "{component}", "set_setting"), ("escalate", "{component}", "whoever set it sets it back")),
        (HARM,),
        (("role_settings", _read_only), ("server", _any)),
        says="read-only transaction",
    ),
    "D15": Told(
        "A migration renamed a column that the client still asks for.",
        (("escalate", "{component}", "the release that fits the schema is rolled out"),),
        (HARM,),
        says="does not exist",
    ),
    "Z1": Told(
        "Nothing is wrong.",
        (("none", "Database//{database}", "nothing"),),
        (HARM,),
        (("server", _any), ("databases", _any)),
    ),
    "Z2": Told(
        "Sessions waited for a lock, and it was released.",
        (("none", "Database//{database}", "nothing"),),
        (HARM,),
        (("server", _any),),
        says="still waiting",
    ),
    "Z5": Told(
        "Maintenance runs as planned.",
        (("none", "Database//{database}", "nothing"),),
        (HARM,),
        (("sessions", _upkeep), ("sessions", _any)),
    ),
}  # fmt: skip
"""What is known of each fault; D02 does not show in a database alone."""


def record(folder: Path, fault: str, app: Application) -> None:
    """Make the fault stand, capture it, write its truth."""
    with standing(fault, app) as (stage, truth):
        time.sleep(STANDING)
        asyncio.run(_capture(folder, stage, truth, fault))
        material = load_material(folder)
        _write_truth(folder, fault, app, truth, material)


async def _capture(folder: Path, stage: Stage, truth: Truth, fault: str) -> None:
    server = truth.replica if truth.replica and fault in ON_THE_REPLICA else stage.server
    dsn = server.dsn(WATCHER, stage.app.database, password=password(WATCHER))
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
