"""What the tools of this folder share: who is who in a database, and amounts and ages as people read them.

Entities are `Kind/<database>/<name>`; what belongs to the whole server has no database.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from opssquad import Database, Json, Quote, Ref, Rows, ToolError, duration, parse_time

from ._names import named, nearest

_YEAR = re.compile(r"\d{4}-")
UNITS = ("B", "kB", "MB", "GB", "TB")
"""As PostgreSQL writes them: steps of 1024."""


def session(database: str, pid: object) -> Ref:
    """One session, by its process id."""
    return Ref(kind="Session", namespace=database, name=str(pid))


def client(database: str, row: Json) -> Ref:
    """Whose session it is: its application_name, else the role it came as."""
    name = str(row.get("application") or row.get("role") or row.get("backend_type") or "unknown")
    return Ref(kind="Client", namespace=database, name=name)


def table(database: str, row: Json) -> Ref:
    """A table, by the columns `schema` and `table` (or `relation`)."""
    return Ref(
        kind="Table", namespace=database, name=f"{row['schema']}.{row.get('table') or row['relation']}"
    )


def index(database: str, row: Json) -> Ref:
    """An index, by the columns `schema` and `index`."""
    return Ref(kind="Index", namespace=database, name=f"{row['schema']}.{row['index']}")


def role(name: str) -> Ref:
    """A role; roles belong to the server."""
    return Ref(kind="Role", name=name)


def slot(name: str) -> Ref:
    """A replication slot; slots belong to the server."""
    return Ref(kind="ReplicationSlot", name=name)


def setting(name: str) -> Ref:
    """A setting of the server."""
    return Ref(kind="Setting", name=name)


def database_ref(name: str) -> Ref:
    """The database itself."""
    return Ref(kind="Database", name=name)


def moment(row: Json, column: str) -> datetime | None:
    """The instant in a column; None where it is not set, or before or after all years that count here."""
    value = str(row.get(column) or "")
    return parse_time(value) if _YEAR.match(value) and not value.endswith("BC") else None


def since(row: Json, column: str, now: datetime) -> timedelta | None:
    """How long ago the instant in a column was; None where it is not set."""
    at = moment(row, column)
    return max(now - at, timedelta()) if at else None


def lasting(span: timedelta | None) -> str:
    """A span as people read it; `?` where it is not known."""
    return duration(span) if span is not None else "?"


def size(amount: float | None) -> str:
    """An amount of bytes: `512 B`, `1.5 GB`; `?` where it is not known."""
    if amount is None:
        return "?"
    value = float(amount)
    for unit in UNITS:
        if abs(value) < 1024 or unit == UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 10 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable: the last unit takes any amount")


def percent(part: float, whole: float) -> str:
    """A share as people read it; `?` of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "?"


def query_text(row: Json, most: int = 160) -> str:
    """A statement on one line, cut with a sign that it is."""
    text = " ".join(str(row.get("query") or "").split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def missing(looks: Iterable[Rows]) -> list[str]:
    """What could not be seen, a line each, for the end of a text."""
    return [f"Not seen: {each.missing}" for each in looks if each.missing]


def unread(looks: Iterable[Rows]) -> Json:
    """The same as `data`, so that a conclusion tells what it does without."""
    found = [{"what": each.look, "why": each.missing} for each in looks if each.missing]
    return {"unread": found} if found else {}


def sources(looks: Sequence[Rows]) -> tuple[Quote, ...]:
    """Every look that showed something, as places that can be quoted."""
    return tuple(each.source() for each in looks if each.rows)


async def one_table(database: Database, name: str) -> Json:
    """The row of the look `tables` for `table` or `schema.table`, quoted or not. Raises ToolError with the
    nearest names, or with all schemas that have one of that name."""
    rows = await named(database, "tables", "table", name)
    if len(rows) == 1:
        return rows[0]
    if rows:
        where = ", ".join(f"{row['schema']}.{row['table']}" for row in rows)
        raise ToolError(f"{len(rows)} tables are called {name!r}: {where}; name one with its schema")
    names = [f"{row['schema']}.{row['table']}" for row in (await database.rows("tables")).rows]
    raise ToolError(f"no table {name!r} in {database.name}; {nearest(name, names)}")


async def one_role(database: Database, name: str) -> Json:
    """The row of the look `roles` for that name. Raises ToolError with the nearest names."""
    found = await database.rows("roles")
    row = next((each for each in found.rows if each["role"] == name), None)
    if row is None:
        raise ToolError(f"no role {name!r}; {nearest(name, (each['role'] for each in found.rows))}")
    return row
