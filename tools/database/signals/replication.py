"""Signals about replication: replicas behind, replay held up, queries cancelled for it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from opssquad import Json, Ref, Rows, Signal

from .._common import client, database_ref, lasting, moment, query_text, session, setting, since, size
from .connections import clients_of
from .sessions import session_data

BEHIND, SECONDS = 16 * 2**20, 5.0
"""Bytes and seconds from which a replica is behind: less is the traffic of a moment."""
LONG = 3.0
"""Seconds from which a query on a standby may be what replay waits for."""


def replica_signals(replicas: Rows) -> Iterator[Signal]:
    """Replicas that stream from here and are behind, and where: WAL is not sent, or not replayed."""
    for row in replicas.rows:
        behind, lag = int(row.get("behind_bytes") or 0), float(row.get("replay_lag") or 0)
        if behind < BEHIND and lag < SECONDS:
            continue
        ref = Ref(kind="Replica", name=str(row["application"] or row["client"]))
        unsent = int(row.get("unsent_bytes") or 0)
        where = "sending" if unsent > behind / 2 else "replaying"
        what = f"{size(unsent)} of it not sent yet" if where == "sending" else "sent, and not replayed"
        yield Signal(
            id="replica.lagging",
            entity=ref,
            text=f"replica {ref.name} is {size(behind)} behind in replay"
            + (f", {lag:.0f} s" if lag else "")
            + f" ({what})",
            severity="critical",
            data={
                "application": ref.name, "behind_bytes": behind, "replay_lag": lag, "state": row["state"],
                "where": where, "unsent_bytes": unsent, "sync_state": row.get("sync_state") or "",
            },
            quotes=(replicas.quote(row),),
        )  # fmt: skip


def sync_signals(sessions: Rows, replicas: Rows, now: datetime) -> Iterator[Signal]:
    """Commits that wait for a synchronous replica: with none there, they wait for ever."""
    those = [row for row in sessions.rows if row.get("wait_event") == "SyncRep"]
    spans = [span for row in those if (span := since(row, "query_start", now))]
    if not spans or max(spans).total_seconds() < LONG:
        return
    there = [row for row in replicas.rows if row.get("sync_state") in ("sync", "quorum")]
    ref = setting("synchronous_standby_names")
    named = ", ".join(str(row["application"]) for row in there) or "none streams"
    yield Signal(
        id="replica.sync_waiting",
        entity=ref,
        owner=database_ref(sessions.name),
        text=f"{len(those)} commits wait for a synchronous replica ({named}), the longest for "
        f"{lasting(max(spans))}",
        severity="critical",
        data={"count": len(those), "replicas": len(there), "seconds": int(max(spans).total_seconds())},
        quotes=tuple(sessions.quote(row) for row in those[:2]),
    )


def standby_signals(looks: Mapping[str, Rows], now: datetime) -> Iterator[Signal]:
    """What a standby tells of itself: `server`, `receiver`, `conflicts`, `sessions`, `settings`."""
    server, receiver = looks["server"], looks["receiver"]
    facts, ref = server.rows[0], database_ref(server.name)
    if not facts["in_recovery"]:
        return
    if facts.get("replay_paused"):
        yield Signal(
            id="replica.replay_paused",
            entity=ref,
            text="replay is paused on this standby: someone paused it, and it stays so until it is resumed",
            severity="critical",
            data={"replayed_until": facts.get("replayed_until") or ""},
            quotes=(server.quote(facts, "replay_paused"),),
        )
    yield from _cancelled(looks["conflicts"])
    yield from _not_streaming(server, receiver, looks["settings"], now)
    behind = [row for row in receiver.rows if _is_behind(row)]
    for row in behind:
        text = f"{size(row['unreplayed_bytes'])} of WAL are received here and not replayed"
        yield Signal(
            id="replica.lagging",
            entity=ref,
            text=text,
            severity="critical",
            data={
                "behind_bytes": row["unreplayed_bytes"],
                "replay_lag": row.get("replay_age") or 0,
                "where": "replaying",
            },
            quotes=(receiver.quote(row),),
        )
    if behind:
        yield from _held_up(looks["sessions"], now)


def _cancelled(conflicts: Rows) -> Iterator[Signal]:
    for row in conflicts.rows:
        kinds = {
            name.removeprefix("confl_"): int(row[name])
            for name in row
            if name.startswith("confl_") and int(row[name] or 0)
        }
        if kinds:
            told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            yield Signal(
                id="replica.conflicts",
                entity=setting("max_standby_streaming_delay"),
                owner=database_ref(conflicts.name),
                text=f"{sum(kinds.values())} queries of this standby were cancelled for recovery ({told})",
                data={"count": sum(kinds.values()), "kinds": kinds},
                quotes=(conflicts.quote(row),),
            )


def _not_streaming(server: Rows, receiver: Rows, settings: Rows, now: datetime) -> Iterator[Signal]:
    """A standby that receives nothing: its primary is gone, or no longer has the WAL that it needs. One that
    is fed from an archive does without."""
    streams = any(row.get("status") in ("streaming", None) for row in receiver.rows)
    archive = next(
        (row for row in settings.rows if row["name"] == "restore_command" and row["setting"]), None
    )
    if streams or receiver.missing:
        return
    facts, ref = server.rows[0], database_ref(server.name)
    last = since(facts, "replayed_until", now)
    yield Signal(
        id="replica.not_streaming",
        entity=ref,
        text="this standby receives nothing from a primary"
        + (f"; what it replayed last is {lasting(last)} old" if last is not None else ""),
        severity="info" if archive else "critical",
        at=moment(facts, "replayed_until"),
        data={"archive": archive is not None},
        quotes=(server.quote(facts, "in_recovery"),),
    )


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
            text=f"session {row['pid']} of {client(sessions.name, row).name} has had a snapshot for "
            f"{lasting(open_)} "
            f"while replay waits: {query_text(row, 90)}",
            data={**session_data(sessions, row), "session": str(ref)},
            quotes=(sessions.quote(row),),
        )
