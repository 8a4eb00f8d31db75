"""The tool `tables`: how healthy the tables are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from opssquad import Database, Json, Result, Rows, Signal, ago, tool

from .._text import many, some
from .._text import table as lined
from ._bloat import Bloat, bloats
from ._common import Place, cut, missing, moment, one_table, percent, place_of, size, sources, unread, within
from .signals.tables import is_off, last, live_rows, table_signals

MOST, KEYS, COLUMNS = 14, 8, 30
TOLD = 12
"""Signals that are told in words; all are in the result."""
ORDER = {"critical": 0, "warning": 1, "info": 2}


@tool(effect="read")
async def tables(database: Database, table: Annotated[str, "one table in detail"] = "") -> Result:
    """Health of tables: dead rows, vacuum and analyze, scans, size, estimated bloat, age, unused indexes; one
    in detail with its columns, indexes and foreign keys."""
    own = await one_table(database, table) if table else None
    names = ("tables", "indexes", "widths", *(("columns", "foreign_keys") if own else ()))
    looks = {name: await database.rows(name, **_where(name, own)) for name in names}
    found, facts, now = looks["tables"], await database.facts(), database.now()
    bloat = bloats(found.rows, looks["widths"].rows)
    signals = list(table_signals(found, looks["indexes"], bloat, moment(facts, "started"), now))
    signals.sort(key=lambda each: ORDER[each.severity])
    text = _detail(own, looks, bloat, now) if own else _all(found, bloat, signals, now)
    told = signals[:TOLD]
    text += ["", *(f"{each.id}: {each.text}" for each in told)] if told else []
    text += [f"and {len(signals) - TOLD} more signals"] if len(signals) > TOLD else []
    return Result(
        text="\n".join([*text, *missing(looks.values())]),
        sources=sources(looks.values()),
        data={"tables": list(dict.fromkeys(e.owner.name for e in signals))[:50], **unread(looks.values())},
        signals=tuple(signals),
        commands=(f"\\d+ {table}; select * from pg_stat_user_tables".removeprefix("\\d+ ; "),),
    )


def _where(look: str, own: Json | None) -> dict[str, str]:
    """A foreign key is also told of the table that it refers to."""
    if own is None or look == "foreign_keys":
        return {}
    return within(own)


def _all(found: Rows, bloat: Mapping[Place, Bloat], signals: Sequence[Signal], now: datetime) -> list[str]:
    if not found.rows:
        return [f"No table is in {found.name}."]
    # What something is wrong with comes first, then what is large.
    bad = {each.owner.name for each in signals if each.severity != "info"}
    order = sorted(
        found.rows,
        key=lambda row: (f"{row['schema']}.{row['table']}" not in bad, -_heap(row), -live_rows(row)),
    )
    lines = [
        (
            cut(f"{row['schema']}.{row['table']}", 40),
            str(row["n_live_tup"]),
            percent(int(row["n_dead_tup"] or 0), live_rows(row) + int(row["n_dead_tup"] or 0)),
            f"{row['seq_scan']}/{row['idx_scan'] or 0}",
            f"{_when(row, 'vacuum', now)}{' (off)' if is_off(row) else ''}",
            _when(row, "analyze", now),
            size(_heap(row)),
            f"{100 * bloat[place_of(row)].share:.0f} %" if place_of(row) in bloat else "?",
        )
        for row in order[:MOST]
    ]
    more = [f"and {len(order) - MOST} more tables"] if len(order) > MOST else []
    heads = ("TABLE", "ROWS", "DEAD", "SEQ/IDX", "VACUUM", "ANALYZE", "SIZE", "BLOAT~")
    total = sum(_heap(row) + int(row["index_size"] or 0) for row in found.rows)
    head = f"{many(len(order), 'table')}{' or more' if found.cut else ''}, {size(total)} with their indexes."
    oldest = max(found.rows, key=lambda row: int(row["xid_age"] or 0) if row.get("kind") != "p" else 0)
    age = (
        f"The oldest rows are {oldest['xid_age']} transactions old, in {oldest['schema']}.{oldest['table']}."
    )
    return [head, *lined(heads, lines, ""), *more, "BLOAT~ is an estimate. " + age]


def _heap(row: Json) -> int:
    return int(row["heap_size"] if row["heap_size"] is not None else row["planner_size"] or 0)


def _when(row: Json, what: str, now: datetime) -> str:
    at = last(row, what)
    return ago(at, now) if at else "never"


def _detail(row: Json, looks: Mapping[str, Rows], bloat: Mapping[Place, Bloat], now: datetime) -> list[str]:
    estimate = bloat.get(place_of(row))
    bloated = (
        f"about {100 * estimate.share:.0f} % of the heap bloat (an estimate)"
        if estimate
        else "bloat not known"
    )
    updated = int(row["n_tup_upd"] or 0)
    planner = (
        f"counts on {row['planner_rows']}" if int(row["planner_rows"] or 0) >= 0 else "knows no number of"
    )
    text = [
        f"{row['schema']}.{row['table']}: {row['n_live_tup']} rows, {row['n_dead_tup']} dead, heap "
        f"{size(row['heap_size'])}, indexes {size(row['index_size'])}, {bloated}.",
        f"Vacuum {_when(row, 'vacuum', now)}, analyze {_when(row, 'analyze', now)}, "
        f"{row['n_mod_since_analyze']} rows modified since; the planner {planner} rows.",
        f"Scans: {row['seq_scan']} sequential ({row['seq_tup_read']} rows), {row['idx_scan'] or 0} by index.",
        f"Written: {row['n_tup_ins']} inserted, {updated} updated "
        f"({percent(int(row['n_tup_hot_upd'] or 0), updated)} HOT), {row['n_tup_del']} deleted.",
        f"Age {row['xid_age']} transactions; options: {', '.join(row['options'] or ()) or 'none'}.",
    ]
    if row.get("root"):
        text.append(f"A partition of {row['root_schema']}.{row['root']}.")
    return [*text, *_columns(looks["columns"].rows), *_indexes(looks["indexes"].rows), *_keys(row, looks)]


def _columns(rows: Sequence[Json]) -> list[str]:
    named = [f"{row['column']} {row['type']}{' not null' if row['not_null'] else ''}" for row in rows]
    return [f"Columns: {some(named, COLUMNS)[:1200]}"] if named else []


def _indexes(rows: Sequence[Json]) -> list[str]:
    text = [
        f"  {row['scans']} scans, {size(row['size'])}{'' if row['valid'] else ', invalid'}: "
        f"{str(row['definition'] or row['index'])[:140]}"
        for row in rows[:MOST]
    ]
    more = [f"  and {len(rows) - MOST} more"] if len(rows) > MOST else []
    return ["Indexes:", *text, *more] if text else ["No index."]


def _keys(own: Json, looks: Mapping[str, Rows]) -> list[str]:
    keys = looks["foreign_keys"].rows
    mine = [key for key in keys if place_of(key) == place_of(own)]
    here = (own["schema"], own["table"])
    others = [key for key in keys if (key.get("refers_schema"), key["refers_to"]) == here]
    text = [
        f"  {key['name']}: {str(key['definition'])[:120]}{'' if key['indexed'] else ' (no index)'}"
        for key in mine[:KEYS]
    ]
    more = [f"  and {len(mine) - KEYS} more"] if len(mine) > KEYS else []
    referred = some([f"{key['schema']}.{key['table']}" for key in others], KEYS)
    return [
        *(["Foreign keys:", *text, *more] if text else []),
        *([f"Referred to by: {referred}"] if referred else []),
    ]
