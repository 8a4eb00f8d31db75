"""What sessions do and wait for: long ones, idle in transaction, old snapshots, what the server waits for."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from opssquad import Json, Ref, Rows, Severity, Signal

from .._chains import TABLES
from .._common import client, database_ref, lasting, moment, query_text, session, since
from .connections import clients_of

UPKEEP = re.compile(
    r"\s*(vacuum|analyze|reindex|create\s+(unique\s+)?index|cluster|refresh)\b", re.IGNORECASE
)
"""Statements of maintenance: they take long by nature."""
OPEN = ("idle in transaction", "idle in transaction (aborted)")
IDLE = 5.0
"""Seconds for which a transaction may stand idle: programs answer within one."""
LONG = 60.0
"""Seconds from which a statement is a long one."""
OLD = 100
"""Transactions by which a snapshot must be older than now to keep dead rows that matter."""
HELD = 3.0
"""Seconds for which a snapshot must have been held."""
MOST, LOCKS = 20, 4
"""Signals of one kind that are told, and locks of a session."""
CROWD = 4
"""Sessions that must wait for the same thing before the server is said to."""


def session_signals(sessions: Rows, now: datetime, locks: Rows | None = None) -> Iterator[Signal]:
    """What each session tells, and all of them together. `locks`, where they were read, tell what a session
    that does nothing holds."""
    mine, held = clients_of(sessions), _held(locks)
    told: Counter[str] = Counter()
    for row in sorted(mine, key=lambda each: str(each.get("xact_start") or "9")):
        for each in _of_one(sessions, row, now, held):
            told[each.id] += 1
            # A pool that leaks has hundreds of them: the oldest are told.
            if told[each.id] <= MOST:
                yield each
    yield from _many_idle(sessions, mine, now)
    yield from _waits(sessions, mine)
    yield from _quiet(sessions, mine)


def _held(locks: Rows | None) -> dict[int, list[str]]:
    """The tables that each session has locked, with the mode, as far as that keeps others from something."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in locks.rows if locks else ():
        table = row["locktype"] == "relation" and row["relation"] and row.get("kind") in TABLES
        if row["granted"] and table and row["mode"] != "AccessShareLock":
            found[row["pid"]].add(f"{row['mode']} on {row['schema']}.{row['relation']}")
    return {pid: sorted(each)[:LOCKS] for pid, each in found.items()}


def _of_one(sessions: Rows, row: Json, now: datetime, held: Mapping[int, list[str]]) -> Iterator[Signal]:
    state = str(row.get("state") or "")
    yield from _idle(sessions, row, now, held.get(row["pid"], []))
    if state == "active" and UPKEEP.match(str(row.get("query") or "")):
        text = f"{_who(sessions, row)} does maintenance: {query_text(row, 90)}"
        yield _signal(sessions, row, "session.maintenance", text, moment(row, "query_start"), "info")
        return
    # What one that waits for a lock keeps is the fault of whom it waits for.
    if row.get("blocked_by"):
        return
    yield from _snapshot(sessions, row, now)
    running = since(row, "query_start", now)
    if state == "active" and running and running.total_seconds() >= LONG:
        wait = f", waiting for {row['wait_event_type']}: {row['wait_event']}" if row.get("wait_event") else ""
        ran = f"has run one statement for {lasting(running)}{wait}"
        text = f"{_who(sessions, row)} {ran}: {query_text(row, 90)}"
        more = {"seconds": int(running.total_seconds()), "wait": row.get("wait_event") or ""}
        yield _signal(sessions, row, "session.long_query", text, moment(row, "query_start"), more=more)


def _idle(sessions: Rows, row: Json, now: datetime, locks: list[str]) -> Iterator[Signal]:
    idle = since(row, "state_change", now)
    if row.get("state") not in OPEN or idle is None or idle.total_seconds() < IDLE:
        return
    holds = f" and holds {locks[0]}" if locks else ""
    does = f"has been {row['state']} for {lasting(idle)}{holds}"
    text = f"{_who(sessions, row)} {does}, after: {query_text(row, 90)}"
    more = {"since": row["state_change"], "holds": locks, "idle_seconds": int(idle.total_seconds())}
    yield _signal(sessions, row, "session.idle_in_transaction", text, moment(row, "state_change"), more=more)


def _snapshot(sessions: Rows, row: Json, now: datetime) -> Iterator[Signal]:
    age, open_ = row.get("xmin_age") or 0, since(row, "xact_start", now)
    if age < OLD or open_ is None or open_.total_seconds() < HELD:
        return
    text = f"{_who(sessions, row)} holds a snapshot that is {age} transactions old, for {lasting(open_)}"
    yield _signal(sessions, row, "session.old_snapshot", text, moment(row, "xact_start"))


def _many_idle(sessions: Rows, mine: list[Json], now: datetime) -> Iterator[Signal]:
    """A client whose sessions stand idle in transactions: it takes connections and gives none back."""
    idle: dict[Ref, list[Json]] = defaultdict(list)
    for row in mine:
        span = since(row, "state_change", now)
        if row.get("state") in OPEN and span and span.total_seconds() >= IDLE:
            idle[client(sessions.name, row)].append(row)
    for name, those in sorted(idle.items(), key=lambda each: -len(each[1]))[:1]:
        if len(those) < CROWD:
            continue
        first = min(those, key=lambda row: str(row["state_change"]))
        yield Signal(
            id="sessions.idle_in_transaction",
            entity=name,
            text=f"{len(those)} sessions of {name.name} stand idle in transactions, the longest for "
            f"{lasting(since(first, 'state_change', now))}",
            at=moment(first, "state_change"),
            data={"client": name.name, "count": len(those), "role": first["role"]},
            quotes=tuple(sessions.quote(row) for row in those[:2]),
        )


def _who(sessions: Rows, row: Json) -> str:
    return f"session {row['pid']} of {client(sessions.name, row).name} (role {row['role']})"


def _signal(
    sessions: Rows,
    row: Json,
    id: str,
    text: str,
    at: datetime | None,
    severity: Severity = "warning",
    more: Mapping[str, object] | None = None,
) -> Signal:
    ref = session(str(row.get("database") or sessions.name), row["pid"])
    return Signal(
        id=id,
        entity=ref,
        text=text,
        severity=severity,
        at=at,
        data={**session_data(sessions, row), **(more or {})},
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
        "address": row.get("client") or "",
    }


def _waiting(mine: list[Json]) -> Counter[tuple[str, str]]:
    """What sessions at work wait for; a client that sends nothing is no wait."""
    return Counter(
        (str(row["wait_event_type"]), str(row["wait_event"]))
        for row in mine
        if row.get("state") == "active" and row.get("wait_event_type") not in (None, "Client", "Timeout")
    )


def waits(mine: list[Json]) -> list[str]:
    """What sessions at work wait for, most first, in a line; nothing where none waits."""
    found = _waiting(mine).most_common(5)
    said = ", ".join(f"{count} for {kind}: {event}" for (kind, event), count in found)
    active = sum(row.get("state") == "active" for row in mine)
    return (
        [f"{active} at work; of them wait {said}."] if found else [f"{active} at work, none of them waits."]
    )


def _waits(sessions: Rows, mine: list[Json]) -> Iterator[Signal]:
    for (kind, event), count in _waiting(mine).most_common(1):
        if count < CROWD:
            continue
        those = [row for row in mine if (row.get("wait_event_type"), row.get("wait_event")) == (kind, event)]
        ref = database_ref(sessions.name)
        clients = Counter(client(sessions.name, row).name for row in those)
        yield Signal(
            id="sessions.waiting",
            entity=ref,
            text=f"{count} sessions wait for {kind}: {event}",
            data={
                "type": kind, "event": event, "count": count,
                "clients": [name for name, _ in clients.most_common(5)],
            },
            quotes=tuple(sessions.quote(row) for row in those[:2]),
        )  # fmt: skip


def _quiet(sessions: Rows, mine: list[Json]) -> Iterator[Signal]:
    active = [row for row in mine if row.get("state") == "active"]
    waiting = [row for row in active if row.get("wait_event_type") == "Lock"]
    if len(mine) >= 2 and len(active) <= max(2, len(mine) // 5) and not waiting:
        ref = database_ref(sessions.name)
        yield Signal(
            id="sessions.quiet",
            entity=ref,
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
