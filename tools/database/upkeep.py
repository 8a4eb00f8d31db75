"""Analyzing and vacuuming a table, each with its card and its check."""

from functools import partial
from typing import Annotated

from opssquad import Check, Database, Json, Preview, Quote, Result, Risk, Undo, tool

from ._common import one_table, size, sources, until, within
from ._common import table as table_ref
from ._snapshots import holders, looks_at_holders

Table = Annotated[str, "table, or schema.table"]
BIG = 20 * 2**30
"""Bytes of a table whose vacuum reads so much that others feel it: minutes of a disk's time."""
REPORTED = 5.0
"""Seconds within which the statistics tell of it: before 15 a collector is behind."""
KEPT = (
    "schema", "table", "n_dead_tup", "n_mod_since_analyze", "planner_rows", "last_analyze", "last_vacuum",
)  # fmt: skip
"""What a check compares with."""


def _bound(database: Database, row: Json) -> dict[str, str]:
    options = ",".join(row.get("options") or ()) or "none"
    return {
        str(table_ref(database.name, row)): f"indexes={row['indexes']} options={options} oid={row.get('oid')}"
    }


def _before(row: Json) -> Json:
    return {key: row[key] for key in KEPT}


def _named(row: Json) -> str:
    return f"{row['schema']}.{row['table']}"


async def _busy(database: Database, row: Json) -> str:
    """Whether it waits for another vacuum or analyze of the table: only one goes at a time."""
    names = (_named(row), row["table"])
    for each in (await database.rows("progress")).rows:
        if each["what"] in ("vacuum", "analyze") and str(each["relation"]).replace('"', "") in names:
            return f"; it waits for the {each['what']} that process {each['pid']} does there"
    return ""


async def _do(database: Database, act: str, table: str, done: str) -> Result:
    row = await one_table(database, table)
    made = await database.act(act, **within(row))
    said = f": {made.said}" if made.said else ""
    return Result(text=f"{_named(row)} is {done}{said}", commands=(made.statement,))


async def _reported(database: Database, before: Json, column: str) -> tuple[Json | None, tuple[Quote, ...]]:
    """The table's row once that time is another one, or as it is in the end; None where the table is gone."""
    found = await until(
        partial(database.rows, "tables", **within(before)),
        lambda seen: not seen.rows or seen.rows[0][column] != before[column],
        REPORTED,
    )
    return (found.rows[0] if found.rows else None), sources((found,))


async def _observe(database: Database, table: Table) -> dict[str, str]:
    return _bound(database, await one_table(database, table))


@tool(effect="mutate", deadline=900.0)
async def analyze_table(database: Database, table: Table) -> Result:
    """Have the statistics of a table gathered anew, by which the planner goes."""
    return await _do(database, "analyze", table, "analyzed")


@analyze_table.preview
async def _foresee_analyze(database: Database, table: Table) -> Preview:
    row = await one_table(database, table)
    return Preview(
        command=database.statement("analyze", **within(row)),
        impact=f"reads a sample of {_named(row)} ({size(row['heap_size'])});"
        f" {row['n_mod_since_analyze']} rows changed since the last time; readers and writers go on,"
        f" plans may change"
        f"{await _busy(database, row)}",
        risk="low",
        risk_rule="it reads a sample and writes statistics",
        binding=_bound(database, row),
        verify_plan="see that the statistics are new",
        before=_before(row),
    )


@analyze_table.undo
def _undo_analyze(table: Table) -> Undo:
    return Undo(note="nothing to undo: statistics are gathered anew whenever it is asked for")


@analyze_table.verify
async def _check_analyze(database: Database, table: Table, before: Json) -> Check:
    row, read = await _reported(database, before, "last_analyze")
    if row is None:
        return Check(outcome="unknown", text=f"there is no table {table} any more")
    if row["last_analyze"] == before["last_analyze"]:
        return Check(outcome="same", text="the table has the statistics that it had", sources=read)
    text = (
        f"the statistics are new: the planner counts on {row['planner_rows']} rows, and counted on "
        f"{before['planner_rows']}; {row['n_mod_since_analyze']} changed since,"
        f" {before['n_mod_since_analyze']} before"
    )
    return Check(outcome="better", text=text, sources=read)


@tool(effect="mutate", deadline=1800.0)
async def vacuum_table(database: Database, table: Table) -> Result:
    """Have the dead rows of a table removed, and its statistics gathered."""
    return await _do(database, "vacuum", table, "vacuumed")


@vacuum_table.preview
async def _foresee_vacuum(database: Database, table: Table) -> Preview:
    row = await one_table(database, table)
    keep = holders(await looks_at_holders(database))
    kept = f"; what died since then stays, for {keep[0]}" if keep else ""
    risk: Risk = "medium" if (row["heap_size"] or 0) >= BIG else "low"
    return Preview(
        command=database.statement("vacuum", **within(row)),
        impact=f"reads {_named(row)} ({size(row['heap_size'])}, {row['n_dead_tup']} dead rows) and its"
        f" {row['indexes']} indexes, and frees the room of dead rows for new ones; it takes disk time,"
        f" readers and writers go on{kept}{await _busy(database, row)}",
        risk=risk,
        risk_rule="it reads a lot" if risk == "medium" else "a plain vacuum locks out no reader or writer",
        binding=_bound(database, row),
        verify_plan="see that the dead rows are gone",
        before=_before(row),
    )


@vacuum_table.undo
def _undo_vacuum(table: Table) -> Undo:
    return Undo(note="nothing to undo: dead rows are seen by nobody")


@vacuum_table.verify
async def _check_vacuum(database: Database, table: Table, before: Json) -> Check:
    row, read = await _reported(database, before, "last_vacuum")
    if row is None:
        return Check(outcome="unknown", text=f"there is no table {table} any more")
    was, now = int(before["n_dead_tup"] or 0), int(row["n_dead_tup"] or 0)
    if row["last_vacuum"] == before["last_vacuum"]:
        return Check(outcome="same", text=f"no vacuum is told of; {now} dead rows", sources=read)
    text = f"{now} dead rows are left of {was}"
    if now < was / 2 or not was:
        return Check(outcome="better", text=text, sources=read)
    looks = await looks_at_holders(database)
    keep = holders(looks)
    behind = f"; kept for: {'; '.join(keep)}" if keep else "; who keeps them is not seen any more"
    return Check(outcome="same", text=f"{text}{behind}", sources=(*read, *sources(looks)))


analyze_table.observe(_observe)
vacuum_table.observe(_observe)
