"""Signals about replication: replicas behind, replay held up, queries cancelled for it."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Ref, Rows, Signal

from .._common import client, database_ref, lasting, query_text, session, setting, since, size
from .connections import clients_of

BEHIND, SECONDS = 16 * 2**20, 5.0
"""Bytes and seconds from which a replica is behind: less is the traffic of a moment."""
LONG = 3.0
"""Seconds from which a query on a standby may be what replay waits for."""


def replica_signals(replicas: Rows) -> Iterator[Signal]:
    """Replicas that stream from here and are behind."""
    for row in replicas.rows:
        behind, lag = int(row.get("behind_bytes") or 0), float(row.get("replay_lag") or 0)
        if behind < BEHIND and lag < SECONDS:
            continue
        ref = Ref(kind="Replica", name=str(row["application"] or row["client"]))
        yield Signal(
            id="replica.lagging",
            entity=ref,
            owner=ref,
            text=f"replica {ref.name} is {size(behind)} behind in replay" + (f", {lag:.0f} s" if lag else ""),
            severity="critical",
            data={"application": ref.name, "behind_bytes": behind, "replay_lag": lag, "state": row["state"]},
            quotes=(replicas.quote(row),),
        )


def standby_signals(
    server: Rows, receiver: Rows, conflicts: Rows, sessions: Rows, now: datetime
) -> Iterator[Signal]:
    """What a standby tells of itself."""
    facts = server.rows[0]
    if not facts["in_recovery"]:
        return
    ref = database_ref(server.name)
    if facts.get("replay_paused"):
        text = "replay is paused on this standby"
        quote = server.quote(facts, "replay_paused")
        yield Signal(
            id="replica.replay_paused", entity=ref, owner=ref, text=text, severity="critical", quotes=(quote,)
        )
    behind = [row for row in receiver.rows if _is_behind(row)]
    for row in conflicts.rows:
        count = sum(int(row[name] or 0) for name in row if name.startswith("confl_"))
        if count:
            text = f"{count} queries of this standby were cancelled for recovery"
            quote = conflicts.quote(row)
            yield Signal(
                id="replica.conflicts",
                entity=setting("max_standby_streaming_delay"),
                owner=ref,
                text=text,
                data={"count": count},
                quotes=(quote,),
            )
    for row in behind:
        text = f"{size(row['unreplayed_bytes'])} of WAL are received here and not replayed"
        yield Signal(
            id="replica.lagging",
            entity=ref,
            owner=ref,
            text=text,
            severity="critical",
            data={"behind_bytes": row["unreplayed_bytes"], "replay_lag": row.get("replay_age") or 0},
            quotes=(receiver.quote(row),),
        )
    if behind:
        yield from _held_up(sessions, now)


def _is_behind(row: Json) -> bool:
    """Whether what was received waits to be replayed, and not just now."""
    waits, age = int(row.get("unreplayed_bytes") or 0), float(row.get("replay_age") or 0)
    return waits >= BEHIND or (waits > 0 and age >= SECONDS)


def _held_up(sessions: Rows, now: datetime) -> Iterator[Signal]:
    opened = [row for row in clients_of(sessions) if row.get("xmin_age") is not None or row.get("xmin")]
    for row in sorted(opened, key=lambda each: str(each["xact_start"] or "9"))[:1]:
        open_ = since(row, "xact_start", now)
        if open_ is None or open_.total_seconds() < LONG:
            continue
        ref = session(str(row["database"]), row["pid"])
        yield Signal(
            id="replica.blocked_by_query",
            entity=ref,
            owner=ref,
            text=f"session {row['pid']} of {client(sessions.name, row).name} has had a snapshot for "
            f"{lasting(open_)} "
            f"while replay waits: {query_text(row, 90)}",
            data={
                "pid": row["pid"],
                "started": row["backend_start"],
                "database": row["database"],
                "session": str(ref),
            },
            quotes=(sessions.quote(row),),
        )
