"""The tool `schema`: tables and columns, and what changed in them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from opssquad import Database, Json, Ref, Result, Rows, Signal, ago, tool

from .._text import many, some
from .._text import table as lined
from ._common import index, missing, moment, one_relation, sources, unread, within
from ._common import table as table_ref
from ._migrations import Applied, applied_migrations, migration_signals, migration_sources

MOST, COLUMNS = 20, 60
"""Tables, and columns of one, that are told."""
CHANGES = 12
"""Changes that are told in words."""
SIGNALS = 50
KINDS = {"r": "table", "i": "index", "v": "view", "m": "materialized view", "p": "partitioned table"}


@tool(effect="read")
async def schema(
    database: Database,
    table: Annotated[str, "one table or view in detail"] = "",
    changed_minutes: Annotated[int, "how far back changes are told"] = 1440,
) -> Result:
    """The schema, one table in detail, and what changed: by commit times, migrations applied, dropped
    columns."""
    own = await one_relation(database, "columns", table) if table else None
    columns = await database.rows("columns", **(within(own) if own else {}))
    changed, dropped, found = [
        await database.rows(n) for n in ("changed_objects", "dropped_columns", "migrations")
    ]
    now = database.now()
    since = now - timedelta(minutes=max(changed_minutes, 0))
    applied = await applied_migrations(database, found)
    mine = _told_once([row for row in changed.rows if own is None or _about(row, own)])
    signals = (*_changed(changed, mine, since), *migration_signals(database.name, applied, since))
    text = [
        *_detail(columns, own),
        *_changes(mine, since, now),
        *_migrated(applied),
        *_lost([row for row in dropped.rows if own is None or _about(row, own)]),
        *([] if own else _brief(columns)),
    ]
    looks = (columns, changed, dropped, found)
    return Result(
        text="\n".join([*text, *missing(looks)]),
        sources=(*sources((columns, changed, dropped)), *migration_sources(database.name, applied)),
        data=unread(looks),
        signals=signals,
        commands=(f"\\d {table}".strip(),),
    )


def _about(row: Json, own: Json) -> bool:
    return bool(row["schema"] == own["schema"] and (row.get("name") or row.get("table")) == own["table"])


def _told_once(rows: Sequence[Json]) -> list[Json]:
    """Without tables of which a column, changed by the same transaction, tells more."""
    by_column = {(row["schema"], row["name"], row["xid"]) for row in rows if row.get("column")}
    return [
        row for row in rows if row.get("column") or (row["schema"], row["name"], row["xid"]) not in by_column
    ]


def _detail(columns: Rows, own: Json | None) -> list[str]:
    if own is None:
        return []
    lines = [
        (
            str(row["column"]),
            str(row["type"]),
            "not null" if row["not_null"] else "",
            _nulls(row),
            str(row["default"] or "")[:60],
        )
        for row in columns.rows[:COLUMNS]
    ]
    left = len(columns.rows) - COLUMNS
    return [
        f"{own['schema']}.{own['table']}, {many(len(columns.rows), 'column')}:",
        *lined(("COLUMN", "TYPE", "", "NULLS", "DEFAULT"), lines),
        *([f"  and {left} more columns"] if left > 0 else []),
        "",
    ]


def _nulls(row: Json) -> str:
    share = row.get("null_fraction")
    return f"{100 * float(share):.0f} %" if share is not None else "?"


def _brief(columns: Rows) -> list[str]:
    by_table: dict[str, list[str]] = {}
    for row in columns.rows:
        by_table.setdefault(f"{row['schema']}.{row['table']}", []).append(str(row["column"]))
    if not by_table:
        return [f"No table is in {columns.name}."]
    text = [f"{len(by_table)} tables and views{' or more' if columns.cut else ''}:"]
    text += [f"  {name} ({some(names, 8)})"[:160] for name, names in list(by_table.items())[:MOST]]
    left = len(by_table) - MOST
    return [*text, f"  and {left} more; name one to see it"] if left > 0 else text


def _changes(rows: Sequence[Json], since: datetime, now: datetime) -> list[str]:
    if not rows:
        return []
    timed = [(at, row) for row in rows if (at := moment(row, "changed"))]
    if not timed:
        text = [f"  {_named(row)}, {_ago(row)}" for row in rows[:CHANGES]]
        return [
            "This server keeps no commit times (track_commit_timestamp is off), so when something was "
            "changed is not known; the last changes first:",
            *text,
            *_left(len(rows), "changes"),
            "",
        ]
    recent = [f"  {ago(at, now)}: {_named(row)}" for at, row in timed if at >= since]
    if not recent:
        return [f"Nothing was changed since {ago(since, now)}; the last was {_named(timed[0][1])}.", ""]
    return [f"Changed since {ago(since, now)}:", *recent[:CHANGES], *_left(len(recent), "changes"), ""]


def _ago(row: Json) -> str:
    count = row.get("transactions_ago")
    return f"{count} transactions ago" if count is not None else "when is not known"


def _left(count: int, things: str) -> list[str]:
    return [f"  and {count - CHANGES} more {things}"] if count > CHANGES else []


def _named(row: Json) -> str:
    name = f"{KINDS.get(row['kind'], row['kind'])} {row['schema']}.{row['name']}"
    change = str(row.get("change") or "changed")
    # What is dropped has lost its name.
    column = f" {row['column']}" if row.get("column") and "dropped" not in change else ""
    return f"{name}: {change}{column}"


def _migrated(applied: Sequence[Applied]) -> list[str]:
    if not applied:
        return []
    text = [
        f"  {each.table}: {each.name}{', FAILED' * each.failed}{f' at {each.when}' if each.when else ''}"
        for each in applied[:CHANGES]
    ]
    return [
        "Migrations applied, the newest of each tool first:",
        *text,
        *_left(len(applied), "migrations"),
        "",
    ]


def _lost(rows: Sequence[Json]) -> list[str]:
    told = [f"{row['schema']}.{row['table']} ({row['dropped']})" for row in rows]
    return [f"Columns were dropped of: {some(told, CHANGES)}", ""] if told else []


def _changed(changed: Rows, rows: Sequence[Json], since: datetime) -> Iterator[Signal]:
    """The last change of each object within the time."""
    told: set[tuple[str, str]] = set()
    for row in rows:
        at, key = moment(row, "changed"), (str(row["schema"]), str(row["name"]))
        if at is None or at < since or key in told or len(told) >= SIGNALS:
            continue
        told.add(key)
        ref = _entity(changed.name, row)
        yield Signal(
            id="schema.changed",
            entity=ref,
            text=f"{_named(row)} (or a grant or a rewrite of it)"
            if row.get("change") == "altered"
            else _named(row),
            severity="info",
            at=at,
            data={
                "object": ref.name,
                "kind": KINDS.get(row["kind"], row["kind"]),
                "change": row.get("change") or "changed",
                "column": row.get("column") or "",
                "table": ref.name if ref.kind == "Table" else "",
            },
            quotes=(changed.quote(row),),
        )


def _entity(name: str, row: Json) -> Ref:
    if row["kind"] == "i":
        return index(name, {"schema": row["schema"], "index": row["name"]})
    return table_ref(name, {"schema": row["schema"], "table": row["name"]})
