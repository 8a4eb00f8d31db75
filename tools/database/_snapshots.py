"""Who keeps vacuum from removing dead rows: whoever may still have to see them."""

import asyncio
from collections.abc import Sequence

from opssquad import Database, Json, Rows

from ._common import client

LOOKS = ("sessions", "slots", "prepared")
TELLING = 3
"""Holders that are named: behind the oldest, the others hardly matter."""


async def looks_at_holders(database: Database) -> Sequence[Rows]:
    """What holders are read from."""
    return await asyncio.gather(*(database.rows(look) for look in LOOKS))


def holders(looks: Sequence[Rows]) -> list[str]:
    """Who holds a snapshot or a transaction older than what ended last, oldest first: `session 7 of import
    (idle in transaction, 1200 transactions old)`. Snapshots of another database keep nothing in this one."""
    sessions, slots, prepared = looks
    held = [
        *(
            (_age(row, "xmin_age", "xid_age"), _session(sessions, row))
            for row in sessions.rows
            if _here(sessions, row)
        ),
        *((_age(row, "xmin_age"), f"slot {row['slot']}") for row in slots.rows),
        *(
            (_age(row, "xid_age"), f"prepared transaction {row['gid']}")
            for row in prepared.rows
            if _here(sessions, row)
        ),
    ]
    known = sorted((each for each in held if each[0] > 0), key=lambda each: -each[0])
    return [f"{who} ({age} transactions old)" for age, who in known[:TELLING]]


def _here(sessions: Rows, row: Json) -> bool:
    """Whether it counts here; what has no database (a replica's feedback) counts everywhere."""
    return row["database"] in (sessions.name, None)


def _session(sessions: Rows, row: Json) -> str:
    return f"session {row['pid']} of {client(sessions.name, row).name}, {row['state'] or row['backend_type']}"


def _age(row: Json, *columns: str) -> int:
    return max(int(row.get(column) or 0) for column in columns)
