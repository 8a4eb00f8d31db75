"""Signals about statements: slower now than they were, or taking most of the time."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from opssquad import Json, Ref, Rows, Signal

from .._common import client, database_ref, query_text, role, size
from .._common import table as table_ref
from .._statements import tables_of

RATIO, FLOOR = 3.0, 5.0
"""A statement is slower now when its mean is so many times what it was, and at least so many milliseconds."""
CALLS = 3
"""Calls in between two looks below which a mean says little."""
SHARE = 0.5
"""The share of all time that one statement takes to dominate."""
WRITTEN = 4 * 2**20
"""Bytes of WAL below which nobody writes much."""
BUSY = 1000.0
"""Milliseconds in all below which nothing dominates."""


def statement_signals(before: Rows, now: Rows, tables: Sequence[Json]) -> Iterator[Signal]:
    """What two looks tell; of one look (`before` is `now`) only what dominates."""
    was = {row["id"]: row for row in before.rows}
    for row in now.rows:
        yield from _slower(now, was.get(row["id"]), row, tables)
    yield from _dominates(now, tables)


def delta(was: Json | None, row: Json) -> tuple[int, float]:
    """Calls and their mean in milliseconds between the looks."""
    calls = int(row["calls"]) - int(was["calls"] if was else 0)
    spent = float(row["total_ms"]) - float(was["total_ms"] if was else 0)
    return calls, spent / calls if calls > 0 else 0.0


def _slower(now: Rows, was: Json | None, row: Json, tables: Sequence[Json]) -> Iterator[Signal]:
    if was is None:
        return
    calls, mean = delta(was, row)
    least = _usual(was)
    if calls < CALLS or mean < FLOOR or least <= 0 or mean < RATIO * least:
        return
    ref, named = about(now.name, row, tables)
    yield Signal(
        id="statement.slower_now",
        entity=ref,
        owner=ref,
        text=f"takes {mean:.0f} ms now and took {least:.1f} ms before: {query_text(row, 120)}",
        data={
            **_data(row, named),
            "mean_now": round(mean, 1),
            "mean_before": round(least, 2),
            "calls_now": calls,
        },
        quotes=(now.quote(row, "calls", "rows"), now.quote(row, "query")),
    )


def _usual(was: Json) -> float:
    """What a call took before: the mean since statistics began. Where it varied much the fast calls say what
    it takes when all is well: mean less one deviation, at least a fifth of the mean."""
    mean, spread = float(was["mean_ms"]), float(was.get("stddev_ms") or 0)
    return max(mean - spread, mean / 5)


def _dominates(now: Rows, tables: Sequence[Json]) -> Iterator[Signal]:
    total = sum(float(row["total_ms"]) for row in now.rows)
    if total < BUSY:
        return
    row = max(now.rows, key=lambda each: float(each["total_ms"]))
    if float(row["total_ms"]) < SHARE * total:
        return
    ref, named = about(now.name, row, tables)
    yield Signal(
        id="statement.dominates",
        entity=ref,
        owner=ref,
        text=f"takes {100 * float(row['total_ms']) / total:.0f} % of all time, "
        f"{float(row['mean_ms']):.1f} ms a "
        f"call: {query_text(row, 120)}",
        severity="info",
        data=_data(row, named),
        quotes=(now.quote(row, "calls", "rows"), now.quote(row, "query")),
    )


def wal_signals(before: Rows, now: Rows, sessions: Rows) -> Iterator[Signal]:
    """Who writes most of the WAL between the looks; since statistics began where nothing ran meanwhile."""
    was = {row["id"]: int(row.get("wal_bytes") or 0) for row in before.rows}
    if before.rows == now.rows:
        was = {}
    written = [(int(row.get("wal_bytes") or 0) - was.get(row["id"], 0), row) for row in now.rows]
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
        owner=ref,
        text=f"{ref.name} writes {100 * amount / total:.0f} % of the WAL ({size(amount)}) by: "
        f"{query_text(row, 100)}",
        data={"role": row["role"], "client": ref.name, "bytes": amount, "statement": query_text(row, 300)},
        quotes=(now.quote(row, "calls", "wal_bytes"), now.quote(row, "query")),
    )


def about(name: str, row: Json, tables: Sequence[Json]) -> tuple[Ref, list[str]]:
    """The table that a statement is mainly about, and all that it names."""
    found = tables_of(str(row.get("query") or ""), tables)
    named = [f"{each['schema']}.{each['table']}" for each in found]
    return (table_ref(name, found[0]) if found else database_ref(name)), named


def _data(row: Json, named: list[str]) -> Json:
    facts: Mapping[str, object] = {
        "key": row["id"],
        "id": row["id"],
        "statement": query_text(row, 300),
        "role": row["role"],
        "calls": row["calls"],
        "mean_ms": round(float(row["mean_ms"]), 2),
        "tables": named,
        "table": named[0] if named else "",
    }
    return dict(facts)
