"""The tool `query`: one statement of one's own that only reads."""

from typing import Annotated

from opssquad import Answered, Database, Quote, Result, tool

from .._text import table

WIDE, MOST = 60, 5000
"""Characters of one cell, and of all, that are shown."""


@tool(effect="read")
async def query(
    database: Database,
    statement: Annotated[str, "one SELECT, SHOW or EXPLAIN; it must provably only read"],
    rows: Annotated[int, "at most"] = 50,
) -> Result:
    """Run one read-only statement, in a read-only transaction with a timeout, and show its rows."""
    found = await database.select(statement, max(1, min(rows, 500)))
    text = _text(found)
    source = Quote(locator=f"rows {database.name}/query", text="\n".join(_lines(found)) or "no rows")
    return Result(text=text, sources=(source,), data={"rows": len(found.rows)}, commands=(statement.strip(),))


def _lines(found: Answered) -> list[str]:
    return [
        " ".join(f"{name}={cell}" for name, cell in zip(found.columns, row, strict=True) if cell is not None)
        for row in found.rows
    ]


def _text(found: Answered) -> str:
    count = f"{len(found.rows)} rows" if len(found.rows) != 1 else "1 row"
    head = f"{count}{' and more' if found.cut else ''}."
    shown, room = [head], MOST
    cells = [[_cell(each) for each in row] for row in found.rows]
    for line in table(list(found.columns), cells, "") if found.columns else []:
        room -= len(line)
        if room < 0:
            shown.append("… (cut: ask for fewer rows or columns)")
            break
        shown.append(line)
    return "\n".join(shown)


def _cell(value: str | None) -> str:
    if value is None:
        return "-"
    one = " ".join(value.split())
    return one if len(one) <= WIDE else f"{one[: WIDE - 1]}…"
