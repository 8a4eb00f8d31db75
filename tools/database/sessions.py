"""The tool `sessions`: who is connected, and what they do or wait for."""

from collections import Counter
from datetime import datetime
from typing import Annotated

from opssquad import Cluster, Database, Json, Result, Rows, Signal, tool

from .._text import some, table
from ._common import client, lasting, missing, query_text, session, since, sources, unread
from ._workloads import workloads_by_address
from .signals.connections import clients_of, connection_signals
from .signals.sessions import session_signals

MOST = 12


@tool(effect="read")
async def sessions(
    database: Database,
    cluster: Cluster | None,
    client_name: Annotated[str, "only this application_name"] = "",
    state: Annotated[str, "active, idle, or idle in transaction"] = "",
) -> Result:
    """Sessions by client, then those that have been longest in a transaction: state, wait, statement."""
    found, server, roles = await _looks(database)
    now, where = database.now(), await workloads_by_address(cluster)
    signals = tuple(
        _placed(each, where)
        for each in (*session_signals(found, now), *connection_signals(server, found, roles))
    )
    wanted = [
        row
        for row in clients_of(found)
        if client_name in ("", client(found.name, row).name) and str(row["state"] or "").startswith(state)
    ]
    text = [*_by_client(found, wanted, where), "", *_longest(found, wanted, now)]
    return Result(
        text="\n".join([*text, *missing((found,))]),
        sources=sources((found, server, roles)),
        data={
            "sessions": [str(session(str(row["database"]), row["pid"])) for row in _ordered(wanted)[:MOST]],
            "workloads": sorted(set(where.values())),
            **unread((found,)),
        },
        signals=signals,
        commands=("select * from pg_stat_activity where backend_type = 'client backend'",),
    )


async def _looks(database: Database) -> tuple[Rows, Rows, Rows]:
    return await database.rows("sessions"), await database.rows("server"), await database.rows("roles")


def _placed(signal: Signal, where: dict[str, str]) -> Signal:
    """The signal with the workload that its client's addresses are of, where one cluster holds them all."""
    addresses = signal.data.get("addresses") or []
    owners = {where[each] for each in addresses if each in where}
    if len(owners) != 1:
        return signal
    workload = owners.pop()
    told = {"workload": workload, "workload_namespace": workload.split("/")[1]}
    return signal.model_copy(update={"data": {**signal.data, **told}})


def _by_client(found: Rows, rows: list[Json], where: dict[str, str]) -> list[str]:
    clients = Counter(client(found.name, row).name for row in rows)
    lines = []
    for name, count in clients.most_common(MOST):
        theirs = [row for row in rows if client(found.name, row).name == name]
        states = Counter(str(row["state"] or "?") for row in theirs)
        owners = sorted({where[str(row["client"])] for row in theirs if str(row["client"]) in where})
        said = ", ".join(f"{n} {each}" for each, n in states.most_common())
        lines.append((name, str(count), said, some(owners, 2)))
    more = [f"and {len(clients) - MOST} more clients"] if len(clients) > MOST else []
    return [f"{len(rows)} sessions.", *table(("CLIENT", "N", "STATES", "WORKLOAD"), lines, ""), *more]


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
            query_text(row, 60),
        )
        for row in opened
    ]
    if not lines:
        return ["No transaction is open."]
    return [
        "Open transactions, oldest first:",
        *table(("PID", "CLIENT", "STATE", "OPEN", "WAIT", "QUERY"), lines, ""),
    ]
