"""What sessions do and wait for: long ones, idle in transaction, old snapshots, what the server waits for."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Rows, Severity, Signal

from .._common import client, database_ref, lasting, moment, query_text, session, since
from .connections import clients_of

UPKEEP = re.compile(
    r"\s*(vacuum|analyze|reindex|create\s+(unique\s+)?index|cluster|refresh)\b", re.IGNORECASE
)
"""Statements of maintenance: they take long by nature."""
IDLE = 5.0
"""Seconds for which a transaction may stand idle: programs answer within one."""
LONG = 60.0
"""Seconds from which a statement is a long one."""
OLD = 100
"""Transactions by which a snapshot must be older than now to keep dead rows that matter."""
HELD = 3.0
"""Seconds for which a snapshot must have been held."""
CROWD = 4
"""Sessions that must wait for the same thing before the server is said to."""


def session_signals(sessions: Rows, now: datetime) -> Iterator[Signal]:
    """What each session tells, and all of them together."""
    mine = clients_of(sessions)
    for row in mine:
        yield from _of_one(sessions, row, now)
    yield from _waits(sessions, mine)
    yield from _quiet(sessions, mine)


def _of_one(sessions: Rows, row: Json, now: datetime) -> Iterator[Signal]:
    state, idle = str(row.get("state") or ""), since(row, "state_change", now)
    if state.startswith("idle in transaction") and idle and idle.total_seconds() >= IDLE:
        text = f"{_who(sessions, row)} has been {state} for {lasting(idle)}, after: {query_text(row, 90)}"
        yield _signal(sessions, row, "session.idle_in_transaction", text, moment(row, "state_change"))
    held = since(row, "xact_start", now)
    if UPKEEP.match(str(row.get("query") or "")) and state == "active":
        text = f"{_who(sessions, row)} does maintenance: {query_text(row, 90)}"
        yield _signal(sessions, row, "session.maintenance", text, moment(row, "query_start"), "info")
    elif (
        (row.get("xmin_age") or 0) >= OLD and held and held.total_seconds() >= HELD and not row["blocked_by"]
    ):
        text = (
            f"{_who(sessions, row)} holds a snapshot that is {row['xmin_age']} transactions old, "
            f"for {lasting(held)}"
        )
        yield _signal(sessions, row, "session.old_snapshot", text, moment(row, "xact_start"))
    running = since(row, "query_start", now)
    if state == "active" and not row["blocked_by"] and running and running.total_seconds() >= LONG:
        text = f"{_who(sessions, row)} has run one statement for {lasting(running)}: {query_text(row, 90)}"
        yield _signal(sessions, row, "session.long_query", text, moment(row, "query_start"))


def _who(sessions: Rows, row: Json) -> str:
    return f"session {row['pid']} of {client(sessions.name, row).name} (role {row['role']})"


def _signal(
    sessions: Rows, row: Json, id: str, text: str, at: datetime | None, severity: Severity = "warning"
) -> Signal:
    ref = session(str(row.get("database") or sessions.name), row["pid"])
    return Signal(
        id=id,
        entity=ref,
        owner=ref,
        text=text,
        severity=severity,
        at=at,
        data=session_data(sessions, row),
        quotes=(sessions.quote(row),),
    )


def session_data(sessions: Rows, row: Json) -> Json:
    """What later calls need to know of a session."""
    return {
        "pid": row["pid"],
        "started": row["backend_start"],
        "client": client(sessions.name, row).name,
        "role": row["role"],
        "state": row["state"],
        "database": row["database"],
        "database_ref": str(database_ref(str(row["database"]))),
        "statement": query_text(row, 300),
        "wrote": row.get("xid") is not None,
        "xmin_age": row.get("xmin_age") or 0,
    }


def _waits(sessions: Rows, mine: list[Json]) -> Iterator[Signal]:
    waits = Counter(
        (str(row["wait_event_type"]), str(row["wait_event"]))
        for row in mine
        if row.get("state") == "active" and row.get("wait_event_type") not in (None, "Client", "Timeout")
    )
    for (kind, event), count in waits.most_common(1):
        if count < CROWD:
            continue
        those = [row for row in mine if (row.get("wait_event_type"), row.get("wait_event")) == (kind, event)]
        ref = database_ref(sessions.name)
        yield Signal(
            id="sessions.waiting",
            entity=ref,
            owner=ref,
            text=f"{count} sessions wait for {kind}: {event}",
            data={"type": kind, "event": event, "count": count},
            quotes=tuple(sessions.quote(row) for row in those[:2]),
        )


def _quiet(sessions: Rows, mine: list[Json]) -> Iterator[Signal]:
    active = [row for row in mine if row.get("state") == "active"]
    waiting = [row for row in active if row.get("wait_event_type") == "Lock"]
    if len(mine) >= 2 and len(active) <= max(2, len(mine) // 5) and not waiting:
        ref = database_ref(sessions.name)
        yield Signal(
            id="sessions.quiet",
            entity=ref,
            owner=ref,
            text=f"{len(active)} of {len(mine)} sessions are at work and none waits for a lock",
            severity="info",
            data={"active": len(active), "sessions": len(mine)},
            quotes=tuple(sessions.quote(row, "pid", "state") for row in mine[:2]),
        )


def longest(sessions: Rows, now: datetime) -> list[str]:
    """The transaction that has been open longest, in a line."""
    opened = [row for row in clients_of(sessions) if row.get("xact_start")]
    if not opened:
        return ["No transaction is open."]
    row = min(opened, key=lambda each: str(each["xact_start"]))
    span = lasting(since(row, "xact_start", now))
    return [f"Longest transaction: {span}, {_who(sessions, row)}, {row['state']}: {query_text(row, 80)}"]
