"""The tool `overview`: a database server on one screen."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Cluster, Database, DatabaseError, Quote, Result, Rows, Signal, tool

from .._text import many
from ._common import lasting, missing, since, size, sources, unread
from ._workloads import placed
from .signals.connections import connection_signals, limits, told_of
from .signals.horizon import left_signals, oldest
from .signals.server import (
    archive_signals,
    checkpoint_signals,
    read_only,
    refused,
    serves,
    slot_signals,
    standing_signals,
    summary,
)
from .signals.sessions import longest

LOOKS = (
    "server",
    "sessions",
    "databases",
    "checkpoints",
    "roles",
    "role_settings",
    "slots",
    "replicas",
    "archiver",
    "prepared",
)
TELLING = ("full", "starting", "away", "lost")
"""Kinds of trouble that are themselves what is to be told."""


@tool(effect="read")
async def overview(database: Database, cluster: Cluster | None) -> Result:
    """The server at a glance: version, connections against the limit and who has them, cache, deadlocks,
    checkpoints, slots, the longest transaction."""
    try:
        looks = {name: await database.rows(name) for name in LOOKS}
    except DatabaseError as error:
        if error.kind not in TELLING:
            raise
        return _refused(database, error)
    told = _told(database, looks)
    signals, _ = await placed(cluster, told.signals, looks["sessions"])
    return told.model_copy(update={"signals": signals})


def _refused(database: Database, error: DatabaseError) -> Result:
    signal = refused(database.name, database.server, error)
    source = Quote(locator=f"server {database.server}", text=error.said)
    return Result(text=f"{error}", sources=(source,), signals=(signal,))


def _told(database: Database, looks: dict[str, Rows]) -> Result:
    now, server = database.now(), looks["server"].rows[0]
    sessions = looks["sessions"]
    signals = tuple(_signals(looks, now))
    if not any(each.severity != "info" for each in signals):
        signals += tuple(serves(sessions, now))
    text = [
        *summary(server, looks["databases"], now),
        *told_of(server, sessions),
        *limits(sessions, looks["roles"], looks["databases"]),
        *longest(sessions, now),
        *oldest(sessions, looks["slots"], looks["prepared"]),
        *_checkpoints(looks["checkpoints"], now),
        _replication(looks["replicas"], looks["slots"]),
        *(f"{each.id}: {each.text}" for each in signals if each.severity != "info"),
    ]
    # Transactions are prepared on few servers: that they were not recorded is not told.
    told = [each for name, each in looks.items() if name != "prepared"]
    return Result(
        text="\n".join([*text, *missing(told)]),
        sources=sources(looks.values()),
        data={"database": database.name, **unread(told)},
        signals=signals,
        commands=("select * from pg_stat_activity; select * from pg_stat_database",),
    )


def _signals(looks: dict[str, Rows], now: datetime) -> Iterator[Signal]:
    server, sessions = looks["server"], looks["sessions"]
    yield from standing_signals(server, looks["databases"])
    yield from read_only(server, looks["role_settings"])
    yield from connection_signals(server, sessions, looks["roles"], looks["databases"])
    yield from checkpoint_signals(looks["checkpoints"], server.rows[0], now)
    yield from slot_signals(looks["slots"], now)
    yield from archive_signals(looks["archiver"])
    yield from left_signals(looks["prepared"], now)


def _checkpoints(look: Rows, now: datetime) -> list[str]:
    return [
        f"Checkpoints: {row['timed']} by time, {row['requested']} by demand, in "
        f"{lasting(since(row, 'stats_reset', now))}."
        for row in look.rows
    ]


def _replication(replicas: Rows, slots: Rows) -> str:
    """Replicas with how far they are behind, and slots, in a line."""
    behind = [f"{row['application']} {size(row['behind_bytes'])} behind" for row in replicas.rows[:4]]
    more = f" and {len(replicas.rows) - 4} more" if len(replicas.rows) > 4 else ""
    told = f"{', '.join(behind)}{more}" if behind else "no replica"
    left = sum(not row["active"] for row in slots.rows)
    return f"Replication: {told}; {many(len(slots.rows), 'slot')}, {left} without a reader."
