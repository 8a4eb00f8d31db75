"""The tool `explain`: the plan of a statement, without running it."""

import re
from collections.abc import Sequence
from typing import Annotated

from opssquad import Answered, Database, Json, Result, Signal, ToolError, tool

from ._common import cut, place_of
from ._plans import Step, loops_over, read_plan
from ._statements import has_parameters, statements_of
from .signals.plans import plan_signals, quoted

GENERIC = 160000
"""The version from which a plan can be had for a statement with parameters."""
HEAD = re.compile(r"^\s*explain\b(?:\s*\([^)]*\)|(?:\s+(?:analy[sz]e|verbose)\b)+)?", re.IGNORECASE)
"""What may stand before a statement that somebody would have explained; none of it is kept."""
ID = re.compile(r"-?\d{5,}")
LONG, LINES, WIDE = 400_000, 60, 150
"""Characters of a plan that are read; lines and characters of a line that are shown."""


@tool(effect="read")
async def explain(
    database: Database,
    statement: Annotated[
        str, "one statement, or the id of one of slow_statements; $1 stands for a parameter"
    ],
) -> Result:
    """The plan that the server would take for a statement, and what stands out; the statement is not run."""
    bare = await _meant(database, HEAD.sub("", statement).strip().rstrip("; \n"))
    generic = has_parameters(bare)
    version = int((await database.facts())["version_num"])
    if generic and version < GENERIC:
        raise ToolError(
            "this server plans no statement with parameters (PostgreSQL 16 does): put values of the "
            "kind that is slow in the places of $1, $2 and so on"
        )
    options = "generic_plan, verbose" if generic else "verbose"
    found = await database.select(f"explain ({options}, format json) {bare}", size=LONG)
    if found.cut:
        raise ToolError("the plan is too long to be shown; explain a part of the statement")
    text = "\n".join(str(row[0]) for row in found.rows)
    try:
        steps = read_plan(text)
    except ValueError:
        return _as_it_is(database, found, bare)
    return await _told(database, steps, bare, generic)


async def _meant(database: Database, statement: str) -> str:
    """The statement itself where its id was given. Raises ToolError for one that is not known whole."""
    if not ID.fullmatch(statement):
        return statement
    rows = (await statements_of(database)).rows
    row = next((each for each in rows if each["id"] == statement), None)
    if row is None:
        raise ToolError(f"no statement has the id {statement}; slow_statements tells which there are")
    # The look cuts there.
    if len(str(row["query"])) >= 1500:
        raise ToolError(f"statement {statement} is too long to be known whole; give the statement itself")
    return str(row["query"])


def _as_it_is(database: Database, found: Answered, statement: str) -> Result:
    """A plan that is kept as text."""
    text = "\n".join(str(row[0]) for row in found.rows)
    told = text if len(text) <= 5000 else f"{text[:5000]}\n… (cut)"
    source = quoted(database.name, text or "no plan")
    return Result(text=told, sources=(source,), commands=(f"explain {statement}",))


async def _told(database: Database, steps: list[Step], statement: str, generic: bool) -> Result:
    tables = {place_of(row): row for row in (await database.rows("tables")).rows}
    signals = tuple(plan_signals(database.name, steps, tables))
    lines = [line for step in steps for line in step.lines]
    text = [cut(line, WIDE) for line in lines[:LINES]]
    text += [f"… and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    note = " for any values of its parameters" if generic else ""
    text += ["", f"Planned{note} and not run, with 4 MB of work_mem and no parallel workers."]
    text += [f"{each.id}: {each.text}" for each in signals[:8]] + _loops(steps)
    return Result(
        text=_short(text),
        sources=(quoted(database.name, *lines),),
        data={"tables": list(dict.fromkeys(each.entity.name for each in signals)), **_cost(steps)},
        signals=_once(signals),
        commands=(f"explain (generic_plan) {statement}" if generic else f"explain {statement}",),
    )


def _once(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """A table that is read in several places is told once."""
    return tuple({(each.id, str(each.entity)): each for each in reversed(signals)}.values())[::-1]


def _loops(steps: Sequence[Step]) -> list[str]:
    return [
        f"A nested loop may read {step.node['Relation Name']} whole for each of "
        f"{_outer(steps, step)} rows of its outer side."
        for step in loops_over(steps)[:4]
    ]


def _outer(steps: Sequence[Step], inner: Step) -> int:
    """Rows that the planner expects of the other side of the loop."""
    sides = (inner.above or {}).get("Plans", ())
    return next((int(each["Plan Rows"]) for each in sides if each["Parent Relationship"] == "Outer"), 0)


def _cost(steps: Sequence[Step]) -> Json:
    return {"cost": steps[0].node["Total Cost"], "rows": steps[0].node["Plan Rows"]}


def _short(lines: Sequence[str]) -> str:
    """Lines as far as a view goes, the end kept: it says what stands out."""
    text, tail = "\n".join(lines), "\n".join(lines[-14:])
    return text if len(text) <= 5400 else f"{text[: 5300 - len(tail)]}…\n… (cut)\n{tail}"
