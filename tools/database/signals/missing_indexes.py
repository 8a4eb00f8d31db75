"""Signals about indexes that are not there: statements and foreign keys would need them."""

import re
from collections.abc import Iterator, Sequence

from opssquad import Json, Rows, Signal

from .._common import place_of
from .._common import table as table_ref
from .._definitions import Definition
from .indexes import Seen
from .tables import LARGE, SCANS

SLOW = 1.0
"""Milliseconds a call below which a statement misses nothing."""
WIDEST = 3
"""Columns of an index that is missing: more hardly narrow down further."""
NO_COLUMN = frozenset({"is", "not", "null", "and", "or"})


def missing_indexes(seen: Seen) -> Iterator[Signal]:
    """What is missing, by what costs most."""
    yield from _missing(seen)
    yield from _foreign(seen)


def _missing(seen: Seen) -> Iterator[Signal]:
    told: set[tuple[str, str]] = set()
    for look in (seen.statements, seen.sessions):
        for row in sorted(look.rows, key=lambda each: -float(each.get("total_ms") or 0)):
            signal = _missed(seen, look, row)
            if signal and (key := (signal.data["table"], signal.data["column"])) not in told:
                told.add(key)
                yield signal


def _missed(seen: Seen, look: Rows, row: Json) -> Signal | None:
    """That a statement which costs reads a large table whole by columns no index begins with."""
    running = "calls" not in row
    if running and (row["state"] != "active" or row["database"] != look.name):
        return None
    if not running and float(row["mean_ms"]) < SLOW:
        return None
    statement = str(row.get("query") or "")
    for table in seen.names.tables(statement):
        if int(table["seq_scan"] or 0) < SCANS or int(table["n_live_tup"] or 0) < LARGE:
            continue
        columns = seen.names.filters(statement, table)
        # A statement that filters by a column with an index has its index.
        if columns and not _indexed(seen.by_table[place_of(table)], set(columns), statement):
            return _lacking(seen, look, row, table, columns)
    return None


def _indexed(mine: Sequence[tuple[Json, Definition | None]], columns: set[str], statement: str) -> bool:
    """Whether a valid index begins with one of the columns; also where an index could not be read. A partial
    one counts where the statement speaks of a column of its condition."""
    words = set(re.findall(r"\w+", statement.lower()))
    for row, each in mine:
        if each is None:
            return True
        about = set(re.findall(r"[^\W\d]\w*", each.condition.lower())) - NO_COLUMN
        if row["valid"] and each.leading in columns and (not about or about & words):
            return True
    return False


def _lacking(seen: Seen, look: Rows, row: Json, table: Json, columns: Sequence[str]) -> Signal:
    ref, statement = table_ref(seen.tables.name, table), " ".join(str(row["query"]).split())
    calls = f"{row['calls']} calls of {float(row['mean_ms']):.1f} ms" if "calls" in row else "running now"
    part = max(table.get("parts") or [table], key=lambda each: int(each["n_live_tup"] or 0))
    return Signal(
        id="index.missing",
        entity=ref,
        text=f"no index of {ref.name} begins with {' or '.join(columns[:WIDEST])}, by which it is filtered "
        f"({calls}): {statement[:120]}",
        data={
            "key": columns[0],
            "schema": table["schema"],
            "table": ref.name,
            "column": columns[0],
            "columns": list(columns[:WIDEST]),
            "statement": statement[:300],
            "calls": int(row.get("calls") or 0),
            "scans": table["seq_scan"],
            "rows": table["n_live_tup"],
        },
        quotes=(look.quote(row), seen.tables.quote(part, "seq_scan", "seq_tup_read")),
    )


def _foreign(seen: Seen) -> Iterator[Signal]:
    """Foreign keys without an index, on tables large enough that looking for references costs: with each row
    that the other table loses, the whole table is read."""
    rows = {place_of(row): row for row in seen.names.rows}
    keys = seen.foreign_keys
    for key in keys.rows:
        table = rows.get(place_of(key))
        columns = key.get("columns")
        if key["indexed"] or not columns or table is None or int(table["n_live_tup"] or 0) < LARGE:
            continue
        ref = table_ref(keys.name, key)
        other = rows.get((str(key.get("refers_schema") or ""), str(key["refers_to"])))
        deleted = int(other["n_tup_del"] or 0) if other else 0
        yield Signal(
            id="index.foreign_key_missing",
            entity=ref,
            text=f"no index of {ref.name} ({table['n_live_tup']} rows) begins with {', '.join(columns)} of "
            f"foreign key {key['name']}; {deleted} rows were deleted of {key['refers_to']}, each of which "
            f"reads it whole",
            severity="warning" if deleted >= SCANS else "info",
            data={
                "table": ref.name,
                "columns": columns,
                "name": key["name"],
                "refers_to": key["refers_to"],
                "deleted": deleted,
                "rows": table["n_live_tup"],
            },
            quotes=(keys.quote(key),),
        )
