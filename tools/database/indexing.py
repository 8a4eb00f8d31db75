"""Creating an index without locking its table, with its card and its check."""

from typing import Annotated

from opssquad import (
    Check,
    Database,
    DatabaseError,
    Json,
    Option,
    Preview,
    Result,
    Risk,
    Rows,
    ToolError,
    Undo,
    tool,
)  # fmt: skip

from ._common import client, lasting, one_table, since, size, sources, within
from ._common import index as index_ref
from ._common import table as table_ref
from ._definitions import column_of, definition
from ._names import written

Table = Annotated[str, "table, or schema.table"]
Columns = Annotated[list[str], "columns in their order"]
LONGEST = 63
"""Bytes of a name; PostgreSQL cuts what is longer."""
LONG = 30.0
"""Seconds from which a transaction holds up a concurrent build, which waits for all that are older."""


async def _meant(database: Database, table: str, columns: list[str]) -> Json:
    """The table, if it has those columns. Raises ToolError."""
    row = await one_table(database, table)
    there = [c["column"] for c in (await database.rows("columns", **within(row))).rows]
    where = f"{row['schema']}.{row['table']}"
    if not columns or len({*columns}) < len(columns):
        raise ToolError(f"give the columns, each once; {where} has: {', '.join(there)}")
    if strange := [c for c in columns if c not in there]:
        raise ToolError(f"no column {strange[0]!r}; {where} has: {', '.join(there)}")
    return row


def plain(row: Json) -> list[str] | None:
    """The columns of an index that create_index could make; None for any other, as one with a condition."""
    found = definition(row)
    if found is None or found.method != "btree" or found.included or found.options or found.condition:
        return None
    columns = [column_of(key) for key in found.keys]
    quoted = ['"{}"'.format(column.replace('"', '""')) for column in columns]
    bare = all(key in each for key, *each in zip(found.keys, columns, quoted, strict=True))
    return columns if bare else None


def _serves(indexes: Rows, columns: list[str], unique: bool) -> str:
    """A word on an index that begins with the same columns. Raises ToolError where one does the same."""
    said = ""
    for each in indexes.rows:
        has = plain(each)
        if has is None or has[: len(columns)] != columns or (unique and has != columns):
            continue
        name = f"{each['schema']}.{each['index']}"
        if not each["valid"]:
            raise ToolError(
                f"index {name} on the same columns is the rest of a failed build: drop_index it first"
            )
        if has == columns and (each["unique"] or not unique):
            raise ToolError(f"index {name} is on ({', '.join(columns)}) already")
        if has != columns:
            said = f"; index {name} begins with the same columns already"
    return said


async def _name(database: Database, row: Json, columns: list[str]) -> str:
    """A name that no index there has: table, columns, idx."""
    taken = {each["index"] for each in (await database.rows("indexes", schema=row["schema"])).rows}
    stem = "_".join([row["table"], *columns])
    numbered = (f"_idx{n or ''}" for n in range(len(taken) + 1))
    return next(name for end in numbered if (name := f"{_cut(stem, LONGEST - len(end))}{end}") not in taken)


def _cut(text: str, most: int) -> str:
    """So much of the text as its first bytes hold."""
    return text.encode()[:most].decode(errors="ignore")


async def _bound(database: Database, row: Json) -> dict[str, str]:
    mine = await database.rows("indexes", **within(row))
    names = ",".join(sorted(each["index"] for each in mine.rows))
    return {str(table_ref(database.name, row)): f"indexes={names or 'none'} oid={row.get('oid')}"}


@tool(effect="mutate", deadline=1800.0)
async def create_index(database: Database, table: Table, columns: Columns, unique: bool = False) -> Result:
    """Create an index on columns of a table, concurrently: writers go on meanwhile."""
    row = await _meant(database, table, columns)
    name = await _name(database, row, columns)
    try:
        done = await database.act("create_index", **within(row), name=name, columns=columns, unique=unique)
    except DatabaseError as error:
        if not await left(database, row, name):
            raise
        said = f"its rest, the invalid index {row['schema']}.{name}, is left and slows writes: drop_index it"
        raise ToolError(f"{error}; {said}") from error
    return Result(
        text=f"index {row['schema']}.{name} is built", data={"index": name}, commands=(done.statement,)
    )


async def left(database: Database, row: Json, name: str) -> bool:
    """Whether a build or drop that failed has left the index invalid; False also where that is not seen."""
    try:
        found = await database.rows("indexes", schema=row["schema"], index=name)
    except DatabaseError:
        return False
    return any(not each["valid"] for each in found.rows)


async def held_up(database: Database) -> list[str]:
    """Transactions here that are open for so long that a concurrent build or drop waits for them."""
    sessions = await database.rows("sessions")
    now, found = database.now(), []
    for row in sessions.rows:
        age = since(row, "xact_start", now)
        if row["database"] == sessions.name and age and age.total_seconds() >= LONG:
            found.append(f"session {row['pid']} of {client(sessions.name, row).name} ({lasting(age)})")
    return found


def waiting_for(found: list[str]) -> str:
    """A word on them for a card."""
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    return f"; first it waits for the open transactions of {', '.join(found[:2])}{more}" if found else ""


@create_index.preview
async def _foresee(database: Database, table: Table, columns: Columns, unique: bool = False) -> Preview:
    row = await _meant(database, table, columns)
    like = _serves(await database.rows("indexes", **within(row)), columns, unique)
    name, slow = await _name(database, row, columns), await held_up(database)
    alone = (
        "; it fails where two rows have the same values, and from then on such are refused" if unique else ""
    )
    risk, rule = _risk(unique, bool(slow))
    return Preview(
        command=database.statement("create_index", **within(row), name=name, columns=columns, unique=unique),
        impact=f"reads {row['schema']}.{row['table']} twice ({size(row['heap_size'])}, {row['n_live_tup']}"
        f" rows); readers and writers go on{waiting_for(slow)}{alone}; every write costs a little more from"
        f" then on{like}",
        risk=risk,
        risk_rule=rule,
        binding=await _bound(database, row),
        verify_plan="see that the index is there and valid",
        before={**within(row), "name": name},
    )


def _risk(unique: bool, slow: bool) -> tuple[Risk, str]:
    if unique:
        return "medium", "clients that write the same values again are refused"
    return ("medium", "long transactions hold it up") if slow else ("low", "it is built concurrently")


@create_index.undo
async def _undo(database: Database, table: Table, columns: Columns) -> Undo:
    row = await _meant(database, table, columns)
    name = await _name(database, row, columns)
    args = {"index": written({"schema": row["schema"], "index": name}, "index")}
    command = database.statement("drop_index", schema=row["schema"], name=name)
    return Undo(note="drop it again", tool="drop_index", args=args, command=command)


@create_index.observe
async def _observe(database: Database, table: Table) -> dict[str, str]:
    return await _bound(database, await one_table(database, table))


@create_index.verify
async def _check(database: Database, table: Table, before: Json) -> Check:
    found = await database.rows("indexes", schema=before["schema"], index=before["name"])
    read, name = sources((found,)), f"{before['schema']}.{before['name']}"
    if not found.rows:
        return Check(outcome="same", text=f"there is no index {name}", sources=read)
    row = found.rows[0]
    if row["valid"]:
        return Check(outcome="better", text=f"index {name} is valid, {size(row['size'])}", sources=read)
    drop = Option(
        label=f"Drop the invalid index {name}",
        action="sql",
        target=str(index_ref(database.name, row)),
        tool="drop_index",
        args={"index": name},
    )
    text = f"index {name} is invalid: its build failed, and every write pays for it"
    return Check(outcome="worse", text=text, sources=read, next=(drop,))
