"""What looks at revisions of workloads have shown, as steps inside one transaction.

A look in which nothing has changed makes the last stretch of its revision longer; any other begins a new one,
so a quiet day is one row however often was looked. Every function takes the connection of a transaction that
its caller has begun.
"""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from opssquad.observations import Observation, Stretch, begun, extended
from opssquad.store.rows import dump, parse
from opssquad.types import Value

RETENTION = timedelta(days=90)
"""How long a stretch is kept after the last look of it, by our own clock."""


class Seen(Value):
    """A stretch and the cluster it was seen in: what tells it from others, and its name on screen."""

    cluster: str
    cluster_name: str
    stretch: Stretch


def note(
    c: sqlite3.Connection, cluster: str, name: str, seen: Sequence[Observation], now: float
) -> list[Observation]:
    """Put looks on record, and let go what is older than it is kept; gives those that began a stretch."""
    forget(c, now - RETENTION.total_seconds())
    return [each for each in seen if _noted(c, cluster, name, each, now)]


def _noted(c: sqlite3.Connection, cluster: str, name: str, seen: Observation, now: float) -> bool:
    """Whether it is a stretch of its own."""
    row = c.execute(
        "select id, body from stretches where cluster = ? and workload = ? and revision = ?"
        " order by ended desc, id desc limit 1",
        (cluster, seen.uid, seen.revision),
    ).fetchone()
    last = parse(Stretch, row[1], "what was seen of a revision") if row else None
    longer = extended(last, seen) if last else None
    if longer:
        c.execute(
            "update stretches set ended = ?, noted = ?, body = ? where id = ?",
            (longer.ended.timestamp(), now, dump(longer), row[0]),
        )
        return False
    new = begun(seen)
    c.execute(
        "insert into stretches (cluster, cluster_name, workload, revision, ended, noted, body)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (cluster, name, seen.uid, seen.revision, new.ended.timestamp(), now, dump(new)),
    )
    return True


def of(c: sqlite3.Connection, cluster: str, workload: str) -> list[Stretch]:
    """What is kept of the workload of that uid, in the order it was seen."""
    rows = c.execute(
        "select body from stretches where cluster = ? and workload = ? order by ended, id",
        (cluster, workload),
    )
    return [parse(Stretch, body, "what was seen of a revision") for (body,) in rows]


def everything(c: sqlite3.Connection) -> list[Seen]:
    """All that is kept, by cluster and workload, in the order it was seen."""
    rows = c.execute(
        "select cluster, cluster_name, body from stretches order by cluster, workload, ended, id"
    )
    return [
        Seen(cluster=id, cluster_name=name, stretch=parse(Stretch, body, "what was seen of a revision"))
        for id, name, body in rows
    ]


def forget(c: sqlite3.Connection, before: float) -> int:
    """Let go of what was last noted before then; gives how many stretches that were."""
    return c.execute("delete from stretches where noted < ?", (before,)).rowcount
