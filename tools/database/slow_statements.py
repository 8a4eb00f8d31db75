"""The tool `slow_statements`: what costs most, and what is slower now than it was."""

import asyncio
from typing import Annotated

from opssquad import Database, Json, Result, Rows, tool

from .._text import table
from ._common import missing, query_text, sources, unread
from .signals.statements import delta, statement_signals, wal_signals

MOST = 10


@tool(effect="read", deadline=45.0)
async def slow_statements(
    database: Database,
    seconds: Annotated[int, "between two looks, 0 to 20; 0 takes one look"] = 3,
) -> Result:
    """Statements by what they cost: since statistics began, and between two looks, so that what is slow now
    shows."""
    before = await database.rows("statements")
    if seconds and before.rows:
        await asyncio.sleep(min(max(seconds, 0), 20))
        now = await database.rows("statements")
    else:
        now = before
    tables = await database.rows("tables")
    sessions = await database.rows("sessions")
    signals = (*statement_signals(before, now, tables.rows), *wal_signals(before, now, sessions))
    text = [*_now(before, now, seconds), *_since(now)] if now.rows else []
    return Result(
        text="\n".join([*text, *(f"{s.id}: {s.owner.name} {s.text}" for s in signals), *missing((now,))]),
        sources=sources((now,)),
        data=unread((now,)),
        signals=signals,
        commands=("select * from pg_stat_statements order by total_exec_time desc limit 10",),
    )


def _now(before: Rows, now: Rows, seconds: int) -> list[str]:
    was = {row["id"]: row for row in before.rows}
    moved = [(*delta(was.get(row["id"]), row), row) for row in now.rows]
    busy = sorted((each for each in moved if each[0] > 0), key=lambda each: -each[0] * each[1])[:MOST]
    if not busy:
        return ["Nothing was run between the two looks."] if seconds else []
    lines = [
        (str(calls), f"{mean:.1f}", f"{float(row['mean_ms']):.1f}", str(row["role"]), query_text(row, 70))
        for calls, mean, row in busy
    ]
    return [f"In {seconds} s:", *table(("CALLS", "MS NOW", "MS EVER", "ROLE", "STATEMENT"), lines, "")]


def _since(now: Rows) -> list[str]:
    top: list[Json] = sorted(now.rows, key=lambda row: -float(row["total_ms"]))[:MOST]
    lines = [
        (
            f"{float(row['total_ms']) / 1000:.1f}",
            str(row["calls"]),
            f"{float(row['mean_ms']):.1f}",
            f"{int(row['shared_blks_hit'] + row['shared_blks_read']) // max(int(row['calls']), 1)}",
            query_text(row, 70),
        )
        for row in top
    ]
    return ["Since statistics began:", *table(("S", "CALLS", "MS", "BLOCKS/CALL", "STATEMENT"), lines, "")]
