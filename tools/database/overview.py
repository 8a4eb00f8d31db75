"""The tool `overview`: a database server on one screen."""

from opssquad import Database, DatabaseError, Quote, Result, Rows, tool

from ._common import missing, sources, unread
from .signals.connections import connection_signals, told_of
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
)
TELLING = ("full", "starting", "away", "lost")
"""Kinds of trouble that are themselves what is to be told."""


@tool(effect="read")
async def overview(database: Database) -> Result:
    """The server at a glance: version, connections against the limit and who has them, cache, deadlocks,
    checkpoints, slots, the longest transaction."""
    try:
        looks = {name: await database.rows(name) for name in LOOKS}
    except DatabaseError as error:
        if error.kind not in TELLING:
            raise
        return _refused(database, error)
    return _told(database, looks)


def _refused(database: Database, error: DatabaseError) -> Result:
    signal = refused(database.name, database.server, error)
    source = Quote(locator=f"server {database.server}", text=error.said)
    return Result(text=f"{error}", sources=(source,), signals=(signal,))


def _told(database: Database, looks: dict[str, Rows]) -> Result:
    now, server = database.now(), looks["server"].rows[0]
    sessions, checkpoints = looks["sessions"], looks["checkpoints"]
    signals = (
        *standing_signals(looks["server"], looks["databases"]),
        *read_only(looks["server"], looks["role_settings"]),
        *connection_signals(server, sessions, looks["roles"]),
        *checkpoint_signals(checkpoints, server, now),
        *slot_signals(looks["slots"], now),
        *archive_signals(looks["archiver"]),
    )
    if not any(each.severity != "info" for each in signals):
        signals += tuple(serves(sessions, now))
    text = [*summary(server, looks["databases"], now), *told_of(server, sessions), *longest(sessions, now)]
    for row in checkpoints.rows:
        text.append(f"Checkpoints: {row['timed']} by time, {row['requested']} by demand.")
    text.append(f"Replication: {len(looks['replicas'].rows)} replicas, {len(looks['slots'].rows)} slots.")
    text += [f"{each.id}: {each.text}" for each in signals if each.severity != "info"]
    return Result(
        text="\n".join([*text, *missing(looks.values())]),
        sources=sources(tuple(looks.values())),
        data={"database": database.name, **unread(looks.values())},
        signals=signals,
        commands=("select * from pg_stat_activity; select * from pg_stat_database",),
    )
