"""What the tables of migration tools say was applied, newest first."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from opssquad import Database, Json, Quote, Rows, Signal, ToolError, parse_time, row_text

from ._common import database_ref

MOST = 20
"""Rows that are read of each table."""
TOLD = 5
"""Signals of one table at most: the newest."""
UTC = ("utc", "etc/utc", "gmt", "universal", "zulu", "etc/gmt")


class Kept(NamedTuple):
    """How a tool keeps what it applied: columns that name it, that order it, that say when, all of them the
    first that is there; and the value of a column that says that it failed."""

    names: tuple[str, ...]
    order: tuple[str, ...] = ("id",)
    times: tuple[str, ...] = ()
    failed: tuple[str, str] = ("", "")


KEPT: Mapping[str, Kept] = {
    "alembic_version": Kept(("version_num",), ("version_num",)),
    "flyway_schema_history": Kept(
        ("script", "version"), ("installed_rank",), ("installed_on",), ("success", "f")
    ),
    "django_migrations": Kept(("name",), ("id",), ("applied",)),
    "schema_migrations": Kept(("version",), ("inserted_at", "version"), ("inserted_at",), ("dirty", "t")),
    "databasechangelog": Kept(("id",), ("orderexecuted",), ("dateexecuted",), ("exectype", "FAILED")),
    "knex_migrations": Kept(("name",), ("id",), ("migration_time",)),
    "goose_db_version": Kept(("version_id",), ("id",), ("tstamp",)),
    "__efmigrationshistory": Kept(("MigrationId",), ("MigrationId",)),
    "migrations": Kept(("migration", "name"), ("id",)),
}
"""By the name of the table, which each tool has of its own."""


@dataclass(frozen=True)
class Applied:
    """One migration: the table that says so, what it is called, when it was applied where that is known, the
    time as it is written there, and its row."""

    table: str
    name: str
    at: datetime | None
    when: str
    failed: bool
    line: str


async def applied_migrations(database: Database, found: Rows) -> list[Applied]:
    """What those tables tell; rows of the look `migrations`. A table that may not be read is left out."""
    told: list[Applied] = []
    zone = None
    for row in found.rows:
        kept = KEPT.get(str(row["table"]).lower())
        columns = await database.rows("columns", schema=row["schema"], table=row["table"])
        types = {str(each["column"]): str(each["type"]) for each in columns.rows}
        if kept is None or _first(kept.names, types) is None:
            continue
        zone = zone if zone is not None else await _zone(database)
        told += await _of(database, row, kept, types, zone)
    return told


async def _zone(database: Database) -> str:
    """The server's zone, for times that are written without one; empty where it is not told."""
    try:
        return str((await database.select("show timezone", 1)).rows[0][0]).lower()
    except ToolError:
        return ""


async def _of(
    database: Database, row: Json, kept: Kept, types: Mapping[str, str], zone: str
) -> Sequence[Applied]:
    order, table = _first(kept.order, types), f"{_quoted(row['schema'])}.{_quoted(row['table'])}"
    newest = f" order by {_quoted(order)} desc" if order else ""
    try:
        answer = await database.select(f"select * from {table}{newest}", MOST)
    except ToolError:
        # Its rows are not ours to read, or were not recorded: the other changes are told.
        return ()
    name, time = _first(kept.names, types), _first(kept.times, types)
    zoned = "without time zone" not in types.get(time or "", "")
    told = []
    for cells in answer.rows:
        facts = dict(zip(answer.columns, cells, strict=True))
        when, failed = str(facts.get(time or "") or ""), kept.failed
        told.append(
            Applied(
                table=f"{row['schema']}.{row['table']}",
                name=str(facts.get(name or "")),
                at=_instant(when, zoned, zone),
                when=when,
                failed=bool(failed[0]) and facts.get(failed[0]) == failed[1],
                line=row_text(facts),
            )
        )
    return told


def _first(wanted: Sequence[str], there: Mapping[str, str]) -> str | None:
    return next((each for each in wanted if each in there), None)


def _quoted(name: object) -> str:
    return '"' + str(name).replace('"', '""') + '"'


def _instant(when: str, zoned: bool, zone: str) -> datetime | None:
    """When it was; None where it is written without a zone and the server's is not UTC: hours off would put
    it before what it caused, or after."""
    if not when or (not zoned and zone not in UTC):
        return None
    text = when.replace(" ", "T", 1)
    if not zoned:
        text += "Z"
    elif text[-3] in "+-":
        text += ":00"
    try:
        return parse_time(text)
    except ValueError:
        return None


def locator(name: str, applied: Applied) -> str:
    """Where a migration's row can be quoted from."""
    return f"rows {name}/{applied.table}"


def migration_sources(name: str, applied: Sequence[Applied]) -> tuple[Quote, ...]:
    """The rows as places that can be quoted, one for each table."""
    lines: dict[str, list[str]] = {}
    for each in applied:
        lines.setdefault(locator(name, each), []).append(each.line)
    return tuple(Quote(locator=at, text="\n".join(rows)) for at, rows in lines.items())


def migration_signals(name: str, applied: Sequence[Applied], since: datetime) -> Iterator[Signal]:
    """The newest of each table, and others that are not older than `since`."""
    count: Counter[str] = Counter()
    for each in applied:
        place = count[each.table]
        count[each.table] += 1
        if place >= TOLD or (place and (each.at is None or each.at < since)):
            continue
        ref, when = database_ref(name), f", at {each.when}" if each.when else ""
        word = "the last migration" if not place else "a migration"
        ended = "failed" if each.failed else "was applied"
        yield Signal(
            id="migration.applied",
            entity=ref,
            text=f"{word} of {each.table}, {each.name}, {ended}{when}",
            severity="warning" if each.failed else "info",
            at=each.at,
            data={
                "key": f"{each.table} {each.name}",
                "tool": each.table.partition(".")[2],
                "name": each.name,
                "version": each.name,
                "failed": each.failed,
                "last": not place,
            },
            quotes=(Quote(locator=locator(name, each), text=each.line),),
        )
