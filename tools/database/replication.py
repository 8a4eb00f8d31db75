"""The tool `replication`: replicas, slots and standby, as seen from this server."""

from datetime import datetime

from opssquad import Database, Json, Result, Rows, tool

from .._text import table
from ._common import lasting, missing, since, size, sources, unread
from .signals.replication import replica_signals, standby_signals, sync_signals
from .signals.server import slot_signals

LOOKS = ("server", "replicas", "slots", "receiver", "conflicts", "sessions", "settings")
MOST = 15
"""Replicas, and slots, that are told."""


@tool(effect="read")
async def replication(database: Database) -> Result:
    """Replication as seen here: replicas and how far behind, slots and the WAL they hold, replay on a
    standby."""
    looks = {name: await database.rows(name) for name in LOOKS}
    now = database.now()
    signals = (
        *replica_signals(looks["replicas"]),
        *sync_signals(looks["sessions"], looks["replicas"], now),
        *slot_signals(looks["slots"], now),
        *standby_signals(looks, now),
    )
    text = [
        *_here(looks, now),
        *_replicas(looks["replicas"]),
        *_slots(looks["slots"], now),
        *(f"{each.id}: {each.text}" for each in signals),
    ]
    told = (looks["replicas"], looks["receiver"], looks["slots"])
    return Result(
        text="\n".join([*text, *missing(told)]),
        sources=sources(looks.values()),
        data=unread(told),
        signals=signals,
        commands=("select * from pg_stat_replication; select * from pg_replication_slots",),
    )


def _here(looks: dict[str, Rows], now: datetime) -> list[str]:
    """What this server is; of a standby, what it receives and replays."""
    facts = looks["server"].rows[0]
    if not facts["in_recovery"]:
        return ["This server is a primary."]
    paused = ", replay paused" if facts.get("replay_paused") else ""
    until = since(facts, "replayed_until", now)
    last = f"; the last transaction that it replayed is {lasting(until)} old" if until is not None else ""
    text = [f"This server is a standby{paused}{last}."]
    for row in looks["receiver"].rows:
        at = f" from {row['sender_host']}:{row['sender_port']}" if row.get("sender_host") else ""
        by = f", slot {row['slot']}" if row.get("slot") else ""
        waits = size(row.get("unreplayed_bytes"))
        text.append(f"It receives{at} ({row.get('status') or '?'}{by}); {waits} are not replayed.")
    return text


def _replicas(look: Rows) -> list[str]:
    rows = sorted(look.rows, key=lambda row: -int(row.get("behind_bytes") or 0))
    lines = [
        (
            str(row["application"]), str(row["state"]), str(row["sync_state"]), size(row["unsent_bytes"]),
            size(row["behind_bytes"]), _seconds(row, "flush_lag"), _seconds(row, "replay_lag"),
        )
        for row in rows[:MOST]
    ]  # fmt: skip
    heads = ("REPLICA", "STATE", "SYNC", "UNSENT", "BEHIND", "FLUSH", "REPLAY")
    more = [f"and {len(rows) - MOST} more replicas, less behind"] if len(rows) > MOST else []
    return [*table(heads, lines, ""), *more] if lines else ["No replica streams."]


def _seconds(row: Json, column: str) -> str:
    return f"{row[column]:.1f} s" if row.get(column) is not None else "-"


def _slots(look: Rows, now: datetime) -> list[str]:
    rows = sorted(look.rows, key=lambda row: -int(row.get("held_bytes") or 0))
    lines = [
        (
            str(row["slot"]), str(row["type"]), _reader(row, now), size(row["held_bytes"]),
            str(row.get("invalidated") or row["wal_status"] or "-"),
        )
        for row in rows[:MOST]
    ]  # fmt: skip
    more = [f"and {len(rows) - MOST} more slots, which hold less"] if len(rows) > MOST else []
    heads = ("SLOT", "TYPE", "READER", "HOLDS", "WAL")
    return [*table(heads, lines, ""), *more] if lines else ["There is no slot."]


def _reader(row: Json, now: datetime) -> str:
    if row["active"]:
        return f"pid {row['active_pid']}"
    gone = since(row, "inactive_since", now)
    return f"none for {lasting(gone)}" if gone is not None else "none"
