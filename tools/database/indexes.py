"""The tool `indexes`: which are unused, invalid or twice there, and which statements would need."""

from collections.abc import Sequence
from typing import Annotated

from opssquad import Database, Json, Result, Signal, ago, tool

from .._text import table as lined
from ._common import cut, missing, one_table, place_of, size, sources, unread
from ._statements import statements_of
from .signals.indexes import Seen, index_signals
from .signals.missing_indexes import missing_indexes

MOST, LISTED = 6, 20
"""Signals of a kind, and indexes, that are told."""
LOOKS = ("tables", "indexes", "sessions", "columns", "foreign_keys", "progress", "databases")
HEADS = {
    "index.missing": "Missing, by what statements filter on",
    "index.foreign_key_missing": "Foreign keys without an index",
    "index.invalid": "Invalid",
    "index.duplicate": "Needless beside another",
    "index.unused": "Never read",
}


@tool(effect="read")
async def indexes(database: Database, table: Annotated[str, "of one table"] = "") -> Result:
    """Indexes: unused, duplicate, invalid, and missing by the evidence of statements, scans and foreign
    keys."""
    own = await one_table(database, table) if table else None
    looks = {name: await database.rows(name) for name in LOOKS}
    looks["statements"] = await statements_of(database)
    seen = Seen(**looks, now=database.now())
    signals = [*missing_indexes(seen), *index_signals(seen)]
    if own:
        name = f"{own['schema']}.{own['table']}"
        signals = [each for each in signals if each.owner.name == name]
    text = [*_head(seen, own), *_told(signals), *(_listed(seen, own) if own else [])]
    return Result(
        text="\n".join([*text, *missing(looks.values())]),
        sources=sources(
            [looks[name] for name in ("tables", "indexes", "statements", "sessions", "foreign_keys")]
        ),
        data={"indexes": [each.entity.name for each in signals][:LISTED], **unread(looks.values())},
        signals=tuple(signals),
        commands=("select * from pg_stat_user_indexes order by idx_scan",),
    )


def _head(seen: Seen, own: Json | None) -> list[str]:
    rows = [row for row in seen.indexes.rows if own is None or place_of(row) == place_of(own)]
    total = sum(int(row["size"] or 0) for row in rows)
    never = sum(not row["scans"] for row in rows)
    counted = f"since {ago(seen.counted, seen.now)}" if seen.counted else "since statistics began"
    where = f" of {own['schema']}.{own['table']}" if own else ""
    more = " or more" if seen.indexes.cut else ""
    text = [
        f"{len(rows)}{more} {'index' if len(rows) == 1 else 'indexes'}{where}, {size(total)}; {never} were "
        f"not read {counted} on this server."
    ]
    if seen.building:
        text.append(f"Being built on: {', '.join(sorted(seen.building)[:MOST])}.")
    return text


def _told(signals: Sequence[Signal]) -> list[str]:
    text = []
    for id, head in HEADS.items():
        those = [each for each in signals if each.id == id]
        text += ["", f"{head}:"] * bool(those) + [f"  {each.text}" for each in those[:MOST]]
        text += [f"  and {len(those) - MOST} more"] if len(those) > MOST else []
    return text or ["Nothing stands out."]


def _listed(seen: Seen, own: Json) -> list[str]:
    rows = [row for row in seen.indexes.rows if place_of(row) == place_of(own)]
    lines = [(str(row["scans"]), size(row["size"]), _kind(row), _shown(row)) for row in rows[:LISTED]]
    more = [f"and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
    return ["", *lined(("SCANS", "SIZE", "KIND", "INDEX"), lines, ""), *more] if lines else []


def _kind(row: Json) -> str:
    kind = "primary" if row["primary"] else "unique" if row["unique"] else ""
    return kind if row["valid"] else f"{kind} invalid".strip()


def _shown(row: Json) -> str:
    _, _, how = str(row.get("definition") or "").partition(" USING ")
    text = f"{row['index']} {how}" if how else f"{row['index']} (its table is locked)"
    return cut(text, 120)
