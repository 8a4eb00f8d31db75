"""The tool `schema`: tables and columns, and what changed in them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

from opssquad import Database, Json, Quote, Result, Rows, Signal, ToolError, ago, parse_time, tool

from .._text import table as lined
from ._common import database_ref, missing, moment, one_table, sources, unread
from ._common import table as table_ref

MOST = 24
KINDS = {"r": "table", "i": "index", "v": "view", "m": "materialized view", "p": "partitioned table"}
APPLIED = {
    "alembic_version": "version_num",
    "flyway_schema_history": "script",
    "django_migrations": "name",
    "schema_migrations": "version",
    "databasechangelog": "id",
    "knex_migrations": "name",
    "goose_db_version": "version_id",
}
"""Tables of migration tools, and the column that names what was applied."""
TIMES = ("installed_on", "applied", "dateexecuted", "migration_time", "tstamp", "inserted_at")
"""Columns that say when."""


@tool(effect="read")
async def schema(
    database: Database,
    table: Annotated[str, "one table in detail"] = "",
    changed_minutes: Annotated[int, "how far back changes are told"] = 1440,
) -> Result:
    """The schema, one table in detail, and what changed: by commit times, migrations applied, dropped
    columns."""
    own = await one_table(database, table) if table else None
    where = {"schema": own["schema"], "table": own["table"]} if own else {}
    columns = await database.rows("columns", **where)
    changed, dropped, found = [
        await database.rows(n) for n in ("changed_objects", "dropped_columns", "migrations")
    ]
    now = database.now()
    since = now - timedelta(minutes=changed_minutes)
    applied, quotes = await _applied(database, found)
    signals = (*_changed(changed, since), *_migrations(database.name, applied))
    text = [
        *_columns(columns, own),
        *_told(changed, dropped, since, now),
        *(f"applied: {line}" for _, line in applied),
    ]
    return Result(
        text="\n".join([*text, *missing((columns,))]),
        sources=(*sources((columns, changed, dropped)), *quotes),
        data=unread((columns,)),
        signals=signals,
        commands=(f"\\d {table}".strip(),),
    )


def _columns(columns: Rows, own: Json | None) -> list[str]:
    if own:
        lines = [
            (str(c["column"]), str(c["type"]), "not null" if c["not_null"] else "", str(c["default"] or ""))
            for c in columns.rows
        ]
        return [f"{own['schema']}.{own['table']}:", *lined(("COLUMN", "TYPE", "", "DEFAULT"), lines)]
    by_table: dict[str, list[str]] = {}
    for row in columns.rows:
        by_table.setdefault(f"{row['schema']}.{row['table']}", []).append(str(row["column"]))
    text = [f"{name} ({', '.join(names)[:110]})" for name, names in list(by_table.items())[:MOST]]
    return [*text, f"and {len(by_table) - MOST} more tables"] if len(by_table) > MOST else text


def _told(changed: Rows, dropped: Rows, since: datetime, now: datetime) -> list[str]:
    timed = [row for row in changed.rows if (at := moment(row, "changed")) and at >= since]
    text = [
        f"changed {ago(at, now)}: {KINDS.get(row['kind'], row['kind'])} {row['schema']}.{row['name']}"
        for row in timed[:MOST]
        if (at := moment(row, "changed"))
    ]
    if not any(row.get("changed") for row in changed.rows) and changed.rows:
        last = ", ".join(f"{row['schema']}.{row['name']}" for row in changed.rows[:4])
        text.append(
            f"This server keeps no commit times (track_commit_timestamp); changed last, when is not "
            f"known: {last}"
        )
    return text + [
        f"{row['schema']}.{row['table']} has lost {row['dropped']} columns" for row in dropped.rows[:MOST]
    ]


def _changed(changed: Rows, since: datetime) -> Iterator[Signal]:
    for row in changed.rows:
        at = moment(row, "changed")
        if at is None or at < since or row["kind"] not in ("r", "p"):
            continue
        ref = table_ref(changed.name, {"schema": row["schema"], "table": row["name"]})
        text = f"the definition of {ref.name} was changed"
        data = {"object": ref.name, "kind": KINDS[row["kind"]]}
        quote = changed.quote(row)
        yield Signal(
            id="schema.changed",
            entity=ref,
            owner=ref,
            text=text,
            severity="info",
            at=at,
            data=data,
            quotes=(quote,),
        )


async def _applied(database: Database, found: Rows) -> tuple[list[tuple[datetime | None, str]], list[Quote]]:
    """What migration tools say was applied, newest first, with the rows that say so."""
    told: list[tuple[datetime | None, str]] = []
    quotes = []
    for row in found.rows:
        if (column := APPLIED.get(str(row["table"]))) is None:
            continue
        name = f'"{row["schema"]}"."{row["table"]}"'
        try:
            answer = await database.select(f"select * from {name} order by ctid desc", 20)
        except ToolError:
            # Its rows are not ours to read, or were not recorded: the other changes are told.
            continue
        lines = []
        for cells in answer.rows:
            facts = dict(zip(answer.columns, cells, strict=True))
            when = next((str(facts[each]) for each in TIMES if facts.get(each)), "")
            lines.append(f"{row['table']} {facts.get(column)}{f' at {when}' if when else ''}")
            told.append((_time(when), lines[-1]))
        quotes.append(
            Quote(locator=f"rows {database.name}/{row['table']}", text="\n".join(lines) or "no rows")
        )
    return told, quotes


def _time(text: str) -> datetime | None:
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def _migrations(name: str, applied: list[tuple[datetime | None, str]]) -> Iterator[Signal]:
    for at, line in applied[:1]:
        ref, look = database_ref(name), line.split(" ")[0]
        text = f"the last migration applied is {line.partition(' ')[2]}"
        quote = Quote(locator=f"rows {name}/{look}", text=line)
        data = {"tool": look, "line": line}
        yield Signal(
            id="migration.applied",
            entity=ref,
            owner=ref,
            text=text,
            severity="info",
            at=at,
            data=data,
            quotes=(quote,),
        )
