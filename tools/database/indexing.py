"""Creating an index without locking its table, and dropping one, each with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Json, Option, Preview, Result, ToolError, Undo, tool

from ._common import index as index_ref
from ._common import one_table, query_text, since, size, sources
from ._common import table as table_ref

Table = Annotated[str, "table, or schema.table"]
Columns = Annotated[list[str], "columns in their order"]
Index = Annotated[str, "index, or schema.index"]
LONGEST = 63
"""Bytes of a name; PostgreSQL cuts what is longer."""
LONG = 30.0
"""Seconds from which a transaction holds up a concurrent build, which waits for all that are older."""


async def _meant(database: Database, table: str, columns: list[str]) -> Json:
    """The table, if it has those columns and no such index yet. Raises ToolError."""
    row = await one_table(database, table)
    there = [c["column"] for c in (await database.rows("columns", **_place(row))).rows]
    if not columns or (strange := [c for c in columns if c not in there]):
        said = f"no column {strange[0]!r}" if columns else "no column is given"
        raise ToolError(f"{said}; {row['schema']}.{row['table']} has: {', '.join(there)}")
    return row


def _place(row: Json) -> dict[str, str]:
    return {"schema": row["schema"], "table": row["table"]}


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
    mine = await database.rows("indexes", **_place(row))
    names = ",".join(sorted(each["index"] for each in mine.rows))
    return {str(table_ref(database.name, row)): f"indexes={names or 'none'}"}


@tool(effect="mutate", deadline=1800.0)
async def create_index(database: Database, table: Table, columns: Columns, unique: bool = False) -> Result:
    """Create an index on columns of a table, concurrently: writers go on meanwhile."""
    row = await _meant(database, table, columns)
    name = await _name(database, row, columns)
    done = await database.act("create_index", **_place(row), name=name, columns=columns, unique=unique)
    return Result(
        text=f"index {row['schema']}.{name} is built", data={"index": name}, commands=(done.statement,)
    )


@create_index.preview
async def _foresee_create(
    database: Database, table: Table, columns: Columns, unique: bool = False
) -> Preview:
    row = await _meant(database, table, columns)
    name, sessions, now = await _name(database, row, columns), await database.rows("sessions"), database.now()
    listed = f"({', '.join(columns)})"
    for each in (await database.rows("indexes", **_place(row))).rows:
        if each["valid"] and str(each.get("definition") or "").endswith(listed):
            raise ToolError(f"index {each['index']} is on {listed} already")
    slow = [r for r in sessions.rows if (s := since(r, "xact_start", now)) and s.total_seconds() >= LONG]
    waits = (
        f"; it waits for {len(slow)} long transactions first, as {query_text(slow[0], 60)!r}" if slow else ""
    )
    return Preview(
        command=database.statement("create_index", **_place(row), name=name, columns=columns, unique=unique),
        impact=f"reads {row['schema']}.{row['table']} twice ({size(row['heap_size'])}, "
        f"{row['n_live_tup']} rows); "
        f"readers and writers go on{waits}; every write costs a little more from then on",
        risk="medium" if slow else "low",
        risk_rule="long transactions hold it up" if slow else "it is built concurrently",
        binding=await _bound(database, row),
        verify_plan="see that the index is there and valid",
        before={**_place(row), "name": name},
    )


@create_index.undo
async def _undo_create(database: Database, table: Table, columns: Columns) -> Undo:
    row = await _meant(database, table, columns)
    name = await _name(database, row, columns)
    args = {"index": f"{row['schema']}.{name}"}
    command = database.statement("drop_index", schema=row["schema"], name=name)
    return Undo(note="drop it again", tool="drop_index", args=args, command=command)


@create_index.observe
async def _observe_create(database: Database, table: Table) -> dict[str, str]:
    return await _bound(database, await one_table(database, table))


@create_index.verify
async def _check_create(database: Database, table: Table, before: Json) -> Check:
    found = await database.rows("indexes", schema=before["schema"], index=before["name"])
    read, name = sources((found,)), f"{before['schema']}.{before['name']}"
    if found.rows and found.rows[0]["valid"]:
        return Check(outcome="better", text=f"index {name} is valid", sources=read)
    if not found.rows:
        return Check(outcome="same", text=f"there is no index {name}", sources=read)
    drop = Option(
        label=f"Drop the invalid index {name}",
        action="sql",
        target=str(index_ref(database.name, found.rows[0])),
        tool="drop_index",
        args={"index": name},
    )
    text = f"index {name} is invalid: its build failed, and every write pays for it"
    return Check(outcome="worse", text=text, sources=read, next=(drop,))


async def _one(database: Database, index: str) -> Json:
    """The index, if it may be dropped. Raises ToolError."""
    wanted = [part.strip().strip('"') for part in index.split(".")]
    found = await database.rows("indexes", index=wanted[-1])
    rows = [row for row in found.rows if len(wanted) == 1 or row["schema"] == wanted[0]]
    if len(rows) != 1:
        near = ", ".join(f"{r['schema']}.{r['index']}" for r in rows) or "there is none of that name"
        raise ToolError(f"which index is {index!r}? {near}")
    if rows[0]["constraint"]:
        raise ToolError(
            f"index {index} stands behind a constraint, which would go with it; alter the table instead"
        )
    return rows[0]


def _of(database: Database, row: Json) -> dict[str, str]:
    valid = "valid" if row["valid"] else "invalid"
    return {str(index_ref(database.name, row)): f"state={valid} on={row['schema']}.{row['table']}"}


@tool(effect="mutate", deadline=600.0)
async def drop_index(database: Database, index: Index) -> Result:
    """Drop an index, concurrently; one behind a constraint is refused."""
    row = await _one(database, index)
    done = await database.act("drop_index", schema=row["schema"], name=row["index"])
    return Result(text=f"index {row['schema']}.{row['index']} is dropped", commands=(done.statement,))


@drop_index.preview
async def _foresee_drop(database: Database, index: Index) -> Preview:
    row = await _one(database, index)
    used = int(row["scans"] or 0)
    return Preview(
        command=database.statement("drop_index", schema=row["schema"], name=row["index"]),
        impact=f"{size(row['size'])} are freed and writes get cheaper; it was read {used} times since "
        f"statistics began" + (", and what reads it becomes slow" if used and row["valid"] else ""),
        risk="high" if used and row["valid"] else "low",
        risk_rule="statements use it" if used and row["valid"] else "nothing reads it",
        binding=_of(database, row),
        verify_plan="see that it is gone",
        before={"schema": row["schema"], "index": row["index"]},
    )


@drop_index.undo
async def _undo_drop(database: Database, index: Index) -> Undo:
    row = await _one(database, index)
    return Undo(
        note=f"by hand, and it takes its time: {row.get('definition') or 'its definition is not known'}"
    )


@drop_index.observe
async def _observe_drop(database: Database, index: Index) -> dict[str, str]:
    return _of(database, await _one(database, index))


@drop_index.verify
async def _check_drop(database: Database, index: Index, before: Json) -> Check:
    found = await database.rows("indexes", schema=before["schema"], index=before["index"])
    if found.rows:
        return Check(
            outcome="same", text=f"index {before['index']} is still there", sources=sources((found,))
        )
    return Check(outcome="better", text=f"index {before['index']} is gone", sources=sources((found,)))
