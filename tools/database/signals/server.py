"""What a server as a whole tells: whether it takes writes, checkpoints, slots, age, deadlocks."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import DatabaseError, Json, Quote, Ref, Rows, Signal

from .._common import database_ref, lasting, moment, percent, role, setting, since, size, slot
from .connections import clients_of

OFTEN = 60.0
"""Seconds between checkpoints on the average below which they come too often: the default is 300."""
BY_DEMAND = 10
"""Checkpoints by demand below which their share says nothing."""
OLD = 1_000_000_000
"""Transactions from which the age of a database is a worry: at two billion the server stops taking writes."""
HELD = 64 * 2**20
"""Bytes of WAL that a slot without a reader may hold before it counts: a restart of its reader takes less."""
BEHIND = 2**30
"""Bytes of WAL that the reader of a slot may be behind: a burst of writes leaves it less to read."""
RECENT = 60.0
"""Seconds within which a session that does its work has done something."""
READ_ONLY = "default_transaction_read_only"
ON = {f"{READ_ONLY}={value}" for value in ("on", "true", "yes", "1")}
ENDS = {"full": "server.refuses_connections", "starting": "server.starting"}


def refused(name: str, server: str, error: DatabaseError) -> Signal:
    """What a server that does not let us in says of itself."""
    ref = database_ref(name)
    return Signal(
        id=ENDS.get(error.kind, "server.away"),
        entity=ref,
        text=f"the server takes no connection: {error.said}",
        severity="critical",
        data={"said": error.said, "kind": error.kind},
        quotes=(Quote(locator=f"server {server}", text=error.said),),
    )


def standing_signals(server: Rows, databases: Rows) -> Iterator[Signal]:
    """Recovery, age, deadlocks."""
    row, ref = server.rows[0], database_ref(server.name)
    if row["in_recovery"]:
        yield Signal(
            id="server.in_recovery",
            entity=ref,
            text="the server is a standby and takes no writes",
            severity="info",
            quotes=(server.quote(row, "in_recovery"),),
        )
    for each in databases.rows:
        yield from _of_database(databases, each)


def read_only(server: Rows, role_settings: Rows) -> Iterator[Signal]:
    """Where transactions are read-only by default, though not in recovery. Our own role is set so more often
    than not, and hides what the server itself says."""
    row, ref = server.rows[0], setting(READ_ONLY)
    ours, told = False, False
    for each in role_settings.rows:
        if not any(said.lower() in ON for said in each["settings"]) or each["database"] not in (
            "",
            server.name,
        ):
            continue
        if each["role"] == "":
            told = True
            where = f"database {each['database']}" if each["database"] else "all databases"
            yield _read_only(ref, where, role_settings.quote(each))
        elif each["role"] == row["role"]:
            ours = True
        else:
            yield _of_role(str(each["role"]), role_settings.quote(each))
    if row.get("read_only") == "on" and not ours and not told:
        yield _read_only(ref, "the server", server.quote(row, "read_only"))


def _of_role(name: str, quote: Quote) -> Signal:
    """Most roles that may only read are meant to: it is told, and no fault."""
    return Signal(
        id="role.read_only",
        entity=role(name),
        text=f"transactions of role {name} are read-only by default",
        severity="info",
        data={"role": name},
        quotes=(quote,),
    )


def _read_only(ref: Ref, where: str, quote: Quote) -> Signal:
    return Signal(
        id="server.read_only",
        entity=ref,
        text=f"transactions are read-only by default in {where}",
        data={"scope": where, "ref": str(ref)},
        quotes=(quote,),
    )


def serves(sessions: Rows, now: datetime) -> Iterator[Signal]:
    """That the server does its work: sessions come and go, and none waits for another."""
    mine = clients_of(sessions)
    blocked = [row for row in mine if row.get("blocked_by")]
    recent = [row for row in mine if (s := since(row, "state_change", now)) and s.total_seconds() < RECENT]
    if recent and not blocked:
        ref = database_ref(sessions.name)
        yield Signal(
            id="server.serves",
            entity=ref,
            text=f"{len(recent)} of {len(mine)} sessions did something in the last minute, and none "
            f"waits for another",
            severity="info",
            data={"recent": len(recent)},
            quotes=tuple(sessions.quote(row, "pid", "state") for row in recent[:2]),
        )


def _of_database(databases: Rows, row: Json) -> Iterator[Signal]:
    ref = database_ref(str(row["database"]))
    for column, what in (("xid_age", "transaction"), ("mxid_age", "multixact")):
        if (row.get(column) or 0) >= OLD:
            yield Signal(
                id="transactions.wraparound",
                entity=ref,
                text=f"the oldest {what} of {ref.name} is {row[column]} of them old; at two billion the "
                "server takes no more writes",
                severity="critical",
                data={"age": row[column], "what": what},
                quotes=(databases.quote(row, "database"), databases.quote(row, column)),
            )
    if row["database"] == databases.name and (row.get("deadlocks") or 0) > 0:
        yield Signal(
            id="deadlocks.counted",
            entity=ref,
            text=f"{row['deadlocks']} deadlocks since statistics were reset",
            severity="info",
            data={"count": row["deadlocks"]},
            quotes=(databases.quote(row, "deadlocks"),),
        )


def checkpoint_signals(checkpoints: Rows, server: Json, now: datetime) -> Iterator[Signal]:
    """Whether writing forces checkpoints."""
    for row in checkpoints.rows:
        timed, requested = int(row["timed"] or 0), int(row["requested"] or 0)
        started = moment(row, "stats_reset") or moment(server, "started")
        span = (now - started).total_seconds() if started else 0.0
        total = timed + requested
        if requested < BY_DEMAND or requested < timed or not span or span / total > OFTEN:
            continue
        ref = database_ref(checkpoints.name)
        yield Signal(
            id="checkpoints.requested",
            entity=setting("max_wal_size"),
            owner=ref,
            text=f"{requested} of {total} checkpoints were forced by WAL, one every {span / total:.0f} s",
            data={"requested": requested, "timed": timed, "seconds": round(span / total, 1)},
            quotes=(checkpoints.quote(row, "timed", "requested"),),
        )


def slot_signals(slots: Rows, now: datetime) -> Iterator[Signal]:
    """Slots that hold WAL for nobody, or for a reader that does not come on."""
    for row in slots.rows:
        held, status = int(row.get("held_bytes") or 0), str(row.get("wal_status") or "")
        lost = status in ("lost", "unreserved")
        if held < (BEHIND if row["active"] else HELD) and not lost:
            continue
        ref = slot(str(row["slot"]))
        yield Signal(
            id="slot.lost" if status == "lost" else "slot.behind" if row["active"] else "slot.inactive",
            entity=ref,
            text=_slot_words(row, ref.name, held, now),
            severity="critical" if lost or (held > 16 * HELD and not row["active"]) else "warning",
            at=moment(row, "inactive_since"),
            data={
                "slot": ref.name, "type": row["type"], "held_bytes": held, "held": size(held),
                "wal_status": status, "plugin": row.get("plugin") or "",
                "inactive_since": row.get("inactive_since") or "",
                "invalidated": row.get("invalidated") or "",
            },
            quotes=(slots.quote(row),),
        )  # fmt: skip


def _slot_words(row: Json, name: str, held: int, now: datetime) -> str:
    if row.get("wal_status") == "lost":
        why = f" ({row['invalidated']})" if row.get("invalidated") else ""
        return f"slot {name} is lost{why}: WAL that it needs was removed, its reader must be built anew"
    if row["active"]:
        return f"slot {name} has a reader that is {size(held)} of WAL behind"
    gone = since(row, "inactive_since", now)
    return (
        f"slot {name} has no reader{f', for {lasting(gone)}' if gone else ''} and holds {size(held)} of WAL"
        + (f" ({row['wal_status']})" if row.get("wal_status") not in (None, "", "reserved") else "")
    )


def archive_signals(archiver: Rows) -> Iterator[Signal]:
    """An archive that fails."""
    for row in archiver.rows:
        failed, good = moment(row, "last_failed_time"), moment(row, "last_archived_time")
        if failed and (good is None or failed > good):
            ref = setting("archive_command")
            yield Signal(
                id="archive.failing",
                entity=ref,
                text=f"archiving of WAL has failed {row['failed_count']} times, the last time was no success",
                severity="critical",
                at=failed,
                data={"failed": row["failed_count"], "file": row.get("last_failed_wal") or ""},
                quotes=(archiver.quote(row, "failed_count", "last_failed_wal"),),
            )


def summary(server: Json, databases: Rows, now: datetime) -> list[str]:
    """Version, uptime and recovery, then the counters of the database at hand."""
    role = "a standby in recovery" if server["in_recovery"] else "a primary"
    text = [f"PostgreSQL {server['version']}, {role}, up {lasting(since(server, 'started', now))}."]
    for row in databases.rows:
        if row["database"] != server["database"]:
            continue
        hit, read = int(row["blks_hit"] or 0), int(row["blks_read"] or 0)
        text.append(
            f"Database {row['database']}: {size(row['size'])}, cache hit {percent(hit, hit + read)}, "
            f"{row['commits']} commits, {row['rollbacks']} rollbacks, {row['deadlocks']} deadlocks, "
            f"{row['temp_files']} temporary files, xid age {row['xid_age']}."
        )
    return text
