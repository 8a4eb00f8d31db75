"""What the tools of this folder share: who is who in a database, and amounts and ages as people read them.

Entities are `Kind/<database>/<name>`; what belongs to the whole server has no database.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from opssquad import Database, Json, Quote, Ref, Rows, ToolError, duration, parse_time

from ._names import named, nearest

_YEAR = re.compile(r"\d{4}-")
UNITS = ("B", "kB", "MB", "GB", "TB")
"""As PostgreSQL writes them: steps of 1024."""
Place = tuple[str, str]
"""Schema and table."""
EVERY = 0.25
"""Seconds between two looks at what is to change."""
T = TypeVar("T")


def place_of(row: Json) -> Place:
    """Schema and table that a row of most looks belongs to."""
    return str(row["schema"]), str(row["table"])


def within(row: Json) -> dict[str, str]:
    """The same as looks are narrowed down by, and as acts take them."""
    return {"schema": row["schema"], "table": row["table"]}


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


def prepared(database: str, gid: object) -> Ref:
    """A prepared transaction, by the name that it was given."""
    return Ref(kind="PreparedTransaction", namespace=database, name=str(gid))


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
    value, unit = float(amount), 0
    while abs(value) >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 0 if unit == 0 or abs(value) >= 10 else 1
    return f"{value:.{digits}f} {UNITS[unit]}"


def percent(part: float, whole: float) -> str:
    """A share as people read it; `?` of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "?"


def query_text(row: Json, most: int = 160) -> str:
    """A statement on one line, cut with a sign that it is."""
    return cut(" ".join(str(row.get("query") or "").split()), most)


def cut(text: str, most: int) -> str:
    """So many characters of a text, with a sign where there are more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def missing(looks: Iterable[Rows]) -> list[str]:
    """What could not be seen, a line each, for the end of a text."""
    return [f"Not seen: {each.missing}" for each in looks if each.missing]


def unread(looks: Iterable[Rows]) -> Json:
    """The same as `data`, so that a conclusion tells what it does without."""
    found = [{"what": each.look, "why": each.missing} for each in looks if each.missing]
    return {"unread": found} if found else {}


def sources(looks: Iterable[Rows]) -> tuple[Quote, ...]:
    """Every look that showed something, as places that can be quoted."""
    return tuple(each.source() for each in looks if each.rows)


async def until(look: Callable[[], Awaitable[T]], done: Callable[[T], bool], seconds: float) -> T:
    """What a look shows once it is done, or after so many seconds: a server tells of a change late."""
    spent = 0.0
    while not done(seen := await look()) and spent < seconds:
        await asyncio.sleep(EVERY)
        spent += EVERY
    return seen


async def one_table(database: Database, name: str) -> Json:
    """The row of the look `tables` for `table` or `schema.table`, quoted or not. Raises ToolError with the
    nearest names, or with all schemas that have one of that name."""
    return await _one(database, "tables", "table", name)


async def one_index(database: Database, name: str) -> Json:
    """The row of the look `indexes` for `index` or `schema.index`; raises as `one_table`."""
    return await _one(database, "indexes", "index", name)


async def one_relation(database: Database, look: str, name: str) -> Json:
    """A row that says which table or view is meant, by its schema and table. Views are not among the tables:
    `look` is one that knows of them. Raises ToolError with the nearest tables."""
    rows = await named(database, look, "table", name)
    return rows[0] if len({row["schema"] for row in rows}) == 1 else await one_table(database, name)


async def _one(database: Database, look: str, column: str, name: str) -> Json:
    rows = await named(database, look, column, name)
    if len(rows) == 1:
        return rows[0]
    if rows:
        where = ", ".join(f"{row['schema']}.{row[column]}" for row in rows)
        called = f"{len(rows)} {look} are called {rows[0][column]!r}"
        raise ToolError(f"{called}: {where}; name one with its schema")
    names = [f"{row['schema']}.{row[column]}" for row in (await database.rows(look)).rows]
    raise ToolError(f"no {column} {name!r} in {database.name}; {nearest(name, names)}")


async def one_role(database: Database, name: str) -> Json:
    """The row of the look `roles` for that name. Raises ToolError with the nearest names."""
    found = await database.rows("roles")
    row = next((each for each in found.rows if each["role"] == name), None)
    if row is None:
        raise ToolError(f"no role {name!r}; {nearest(name, (each['role'] for each in found.rows))}")
    return row
