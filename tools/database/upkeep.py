"""Analyzing and vacuuming a table, each with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, Undo, tool

from ._common import client, one_table, size, sources
from ._common import table as table_ref

Table = Annotated[str, "table, or schema.table"]
OLD = 100
"""Transactions by which a snapshot must be old to keep dead rows that matter."""


def _bound(database: Database, row: Json) -> dict[str, str]:
    options = ",".join(row.get("options") or ()) or "none"
    return {str(table_ref(database.name, row)): f"indexes={row['indexes']} options={options}"}


def _before(row: Json) -> Json:
    keys = (
        "n_dead_tup",
        "n_mod_since_analyze",
        "planner_rows",
        "last_analyze",
        "last_vacuum",
        "schema",
        "table",
    )
    return {key: row[key] for key in keys}


def _place(row: Json) -> dict[str, str]:
    return {"schema": row["schema"], "table": row["table"]}


@tool(effect="mutate", deadline=900.0)
async def analyze_table(database: Database, table: Table) -> Result:
    """Have the statistics of a table gathered anew, by which the planner goes."""
    row = await one_table(database, table)
    done = await database.act("analyze", **_place(row))
    return Result(text=f"{row['schema']}.{row['table']} is analyzed", commands=(done.statement,))


@analyze_table.preview
async def _foresee_analyze(database: Database, table: Table) -> Preview:
    row = await one_table(database, table)
    return Preview(
        command=database.statement("analyze", **_place(row)),
        impact=f"reads a sample of {row['schema']}.{row['table']} ({size(row['heap_size'])}); nobody "
        f"waits for it, "
        "plans may change",
        risk="low",
        risk_rule="it reads a sample and writes statistics",
        binding=_bound(database, row),
        verify_plan="see that the statistics are new",
        before=_before(row),
    )


@analyze_table.undo
def _undo_analyze(table: Table) -> Undo:
    return Undo(note="there is nothing to take back: statistics are gathered anew whenever it is asked for")


@analyze_table.observe
async def _observe_analyze(database: Database, table: Table) -> dict[str, str]:
    return _bound(database, await one_table(database, table))


@analyze_table.verify
async def _check_analyze(database: Database, table: Table, before: Json) -> Check:
    found = await database.rows("tables", **_place(before))
    row = found.rows[0]
    read = sources((found,))
    if row["last_analyze"] != before["last_analyze"]:
        text = (
            f"the planner counts on {row['planner_rows']} rows now, and counted on {before['planner_rows']}"
        )
        return Check(outcome="better", text=text, sources=read)
    return Check(outcome="same", text="the table has the statistics that it had", sources=read)


@tool(effect="mutate", deadline=1800.0)
async def vacuum_table(database: Database, table: Table) -> Result:
    """Have the dead rows of a table removed, and its statistics gathered."""
    row = await one_table(database, table)
    done = await database.act("vacuum", **_place(row))
    return Result(text=f"{row['schema']}.{row['table']} is vacuumed", commands=(done.statement,))


@vacuum_table.preview
async def _foresee_vacuum(database: Database, table: Table) -> Preview:
    row = await one_table(database, table)
    return Preview(
        command=database.statement("vacuum", **_place(row)),
        impact=f"reads {row['schema']}.{row['table']} ({size(row['heap_size'])}, {row['n_dead_tup']} "
        f"dead rows) and "
        "frees the room of dead rows; it costs input and output, and nobody waits for it",
        risk="low",
        risk_rule="a plain vacuum locks out no reader and no writer",
        binding=_bound(database, row),
        verify_plan="see that the dead rows are gone",
        before=_before(row),
    )


@vacuum_table.undo
def _undo_vacuum(table: Table) -> Undo:
    return Undo(note="there is nothing to take back: dead rows are seen by nobody")


@vacuum_table.observe
async def _observe_vacuum(database: Database, table: Table) -> dict[str, str]:
    return _bound(database, await one_table(database, table))


@vacuum_table.verify
async def _check_vacuum(database: Database, table: Table, before: Json) -> Check:
    found, sessions = await database.rows("tables", **_place(before)), await database.rows("sessions")
    row, read = found.rows[0], sources((found, sessions))
    was, now = int(before["n_dead_tup"] or 0), int(row["n_dead_tup"] or 0)
    if now < was / 2 or not was:
        return Check(outcome="better", text=f"{now} dead rows are left of {was}", sources=read)
    holders = [r for r in sessions.rows if int(r.get("xmin_age") or 0) >= OLD]
    who = ", ".join(f"session {r['pid']} of {client(sessions.name, r).name}" for r in holders[:3])
    behind = f"; an old snapshot keeps them: {who}" if who else ""
    return Check(outcome="same", text=f"{now} dead rows are left of {was}{behind}", sources=read)
