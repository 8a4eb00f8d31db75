"""The tool `explain`: the plan of a statement, without running it."""

import re
from typing import Annotated

from opssquad import Database, Quote, Result, Signal, ToolError, tool

from ._common import table as table_ref
from ._statements import Names

GENERIC = 160000
"""The version from which a plan can be had for a statement with parameters."""
WHOLE = re.compile(r"Seq Scan on (?:(?P<schema>\w+)\.)?(?P<table>\w+)\b[^\n]*?rows=(?P<rows>\d+)")
LARGE = 5000
HEAD = re.compile(r"^\s*explain\b(\s*\([^)]*\))?", re.IGNORECASE)


@tool(effect="read")
async def explain(
    database: Database,
    statement: Annotated[str, "one statement; $1 stands for a parameter from PostgreSQL 16 on"],
) -> Result:
    """The plan that the server would take for a statement; it is not run."""
    bare, facts = HEAD.sub("", statement).strip().rstrip(";"), await database.facts()
    options = "verbose, format text"
    if re.search(r"\$\d", bare):
        if int(facts["version_num"]) < GENERIC:
            raise ToolError(
                "this server explains no statement with parameters (16 does): put values in their places"
            )
        options = "generic_plan, format text"
    found = await database.select(f"explain ({options}) {bare}", 400)
    lines = [str(row[0]) for row in found.rows]
    plan = "\n".join(lines)
    source = Quote(locator=f"rows {database.name}/plan", text=plan)
    return Result(
        text=plan,
        sources=(source,),
        signals=tuple(await _whole(database, plan, bare)),
        commands=(f"explain {bare}",),
    )


async def _whole(database: Database, plan: str, statement: str) -> list[Signal]:
    tables = (await database.rows("tables")).rows
    found = []
    for match in WHOLE.finditer(plan):
        row = next(
            (r for r in tables if r["table"] == match["table"] and match["schema"] in (None, r["schema"])),
            None,
        )
        if row is None or int(row["n_live_tup"] or 0) < LARGE:
            continue
        ref = table_ref(database.name, row)
        columns = Names(tables).filters(statement, row)
        text = f"the plan reads all of {ref.name} ({row['n_live_tup']} rows)"
        quote = Quote(locator=f"rows {database.name}/plan", text=match[0])
        data = {"table": ref.name, "columns": columns, "rows": row["n_live_tup"]}
        found.append(
            Signal(id="plan.sequential_scan", entity=ref, owner=ref, text=text, data=data, quotes=(quote,))
        )
    return found
