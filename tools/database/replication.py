"""The tool `replication`: replicas, slots and standby, as seen from this server."""

from opssquad import Database, Result, tool

from .._text import table
from ._common import missing, size, sources, unread
from .signals.replication import replica_signals, standby_signals
from .signals.server import slot_signals

LOOKS = ("server", "replicas", "slots", "receiver", "conflicts", "sessions")


@tool(effect="read")
async def replication(database: Database) -> Result:
    """Replication as seen here: replicas and how far behind, slots and the WAL they hold, replay on a
    standby."""
    looks = {name: await database.rows(name) for name in LOOKS}
    now, facts = database.now(), looks["server"].rows[0]
    signals = (
        *replica_signals(looks["replicas"]),
        *slot_signals(looks["slots"], now),
        *standby_signals(looks["server"], looks["receiver"], looks["conflicts"], looks["sessions"], now),
    )
    text = ["This server is a standby." if facts["in_recovery"] else "This server is a primary."]
    replicas = [
        (
            str(r["application"]),
            str(r["state"]),
            str(r["sync_state"]),
            size(r["behind_bytes"]),
            f"{r['replay_lag'] or 0:.1f} s",
        )
        for r in looks["replicas"].rows
    ]
    text += (
        table(("REPLICA", "STATE", "SYNC", "BEHIND", "LAG"), replicas, "")
        if replicas
        else ["No replica streams."]
    )
    slots = [
        (
            str(r["slot"]),
            str(r["type"]),
            "active" if r["active"] else "inactive",
            size(r["held_bytes"]),
            str(r["wal_status"]),
        )
        for r in looks["slots"].rows
    ]
    text += table(("SLOT", "TYPE", "STATE", "HOLDS", "WAL"), slots, "") if slots else ["There is no slot."]
    text += [f"{each.id}: {each.text}" for each in signals]
    return Result(
        text="\n".join([*text, *missing((looks["replicas"],))]),
        sources=sources(tuple(looks.values())),
        data=unread((looks["replicas"],)),
        signals=signals,
        commands=("select * from pg_stat_replication; select * from pg_replication_slots",),
    )
