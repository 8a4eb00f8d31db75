"""What the truth of a recorded fault says: why, what mends it, what does harm, and which rows show it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from opssquad.types import Json
from tests.postgres.faults.truth import Truth

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
        mended=(
            {"look": "indexes", "where": {"table": "{bare}", "definition": "*({reference})"}, "least": 1},
        ),
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
        (("slots", _named("slot")), ("wal", _any)),
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
