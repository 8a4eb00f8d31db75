"""Values to the text of a row and back; whether a table is there."""

import json
import sqlite3
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from opssquad.errors import StoreError
from opssquad.types import Value

T = TypeVar("T")


def dump(value: Value) -> str:
    """The value as JSON in ASCII, whatever characters it holds."""
    return json.dumps(value.model_dump(mode="json"), separators=(",", ":"))


def parse(kind: type[T] | TypeAdapter[T], text: str, what: str) -> T:
    """The value of that text. Raises StoreError that names `what` cannot be read."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    try:
        return adapter.validate_python(json.loads(text))
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        raise StoreError(
            f"{what} on disk cannot be read; see `opssquad audit verify`, or restore a copy"
        ) from error


def has_table(c: sqlite3.Connection, name: str) -> bool:
    """Whether the database has that table: one of an older version may not."""
    return c.execute("select 1 from sqlite_master where name = ?", (name,)).fetchone() is not None
