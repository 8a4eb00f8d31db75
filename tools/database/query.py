"""The tool `query`: one statement of one's own that only reads."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated

from opssquad import Answered, Database, Quote, Result, ToolError, tool

from ._common import cut

ROWS, BYTES = 500, 200_000
"""Rows and characters that are read at most, whatever is asked for."""
WIDE, MOST = 60, 5000
"""Characters of one cell, and of all, that are shown."""
COLUMNS = 30
"""Columns that are shown side by side."""


@tool(effect="read")
async def query(
    database: Database,
    statement: Annotated[str, "one SELECT, VALUES, TABLE, SHOW or EXPLAIN that provably only reads"],
    rows: Annotated[int, "at most"] = 50,
) -> Result:
    """Run one read-only statement, in a read-only transaction with a timeout, and show its rows."""
    if not statement.strip().rstrip(";").strip():
        raise ToolError("there is no statement; write one SELECT, VALUES, TABLE, SHOW or EXPLAIN")
    found = await database.select(statement, max(1, min(rows, ROWS)), BYTES)
    source = Quote(locator=f"rows {database.name}/query", text="\n".join(_lines(found)) or "no rows")
    return Result(
        text=_text(found),
        sources=(source,),
        data={"rows": len(found.rows), "columns": list(found.columns)[:100], "cut": found.cut},
        commands=(statement.strip(),),
    )


def _lines(found: Answered) -> list[str]:
    return [
        " ".join(
            f"{name}={' '.join(cell.split())}"
            for name, cell in zip(found.columns, row, strict=True)
            if cell is not None
        )
        for row in found.rows
    ]


def _text(found: Answered) -> str:
    count = f"{len(found.rows)} row{'s' * (len(found.rows) != 1)}"
    if found.cut and not found.rows:
        return f"No row was taken: one alone has more than {BYTES} characters; ask for less of it."
    head = f"{count}{' and more, which were not read' if found.cut else ''}."
    if not found.columns or not found.rows:
        named = f" Columns: {', '.join(found.columns)[:300]}" if found.columns else ""
        return f"{head}{named}"
    if len(found.columns) == 1:
        # A plan, or one long text: nothing stands beside it.
        return _kept(
            head, found.columns[0], ["-" if row[0] is None else str(row[0]) for row in found.rows], 200
        )
    return _aligned(head, found)


def _kept(head: str, name: str, cells: Sequence[str], wide: int) -> str:
    lines = [line.replace("\t", " ")[:wide] for cell in cells for line in (cell.splitlines() or [""])]
    return "\n".join([head, *_within([name, *lines])])


def _aligned(head: str, found: Answered) -> str:
    shown = found.columns[:COLUMNS]
    cells = [[_cell(each) for each in row[:COLUMNS]] for row in found.rows]
    long = sum(1 for row in found.rows for each in row[:COLUMNS] if len(_plain(each)) > WIDE)
    names = [_cell(each) for each in shown]
    widths = [max(_width(row[at]) for row in [names, *cells]) for at in range(len(shown))]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in [names, *cells]
    ]
    tail = [f"{long} cells are cut to {WIDE} characters."] if long else []
    left = len(found.columns) - len(shown)
    tail += [f"{left} more columns are not shown: {', '.join(found.columns[COLUMNS:])[:300]}"] if left else []
    return "\n".join([head, *_within(lines), *tail])


def _within(lines: Sequence[str]) -> list[str]:
    """Lines as far as there is room; what is left out is counted."""
    kept, room = [], MOST
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        kept = [f"{lines[0][:MOST]}…"]
    left = len(lines) - len(kept)
    return [*kept, f"… {left} more lines are not shown: ask for fewer rows or columns"] if left else kept


def _plain(value: str | None) -> str:
    return "-" if value is None else " ".join(value.split())


def _cell(value: str | None) -> str:
    return cut(_plain(value), WIDE)


def _width(text: str) -> int:
    """Columns of a screen: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
