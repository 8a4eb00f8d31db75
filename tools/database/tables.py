"""The tool `tables`: how healthy the tables are."""

from datetime import datetime
from typing import Annotated

from opssquad import Database, Json, Result, Rows, ago, tool

from .._text import table as lined
from ._common import missing, moment, one_table, percent, size, sources, unread
from .signals.tables import table_signals

MOST = 14
HEADER = 28
"""Bytes that PostgreSQL adds to a row: its header and pointer, aligned."""


@tool(effect="read")
async def tables(database: Database, table: Annotated[str, "one table in detail"] = "") -> Result:
    """Health of tables: dead rows, vacuum and analyze, scans, size, estimated bloat, age, unused indexes."""
    own = await one_table(database, table) if table else None
    found, indexes = await database.rows("tables"), await database.rows("indexes")
    widths = await database.rows("widths")
    wide = {(row["schema"], row["table"]): int(row["width"] or 0) for row in widths.rows}
    signals = tuple(table_signals(found, indexes))
    if own:
        name = f"{own['schema']}.{own['table']}"
        signals = tuple(each for each in signals if each.owner.name == name)
    now = database.now()
    text = _detail(own, indexes, wide, now) if own else _all(found, wide, now)
    text += [f"{each.id}: {each.text}" for each in signals][:20]
    return Result(
        text="\n".join([*text, *missing((found, indexes))]),
        sources=sources((found, indexes)),
        data={"tables": sorted({each.owner.name for each in signals}), **unread((found, indexes))},
        signals=signals,
        commands=("select * from pg_stat_user_tables",),
    )


def _all(found: Rows, wide: dict[tuple[str, str], int], now: datetime) -> list[str]:
    order = sorted(found.rows, key=lambda row: -(int(row["n_dead_tup"] or 0) + int(row["n_live_tup"] or 0)))
    lines = [
        (
            f"{row['schema']}.{row['table']}",
            str(row["n_live_tup"]),
            percent(int(row["n_dead_tup"] or 0), int(row["n_live_tup"] or 0) + int(row["n_dead_tup"] or 0)),
            f"{row['seq_scan']}/{row['idx_scan'] or 0}",
            _when(row, "vacuum", now),
            _when(row, "analyze", now),
            size(row["heap_size"] if row["heap_size"] is not None else row["planner_size"]),
        )
        for row in order[:MOST]
    ]
    more = [f"and {len(order) - MOST} more tables"] if len(order) > MOST else []
    heads = ("TABLE", "ROWS", "DEAD", "SEQ/IDX", "VACUUM", "ANALYZE", "SIZE")
    return [f"{len(order)} tables{' or more' if found.cut else ''}.", *lined(heads, lines, ""), *more]


def _when(row: Json, what: str, now: datetime) -> str:
    times = [each for each in (moment(row, f"last_{what}"), moment(row, f"last_auto{what}")) if each]
    return ago(max(times), now) if times else "never"


def _detail(row: Json, indexes: Rows, wide: dict[tuple[str, str], int], now: datetime) -> list[str]:
    mine = [each for each in indexes.rows if (each["schema"], each["table"]) == (row["schema"], row["table"])]
    text = [
        f"{row['schema']}.{row['table']}: {row['n_live_tup']} rows, {row['n_dead_tup']} dead, heap "
        f"{size(row['heap_size'])}, indexes {size(row['index_size'])}, {_bloat(row, wide)}.",
        f"Vacuum {_when(row, 'vacuum', now)}, analyze {_when(row, 'analyze', now)}, "
        f"{row['n_mod_since_analyze']} "
        f"rows modified since; the planner counts on {row['planner_rows']} rows.",
        f"Scans: {row['seq_scan']} sequential, {row['idx_scan'] or 0} by index. Written: "
        f"{row['n_tup_ins']} inserted, "
        f"{row['n_tup_upd']} updated "
        f"({percent(int(row['n_tup_hot_upd'] or 0), int(row['n_tup_upd'] or 0))} HOT), "
        f"{row['n_tup_del']} deleted.",
    ]
    return [
        *text,
        *(
            f"  {each['scans']} scans, {size(each['size'])}: {each['definition'] or each['index']}"
            for each in mine
        ),
    ]


def _bloat(row: Json, wide: dict[tuple[str, str], int]) -> str:
    width = wide.get((row["schema"], row["table"]))
    if not width or not row["heap_size"] or not row["n_live_tup"]:
        return "bloat not known"
    wanted = int(row["n_live_tup"]) * (width + HEADER)
    bloat = percent(max(int(row["heap_size"]) - wanted, 0), int(row["heap_size"]))
    return f"about {bloat} of the heap bloat (estimated)"
