"""Statements of one's own over a recorded database: the recorded looks as the views that people know, in an
embedded engine whose SQL is near to PostgreSQL's.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.sql.database import Answered, Bind
from opssquad.worlds.sql.material import Material

VIEWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "pg_stat_activity": (
        "sessions",
        {
            "database": "datname",
            "role": "usename",
            "application": "application_name",
            "client": "client_addr",
        },
    ),
    "pg_locks": ("locks", {}),
    "pg_stat_database": (
        "databases",
        {
            "database": "datname",
            "sessions": "numbackends",
            "commits": "xact_commit",
            "rollbacks": "xact_rollback",
        },
    ),
    "pg_stat_user_tables": ("tables", {"schema": "schemaname", "table": "relname"}),
    "pg_stat_user_indexes": (
        "indexes",
        {"schema": "schemaname", "table": "relname", "index": "indexrelname", "scans": "idx_scan"},
    ),
    "pg_stat_statements": (
        "statements",
        {
            "id": "queryid",
            "total_ms": "total_exec_time",
            "mean_ms": "mean_exec_time",
            "max_ms": "max_exec_time",
        },
    ),
    "pg_replication_slots": ("slots", {"slot": "slot_name", "type": "slot_type"}),
    "pg_stat_replication": (
        "replicas",
        {"role": "usename", "application": "application_name", "client": "client_addr"},
    ),
    "pg_settings": ("settings", {"built_in": "boot_val"}),
    "pg_roles": (
        "roles",
        {
            "role": "rolname",
            "superuser": "rolsuper",
            "can_login": "rolcanlogin",
            "connection_limit": "rolconnlimit",
        },
    ),
}
"""The views that people know: the look behind each, and its columns under their names there."""
LONGEST = 8.0
"""Seconds that a statement may run, as on a server."""
_NOW = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)|\bcurrent_timestamp\b",
    re.IGNORECASE,
)
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_HEAD = re.compile(r"^\s*explain\s*(?:\([^)]*\))?\s*", re.IGNORECASE)


def viewed(
    material: Material, now: datetime, statement: str, most: int, size: int, binds: Sequence[Bind] = ()
) -> Answered:
    """What the statement gives. Raises ToolError for what was not recorded or cannot be run here."""
    try:
        import duckdb
    except ImportError:
        raise ToolError(
            "a statement of one's own over a recording takes the package duckdb, which is not installed; "
            "the looks of the other tools are recorded"
        ) from None
    text = _NOW.sub(f"timestamptz '{now.isoformat()}'", statement.strip().rstrip(";"))
    text = re.sub(r"\bpg_catalog\.", "", text)
    connection = duckdb.connect(
        ":memory:", config={"enable_external_access": "false", "memory_limit": "256MB"}
    )
    # What has no end is ended, as the server's timeout would.
    end = threading.Timer(LONGEST, connection.interrupt)
    end.start()
    try:
        for view, rows in _tables(material):
            _fill(connection, view, rows)
        connection.execute("set lock_configuration = true")
        cursor = connection.execute(text, list(binds))
        columns = [str(column[0]) for column in cursor.description or ()]
        found = cursor.fetchmany(most + 1)
    except duckdb.Error as error:
        said = " ".join(str(error).split())[:300]
        raise ToolError(f"not recorded, or not to be had from a recording: {said}") from error
    finally:
        end.cancel()
        connection.close()
    return _capped(columns, found, most, size)


def explained(material: Material, statement: str) -> Answered:
    """The plan that was recorded for a statement. Raises ToolError where none was."""
    wanted = _plain(_HEAD.sub("", statement))
    for text, plan in material.plans.items():
        if _plain(text) == wanted:
            return Answered(("QUERY PLAN",), [(str(plan.get("text", "")),)])
    raise ToolError("the plan of this statement was not recorded")


def _plain(text: str) -> str:
    return " ".join(text.lower().rstrip("; ").split())


def _tables(material: Material) -> Iterator[tuple[str, list[Json]]]:
    for look, rows in material.rows.items():
        yield look, rows
    for view, (look, names) in VIEWS.items():
        rows = material.rows.get(look, [])
        yield view, [{names.get(key, key): value for key, value in row.items()} for row in rows]


def _fill(connection: Any, name: str, rows: list[Json]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return
    kinds = {column: _kind([row.get(column) for row in rows]) for column in columns}
    listed = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
    connection.execute(f'create table "{name}" ({listed})')
    places = ", ".join("?" for _ in columns)
    values = [[_value(row.get(column)) for column in columns] for row in rows]
    connection.executemany(f'insert into "{name}" values ({places})', values)


def _kind(values: list[Any]) -> str:
    """The type of a column, by what stands in it."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, bool) for value in there):
        return "boolean"
    if there and all(isinstance(value, int) and not isinstance(value, bool) for value in there):
        return "bigint" if all(abs(value) < 2**63 for value in there) else "double"
    if there and all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return "double"
    if there and all(isinstance(value, str) and _STAMP.match(value) for value in there):
        return "timestamptz"
    return "varchar"


def _value(value: Any) -> Any:
    return "{" + ",".join(map(str, value)) + "}" if isinstance(value, list) else value


def _capped(columns: list[str], found: list[tuple[Any, ...]], most: int, size: int) -> Answered:
    rows: list[tuple[str | None, ...]] = []
    for each in found:
        row = tuple(None if cell is None else str(cell) for cell in each)
        size -= sum(len(cell or "") for cell in row)
        if len(rows) >= most or size < 0:
            return Answered(columns, rows, cut=True)
        rows.append(row)
    return Answered(columns, rows)
