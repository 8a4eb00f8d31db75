"""The tool `sessions`: who is connected, and what they do or wait for."""

from collections import Counter
from datetime import datetime
from typing import Annotated

from opssquad import Cluster, Database, Json, Result, Rows, tool

from .._text import many, some, table
from ._common import client, lasting, missing, query_text, session, since, sources, unread
from ._workloads import addresses_by_client, place, workloads_by_address
from .signals.connections import clients_of, connection_signals
from .signals.sessions import session_signals, waits

MOST = 12


@tool(effect="read")
async def sessions(
    database: Database,
    cluster: Cluster | None,
    client_name: Annotated[str, "only this application_name"] = "",
    state: Annotated[str, "active, idle, or idle in transaction"] = "",
) -> Result:
    """Sessions by client, then those that have been longest in a transaction: state, wait, statement."""
    looks = [await database.rows(name) for name in ("sessions", "server", "roles", "locks")]
    found, server, roles, locks = looks
    now, where = database.now(), await workloads_by_address(cluster)
    signals = (*session_signals(found, now, locks), *connection_signals(server, found, roles))
    wanted = [
        row
        for row in clients_of(found)
        if client_name in ("", client(found.name, row).name) and str(row["state"] or "").startswith(state)
    ]
    text = [
        *_by_client(found, wanted, where),
        *waits(wanted),
        "",
        *_longest(found, wanted, now),
    ]
    return Result(
        text="\n".join([*text, *missing((found,))]),
        sources=sources(looks),
        data={
            "sessions": [str(session(str(row["database"]), row["pid"])) for row in _ordered(wanted)[:MOST]],
            "workloads": _workloads(wanted, where),
            **unread((found,)),
        },
        signals=tuple(place(each, where, addresses_by_client(found)) for each in signals),
        commands=("select * from pg_stat_activity where backend_type = 'client backend'",),
    )


def _workloads(rows: list[Json], where: dict[str, str]) -> list[str]:
    """The workloads that have sessions here, the one with most first."""
    found = Counter(where[str(row["client"])] for row in rows if str(row["client"]) in where)
    return [name for name, _ in found.most_common()]


def _by_client(found: Rows, rows: list[Json], where: dict[str, str]) -> list[str]:
    clients: dict[str, list[Json]] = {}
    for row in rows:
        clients.setdefault(client(found.name, row).name, []).append(row)
    lines = []
    ordered = sorted(clients.items(), key=lambda each: -len(each[1]))
    for name, theirs in ordered[:MOST]:
        states = Counter(str(row["state"] or "?") for row in theirs)
        said = ", ".join(f"{n} {each}" for each, n in states.most_common())
        lines.append((name, str(len(theirs)), said, some(_workloads(theirs, where), 2)))
    more = [f"and {len(clients) - MOST} more clients"] if len(clients) > MOST else []
    heads = ("CLIENT", "N", "STATES", "WORKLOAD")
    # Without a cluster nobody's workload is known.
    kept = 4 if where else 3
    counted = many(len(rows), "session")
    return [f"{counted}.", *table(heads[:kept], [line[:kept] for line in lines], ""), *more]


def _ordered(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: str(row["xact_start"] or "9"))


def _longest(found: Rows, rows: list[Json], now: datetime) -> list[str]:
    opened = [row for row in _ordered(rows) if row["xact_start"]][:MOST]
    lines = [
        (
            str(row["pid"]),
            client(found.name, row).name[:16],
            str(row["state"] or "?"),
            lasting(since(row, "xact_start", now)),
            "/".join(filter(None, (row["wait_event_type"], row["wait_event"]))) or "-",
            query_text(row, 34),
        )
        for row in opened
    ]
    if not lines:
        return ["No transaction is open."]
    return [
        "Open transactions, oldest first:",
        *table(("PID", "CLIENT", "STATE", "OPEN", "WAIT", "QUERY"), lines, ""),
    ]
