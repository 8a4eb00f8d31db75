"""Dropping an index, concurrently, with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, DatabaseError, Json, Preview, Result, Risk, ToolError, Undo, tool

from ._common import index as index_ref
from ._common import one_index, size, sources
from ._names import written
from .indexing import held_up, left, plain, waiting_for

Index = Annotated[str, "index, or schema.index"]


async def _one(database: Database, index: str) -> Json:
    """The index, if it may be dropped. Raises ToolError."""
    row = await one_index(database, index)
    if row["constraint"] or row["primary"]:
        raise ToolError(
            f"index {index} stands behind a constraint (a key, or what a foreign key refers to), which would"
            " go with it; alter the table instead"
        )
    return row


def _of(database: Database, row: Json) -> dict[str, str]:
    valid = "valid" if row["valid"] else "invalid"
    return {
        str(
            index_ref(database.name, row)
        ): f"state={valid} on={row['schema']}.{row['table']} oid={row.get('oid')}"
    }


@tool(effect="mutate", deadline=600.0)
async def drop_index(database: Database, index: Index) -> Result:
    """Drop an index, concurrently; one behind a constraint is refused."""
    row = await _one(database, index)
    try:
        done = await database.act("drop_index", schema=row["schema"], name=row["index"])
    except DatabaseError as error:
        if not await left(database, row, row["index"]):
            raise
        said = f"index {row['schema']}.{row['index']} is left invalid: nothing reads it any more, every write"
        raise ToolError(f"{error}; {said} pays for it; drop_index it again") from error
    return Result(text=f"index {row['schema']}.{row['index']} is dropped", commands=(done.statement,))


@drop_index.preview
async def _foresee(database: Database, index: Index) -> Preview:
    row, slow = await _one(database, index), await held_up(database)
    replicas = bool((await database.rows("replicas")).rows)
    risk, rule = _risk(row, replicas)
    return Preview(
        command=database.statement("drop_index", schema=row["schema"], name=row["index"]),
        impact=f"{size(row['size'])} are freed and writes to {row['schema']}.{row['table']} get cheaper;"
        f" {_use(row, replicas)}{waiting_for(slow)}",
        risk=risk,
        risk_rule=rule,
        binding=_of(database, row),
        verify_plan="see that it is gone",
        before={"schema": row["schema"], "index": row["index"]},
    )


def _use(row: Json, replicas: bool) -> str:
    """Who will miss it."""
    if not row["valid"]:
        return "it is invalid, so nothing reads it"
    used = int(row["scans"] or 0)
    last = f", last at {row['last_scan']}" if row.get("last_scan") else ""
    read = f"it was read {used} times since statistics began{last}"
    read += ", and what reads it becomes slow" if used else ""
    read += "; what replicas read is not counted here" if replicas else ""
    return f"{read}; rows that are alike are refused no more" if row["unique"] else read


def _risk(row: Json, replicas: bool) -> tuple[Risk, str]:
    if not row["valid"]:
        return "low", "nothing reads an invalid index"
    if row["unique"]:
        return "high", "it keeps values unique"
    if row["scans"]:
        return "high", "statements use it"
    return ("medium", "replicas may read it") if replicas else ("low", "nothing reads it")


@drop_index.undo
async def _undo(database: Database, index: Index) -> Undo:
    row = await _one(database, index)
    made, columns = str(row.get("definition") or ""), plain(row)
    command = made.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    if not row["valid"]:
        return Undo(note="nothing to undo: an invalid index serves nobody")
    if columns is None:
        return Undo(
            note=f"by hand, as long as its table is read: {command or 'definition not shown'}",
            command=command,
        )
    args = {"table": written(row, "table"), "columns": columns, "unique": bool(row["unique"])}
    note = "create it again, which takes as long as its table is read, under a name of ours"
    return Undo(note=note, tool="create_index", args=args, command=command)


@drop_index.observe
async def _observe(database: Database, index: Index) -> dict[str, str]:
    return _of(database, await _one(database, index))


@drop_index.verify
async def _check(database: Database, index: Index, before: Json) -> Check:
    found = await database.rows("indexes", schema=before["schema"], index=before["index"])
    name, read = f"{before['schema']}.{before['index']}", sources((found,))
    if not found.rows:
        return Check(outcome="better", text=f"index {name} is gone", sources=read)
    if found.rows[0]["valid"]:
        return Check(outcome="same", text=f"index {name} is still there", sources=read)
    return Check(outcome="same", text=f"index {name} is still there, invalid: drop it again", sources=read)
