"""Signals about statements: slower now than they were, or taking most of the time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from opssquad import Json, Ref, Rows, Signal

from .._common import client, database_ref, query_text, role, size
from .._common import table as table_ref
from .._statements import Names

RATIO, FLOOR = 3.0, 5.0
"""A statement is slower now when its mean is so many times what it was, and at least so many milliseconds."""
CALLS = 3
"""Calls in between two looks below which a mean says little, unless they take long."""
LONG = 1000.0
"""Milliseconds in between two looks that even a single call makes tell."""
SHARE = 0.5
"""The share of all time that one statement takes to dominate."""
BLOCKS = 20.0
"""Blocks for a row from which a statement reads much for what it gives: a row by an index takes four."""
WRITTEN = 4 * 2**20
"""Bytes of WAL below which nobody writes much."""
BUSY = 1000.0
"""Milliseconds in all below which nothing dominates."""


class Moved(NamedTuple):
    """What was done of a statement in between two looks. `was` is its row of the first, None where it was not
    there; `mean` and `total` are milliseconds, `blocks` those read or hit in a call."""

    row: Json
    was: Json | None
    calls: int
    mean: float
    total: float
    blocks: float


def moved(before: Rows, now: Rows) -> list[Moved]:
    """What was done of each statement in between, what took longest first. Where statistics were reset in
    between nothing is known."""
    was = {_key(row): row for row in before.rows}
    found = [_moved(was.get(_key(row)), row) for row in now.rows]
    return sorted((each for each in found if each.calls > 0), key=lambda each: -each.total)


def _key(row: Json) -> tuple[object, ...]:
    """One statement is counted apart for each role, and for calls from within functions."""
    return row["id"], row["role"], row.get("toplevel")


def _moved(was: Json | None, row: Json) -> Moved:
    first = was or {}
    calls = int(row["calls"]) - int(first.get("calls") or 0)
    total = float(row["total_ms"]) - float(first.get("total_ms") or 0)
    blocks = _blocks(row) - _blocks(first)
    if calls <= 0 or total < 0:
        return Moved(row, was, 0, 0.0, 0.0, 0.0)
    return Moved(row, was, calls, total / calls, total, max(blocks, 0) / calls)


def _blocks(row: Json) -> int:
    return int(row.get("shared_blks_hit") or 0) + int(row.get("shared_blks_read") or 0)


def statement_signals(before: Rows, now: Rows, names: Names) -> Iterator[Signal]:
    """What two looks tell; of one look (`before` is `now`) only what dominates."""
    for each in moved(before, now):
        yield from _slower(now, each, names)
    yield from _dominates(now, names)


def _slower(now: Rows, each: Moved, names: Names) -> Iterator[Signal]:
    if each.was is None or int(each.was["calls"]) == 0:
        return
    usual, row = _usual(each.was), each.row
    few = each.calls < CALLS and each.total < LONG
    least = max(RATIO * usual, float(each.was["mean_ms"]), FLOOR)
    if few or usual <= 0 or each.mean < least:
        return
    ref, named = about(now.name, row, names)
    yield Signal(
        id="statement.slower_now",
        entity=ref,
        text=f"takes {each.mean:.0f} ms now ({each.calls} calls) and took {usual:.1f} ms before: "
        f"{query_text(row, 120)}",
        data={
            **_data(row, named),
            "calls": each.calls,
            "mean_ms": round(each.mean, 1),
            "mean_before_ms": round(usual, 2),
            "ratio": round(each.mean / usual, 1),
            "blocks_now": round(each.blocks, 1),
            "blocks_before": round(_blocks(each.was) / int(each.was["calls"]), 1),
        },
        quotes=(now.quote(row, "calls", "rows"), now.quote(row, "query")),
    )


def _usual(was: Json) -> float:
    """What a call took before: the mean since statistics began. Where it varied much the fast calls say what
    it takes when all is well: mean less one deviation, at least a fifth of the mean."""
    mean, spread = float(was["mean_ms"]), float(was.get("stddev_ms") or 0)
    return max(mean - spread, mean / 5)


def _dominates(now: Rows, names: Names) -> Iterator[Signal]:
    total = sum(float(row["total_ms"]) for row in now.rows)
    if total < BUSY:
        return
    row = max(now.rows, key=lambda each: float(each["total_ms"]))
    share, each_row = float(row["total_ms"]) / total, _blocks(row) / max(int(row["rows"] or 0), 1)
    if share < SHARE or each_row < BLOCKS:
        return
    ref, named = about(now.name, row, names)
    yield Signal(
        id="statement.dominates",
        entity=ref,
        text=f"takes {100 * share:.0f} % of all time, {float(row['mean_ms']):.1f} ms a call, and touches "
        f"{each_row:.0f} blocks for a row: {query_text(row, 120)}",
        severity="info",
        data={**_data(row, named), "share": round(share, 3), "blocks_per_row": round(each_row, 1)},
        quotes=(now.quote(row, "calls", "shared_blks_read"), now.quote(row, "query")),
    )


def wal_signals(before: Rows, now: Rows, sessions: Rows) -> Iterator[Signal]:
    """Who writes most of the WAL between the looks; since statistics began where nothing ran meanwhile."""
    was = {_key(row): int(row.get("wal_bytes") or 0) for row in before.rows}
    if before.rows == now.rows:
        was = {}
    written = [(int(row.get("wal_bytes") or 0) - was.get(_key(row), 0), row) for row in now.rows]
    total = sum(max(amount, 0) for amount, _ in written)
    if total < WRITTEN:
        return
    amount, row = max(written, key=lambda each: each[0])
    if amount < SHARE * total:
        return
    names = Counter(client(now.name, each) for each in sessions.rows if each.get("role") == row["role"])
    ref = names.most_common(1)[0][0] if names else role(str(row["role"]))
    yield Signal(
        id="statement.writes_wal",
        entity=ref,
        text=f"{ref.name} writes {100 * amount / total:.0f} % of the WAL ({size(amount)}) by: "
        f"{query_text(row, 100)}",
        data={"role": row["role"], "client": ref.name, "bytes": amount, "statement": query_text(row, 300)},
        quotes=(now.quote(row, "calls", "wal_bytes"), now.quote(row, "query")),
    )


def about(name: str, row: Json, names: Names) -> tuple[Ref, list[str]]:
    """The table that a statement is mainly about, and all that it names."""
    found = names.tables(str(row.get("query") or ""))
    named = [f"{each['schema']}.{each['table']}" for each in found]
    return (table_ref(name, found[0]) if found else database_ref(name)), named


def _data(row: Json, named: list[str]) -> Json:
    facts: Mapping[str, object] = {
        "key": row["id"],
        "id": row["id"],
        "query": query_text(row, 300),
        "role": row["role"],
        "calls": row["calls"],
        "mean_ms": round(float(row["mean_ms"]), 2),
        "tables": named,
        "table": named[0] if named else "",
    }
    return dict(facts)
