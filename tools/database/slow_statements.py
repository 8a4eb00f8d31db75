"""The tool `slow_statements`: what costs most, and what is slower now than it was."""

import asyncio
import time
from datetime import datetime
from typing import Annotated

from opssquad import Database, Json, Result, Rows, ago, tool

from .._text import table
from ._common import lasting, missing, moment, query_text, since, sources, unread
from ._statements import Names, statements_of
from .signals.statements import moved, statement_signals, wal_signals

MOST, LONGEST = 8, 20
"""Statements that are told of each kind; seconds in between two looks at most."""
NOISE = 0.5
"""Milliseconds in all below which a statement is not told, as the BEGIN and COMMIT of our own looks."""
CUT = 60
"""Characters of a statement in a table."""


@tool(effect="read", deadline=60.0)
async def slow_statements(
    database: Database,
    seconds: Annotated[int, "between two looks, 0 to 20; 0 takes one look"] = 3,
) -> Result:
    """Statements by what they cost: since statistics began, and between two looks, so that what is slow now
    shows."""
    before, began = await statements_of(database), time.monotonic()
    seconds = min(max(seconds, 0), LONGEST) if before.rows else 0
    tables = await database.rows("tables")
    if seconds:
        await asyncio.sleep(max(seconds - (time.monotonic() - began), 0))
    # The second look as late as can be: what runs in between counts once it has ended.
    now = await statements_of(database) if seconds else before
    took = time.monotonic() - began
    sessions, reset = await database.rows("sessions"), await _reset(database, now)
    signals = (*statement_signals(before, now, Names(tables.rows)), *wal_signals(before, now, sessions))
    clock = database.now()
    text = [*(_now(before, now, took) if seconds else []), *_since(now, reset, clock)] if now.rows else []
    text += _running(sessions, clock)
    text += [f"{each.id}: {each.owner.name} {each.text}" for each in signals][:MOST]
    looks = (now, sessions, tables)
    return Result(
        text="\n".join([*text, *missing(looks)]),
        sources=sources((now, reset)),
        data={"statements": [each["id"] for each in now.rows[:MOST]], **unread(looks)},
        signals=signals,
        commands=("select * from pg_stat_statements order by total_exec_time desc limit 10",),
    )


async def _reset(database: Database, now: Rows) -> Rows:
    """Since when statements are counted; nothing where none are."""
    return await database.rows("statements_reset") if now.rows else Rows("statements_reset", database.name)


def _now(before: Rows, now: Rows, took: float) -> list[str]:
    busy = [each for each in moved(before, now) if each.total >= NOISE]
    if not busy:
        return [f"Hardly a statement ended in the {took:.0f} s between the two looks.", ""]
    lines = [
        (
            str(each.calls),
            f"{each.mean:.1f}",
            f"{float(each.was['mean_ms']):.1f}" if each.was else "new",
            f"{each.blocks:.0f}",
            str(each.row["role"] or "?"),
            query_text(each.row, CUT),
        )
        for each in busy[:MOST]
    ]
    heads = ("CALLS", "MS NOW", "MS BEFORE", "BLOCKS", "ROLE", "STATEMENT")
    return [f"In {took:.0f} s:", *table(heads, lines, ""), *_more(len(busy)), ""]


def _since(now: Rows, reset: Rows, clock: datetime) -> list[str]:
    top: list[Json] = sorted(now.rows, key=lambda row: -float(row["total_ms"]))
    lines = [
        (
            f"{float(row['total_ms']) / 1000:.1f}",
            str(row["calls"]),
            f"{float(row['mean_ms']):.1f}",
            f"{float(row['max_ms']):.0f}",
            f"{_per_call(row, 'rows'):.1f}",
            f"{_per_call(row, 'shared_blks_read'):.1f}",
            query_text(row, CUT),
        )
        for row in top[:MOST]
    ]
    at = moment(reset.rows[0], "stats_reset") if reset.rows else None
    heads = ("S", "CALLS", "MS", "MAX", "ROWS", "READ", "STATEMENT")
    began = f" ({ago(at, clock)})" if at else ""
    told = f"Since statistics began{began}; rows and blocks read from outside the cache are for a call:"
    return [told, *table(heads, lines, ""), *_more(len(top)), *_forgotten(reset)]


def _more(count: int) -> list[str]:
    return [f"and {count - MOST} more statements"] if count > MOST else []


def _forgotten(reset: Rows) -> list[str]:
    """What makes means young: statements that were thrown out for others, and are counted anew."""
    count = int(reset.rows[0].get("forgotten") or 0) if reset.rows else 0
    return [f"pg_stat_statements.max was reached {count} times: rare statements were forgotten"] * bool(count)


def _per_call(row: Json, column: str) -> float:
    return float(row[column] or 0) / max(int(row["calls"]), 1)


def _running(sessions: Rows, clock: datetime) -> list[str]:
    """Statements that run, the oldest first: those that have not ended are counted nowhere yet."""
    active = [row for row in sessions.rows if row["state"] == "active" and row["database"] == sessions.name]
    active = sorted((row for row in active if row["query_start"]), key=lambda row: row["query_start"])
    if not active:
        return []
    lines = [
        f"  {lasting(since(row, 'query_start', clock))} {row['role']}, {_waits(row)}: {query_text(row, CUT)}"
        for row in active[:4]
    ]
    return [f"Running now ({len(active)}), the oldest first:", *lines]


def _waits(row: Json) -> str:
    event = row.get("wait_event_type")
    return f"waits for {event}/{row['wait_event']}" if event else "on CPU"
