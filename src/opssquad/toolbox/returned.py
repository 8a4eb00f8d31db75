"""What a tool may return in place of the full value: text, a model, rows, a sentence, yes or no. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from opssquad.findings import Check, Quote, Result
from opssquad.types import Json, Preview, called

ROWS = 100
"""Rows of a table that are told; the others are counted."""


def as_result(name: str, value: Any) -> Result:
    """The result, whole as evidence too: text as it is, a model or a mapping as `key: value` lines, several
    of them as a table."""
    if isinstance(value, Result):
        return value
    plain = _plain(value)
    text = _told(plain)
    data = plain if isinstance(plain, dict) else {"rows": plain} if isinstance(plain, list) else {}
    sources = (Quote(locator=f"answer of {name}", text=text),) if text.strip() else ()
    return Result(text=text or "nothing", sources=sources, data=data)


def as_preview(name: str, args: Json, value: Any) -> Preview:
    """The preview; a sentence is the impact of one whose risk nobody has judged."""
    if isinstance(value, Preview):
        return value
    return Preview(
        command=called(name, args), impact=str(value), risk="medium", risk_rule="the tool judges no risk"
    )


def as_check(value: Any) -> Check:
    """The check; True is better, False the same, a sentence is neither."""
    if isinstance(value, Check):
        return value
    if isinstance(value, bool):
        said = "it is as it should be" if value else "it is not as it should be"
        return Check(outcome="better" if value else "same", text=said)
    return Check(outcome="unknown", text=str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_cell(each)}" for key, each in value.items())
    if not isinstance(value, list):
        return "" if value is None else str(value)
    more = [f"… {len(value) - ROWS} more rows"] if len(value) > ROWS else []
    return "\n".join([*_table(value[:ROWS]), *more])


def _table(rows: Sequence[Any]) -> list[str]:
    if not all(isinstance(row, dict) for row in rows):
        return [_cell(row) for row in rows]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    return [
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_cell(each)}" for key, each in value.items())
    return " ".join(str(value).split()) if isinstance(value, str) else "" if value is None else str(value)
