"""What keeps vacuum from removing dead rows: the oldest snapshot, whoever holds it."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Rows, Signal

from .._common import client, lasting, moment, since
from .._common import prepared as prepared_ref

LEFT = 3600.0
"""Seconds after which a prepared transaction was left: whoever prepares one ends it within seconds."""


def oldest(sessions: Rows, slots: Rows, prepared: Rows) -> list[str]:
    """Who holds the oldest snapshot, and how old it is, in a line; nothing where nobody holds one."""
    held = [
        *(
            (row.get("xmin_age"), f"session {row['pid']} of {client(sessions.name, row).name}")
            for row in sessions.rows
        ),
        *((row.get("xmin_age"), f"slot {row['slot']}") for row in slots.rows),
        *((row.get("catalog_xmin_age"), f"slot {row['slot']} (catalog only)") for row in slots.rows),
        *((row.get("xid_age"), f"prepared transaction {row['gid']}") for row in prepared.rows),
    ]
    known = [(int(age), who) for age, who in held if age is not None]
    if not known:
        return []
    age, who = max(known)
    return [f"Oldest snapshot: {age} transactions, held by {who}."]


def left_signals(prepared: Rows, now: datetime) -> Iterator[Signal]:
    """Prepared transactions that nobody ends: they keep locks and dead rows, also over restarts."""
    for row in prepared.rows:
        age = since(row, "prepared", now)
        if age is None or age.total_seconds() < LEFT:
            continue
        ref = prepared_ref(str(row["database"]), row["gid"])
        yield Signal(
            id="transaction.left_prepared",
            entity=ref,
            text=f"transaction {row['gid']} of role {row['owner']} was prepared {lasting(age)} ago "
            "and never ended",
            at=moment(row, "prepared"),
            data={"gid": row["gid"], "owner": row["owner"], "xid_age": row["xid_age"]},
            quotes=(prepared.quote(row),),
        )
