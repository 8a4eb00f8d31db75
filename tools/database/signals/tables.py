"""Signals about tables: dead rows, old statistics, sequential scans, too many indexes, bloat, age."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from opssquad import Json, Rows, Signal, ago

from .._bloat import Bloat
from .._common import Place, moment, percent, place_of, size
from .._common import table as table_ref
from .indexes import READ, never_read

DEAD, DEAD_SHARE = 1000, 0.2
"""Dead rows, and their share of all, from which a table has many: autovacuum comes at a fifth."""
LATE = timedelta(days=1)
"""How long a table may go without a vacuum that its dead rows ask for: autovacuum looks once a minute."""
MODIFIED, MODIFIED_SHARE = 1000, 0.3
"""Rows modified since the last analyze, and their share, from which statistics are old: autoanalyze comes at
a tenth."""
GROWN = 1.5
"""How much larger than at its last analyze a table must be for its statistics to be of another one."""
OFF_BY = 4
"""How many times as many rows, or as few, the planner counts on for its estimate to be of another table."""
LARGE = 5000
"""Rows from which a sequential scan of a table costs."""
SCANS = 5
"""Sequential scans from which a table is often read whole."""
UNUSED = 4
"""Indexes never scanned from which a table has too many."""
WRITES = 1000
"""Rows written into indexes below which nobody can tell that they cost anything."""
OLD = 1_000_000_000
"""Transactions from which the age of a table is a worry: autovacuum begins at 200 million."""
WASTED, WASTED_SHARE = 50 * 2**20, 0.5
"""Bytes of a heap that hold nothing, and their share, from which it is bloated: estimates err by a fifth."""
SWITCHED = {f"autovacuum_enabled={value}" for value in ("false", "off", "no", "0")}


def table_signals(
    tables: Rows, indexes: Rows, bloat: Mapping[Place, Bloat], started: datetime | None, now: datetime
) -> Iterator[Signal]:
    """What each table tells. `started`: since when the server runs."""
    unused: dict[Place, list[Json]] = defaultdict(list)
    for row in indexes.rows:
        if never_read(row) and row["valid"]:
            unused[place_of(row)].append(row)
    for row in tables.rows:
        yield from _dead(tables, row, started, now)
        yield from _switched_off(tables, row)
        yield from _old(tables, row)
        yield from _stale(tables, row, now)
        yield from _scanned(tables, row)
        yield from _many(tables, row, unused[place_of(row)])
        if (estimate := bloat.get(place_of(row))) is not None:
            yield from _bloated(tables, row, estimate)


def live_rows(row: Json) -> int:
    """Rows of a table as statistics count them."""
    return max(int(row["n_live_tup"] or 0), 0)


def last(row: Json, what: str) -> datetime | None:
    """When a table was last vacuumed or analyzed, by whomever."""
    times = [each for each in (moment(row, f"last_{what}"), moment(row, f"last_auto{what}")) if each]
    return max(times, default=None)


def is_off(row: Json) -> bool:
    """Whether autovacuum is switched off for the table."""
    return bool(SWITCHED & {str(each).lower() for each in row.get("options") or ()})


def _dead(tables: Rows, row: Json, started: datetime | None, now: datetime) -> Iterator[Signal]:
    dead, live, ref = int(row["n_dead_tup"] or 0), live_rows(row), table_ref(tables.name, row)
    if dead < DEAD or dead < DEAD_SHARE * (live + dead):
        return
    at, off = last(row, "vacuum"), ", for which autovacuum is off" if is_off(row) else ""
    quote = tables.quote(row, "n_live_tup", "n_mod_since_analyze")
    yield Signal(
        id="table.dead_rows",
        entity=ref,
        text=f"{ref.name}{off} has {dead} dead rows beside {live} live ones",
        data={
            "dead": dead,
            "live": live,
            "share": round(dead / (live + dead), 3),
            "table": ref.name,
            "last_vacuum": at.isoformat() if at else "",
            "last_autovacuum": row["last_autovacuum"] or "",
        },
        quotes=(quote,),
    )
    # One that was never vacuumed may be young; it is not blamed while the server is.
    known = at or started
    if known is not None and now - known >= LATE:
        when = f"last vacuumed {ago(at, now)}" if at else "never vacuumed"
        yield Signal(
            id="table.not_vacuumed",
            entity=ref,
            text=f"{ref.name} was {when}; its {dead} dead rows have asked for it",
            at=at,
            data={"table": ref.name, "dead": dead, "last_vacuum": at.isoformat() if at else ""},
            quotes=(quote, tables.quote(row, "last_vacuum", "last_autovacuum")),
        )


def _switched_off(tables: Rows, row: Json) -> Iterator[Signal]:
    if is_off(row):
        ref = table_ref(tables.name, row)
        yield Signal(
            id="table.autovacuum_off",
            entity=ref,
            text=f"autovacuum is switched off for {ref.name}",
            data={"table": ref.name, "options": row["options"]},
            quotes=(tables.quote(row, "options"),),
        )


def _old(tables: Rows, row: Json) -> Iterator[Signal]:
    # A partitioned table has no rows of its own; its age is that of the highest number there is.
    age = 0 if row.get("kind") == "p" else int(row["xid_age"] or 0)
    if age >= OLD:
        ref = table_ref(tables.name, row)
        yield Signal(
            id="table.wraparound",
            entity=ref,
            text=f"{ref.name} has rows that are {age} transactions old",
            severity="critical",
            data={"table": ref.name, "age": age},
            quotes=(tables.quote(row, "xid_age"),),
        )


def _stale(tables: Rows, row: Json, now: datetime) -> Iterator[Signal]:
    modified, live, planner = (
        int(row["n_mod_since_analyze"] or 0),
        live_rows(row),
        int(row["planner_rows"] or 0),
    )
    at, ref = last(row, "analyze"), table_ref(tables.name, row)
    many = modified >= MODIFIED and modified >= MODIFIED_SHARE * max(live, 1)
    if not many or not (at is None or _resized(row) or _far(planner, live)):
        return
    analyzed = f"analyzed {ago(at, now)}" if at else "never analyzed"
    counts = f"counts on {planner}" if planner >= 0 else "does not know how many"
    off = "; autovacuum is off for it" if is_off(row) else ""
    yield Signal(
        id="table.stale_statistics",
        entity=ref,
        text=f"{modified} rows of {ref.name}, {analyzed}, were modified since; it has {live} rows, the "
        f"planner {counts}{off}",
        data={
            "modified": modified,
            "rows": live,
            "planner_rows": planner,
            "table": ref.name,
            "last_analyze": at.isoformat() if at else "",
            "autovacuum_off": is_off(row),
        },
        quotes=(tables.quote(row, "n_live_tup", "n_mod_since_analyze"), tables.quote(row, "planner_rows")),
    )


def _far(planner: int, live: int) -> bool:
    small, large = sorted((max(planner, 1), max(live, 1)))
    return planner >= 0 and large >= MODIFIED and large >= OFF_BY * small


def _resized(row: Json) -> bool:
    """Whether the table is another size than when it was analyzed. Counters of rows may be behind; files are
    not."""
    had, has = int(row["planner_size"] or 0), int(row["heap_size"] or row["planner_size"] or 0)
    gone = int(row["n_tup_del"] or 0)
    return has >= GROWN * max(had, 1) or gone >= MODIFIED_SHARE * max(live_rows(row) + gone, 1)


def _scanned(tables: Rows, row: Json) -> Iterator[Signal]:
    scans, read, ref = int(row["seq_scan"] or 0), int(row["seq_tup_read"] or 0), table_ref(tables.name, row)
    if scans < SCANS or live_rows(row) < LARGE or read / scans < 0.5 * live_rows(row):
        return
    yield Signal(
        id="table.sequential_scans",
        entity=ref,
        text=f"{ref.name} was read whole {scans} times, {read // scans} rows a time",
        severity="info",
        data={"scans": scans, "rows": live_rows(row), "rows_per_scan": read // scans, "table": ref.name},
        quotes=(tables.quote(row, "seq_scan", "seq_tup_read"),),
    )


def _many(tables: Rows, row: Json, unused: Sequence[Json]) -> Iterator[Signal]:
    """Many indexes that nobody reads, while rows are written in a way that touches them. Of a table that
    nobody reads yet, as one just loaded, nothing is known."""
    updated, hot = int(row["n_tup_upd"] or 0), int(row["n_tup_hot_upd"] or 0)
    writes = updated + int(row["n_tup_ins"] or 0) + int(row["n_tup_del"] or 0)
    reads, ref = int(row["seq_scan"] or 0) + int(row["idx_scan"] or 0), table_ref(tables.name, row)
    if len(unused) < UNUSED or 2 * len(unused) < int(row["indexes"]) or writes - hot < WRITES or reads < READ:
        return
    cost = sum(int(each["size"] or 0) for each in unused)
    yield Signal(
        id="table.many_indexes",
        entity=ref,
        text=f"{len(unused)} of the {row['indexes']} indexes of {ref.name} were never read ({size(cost)}), "
        f"while {writes} rows were written; {percent(hot, updated)} of the updates did without touching an "
        f"index",
        data={
            "indexes": row["indexes"],
            "unused": len(unused),
            "writes": writes,
            "hot_share": round(hot / updated, 3) if updated else None,
            "names": [each["index"] for each in unused],
            "table": ref.name,
        },
        quotes=(tables.quote(row, "n_tup_ins", "n_tup_hot_upd"), tables.quote(row, "indexes")),
    )


def _bloated(tables: Rows, row: Json, estimate: Bloat) -> Iterator[Signal]:
    if estimate.wasted < WASTED or estimate.share < WASTED_SHARE:
        return
    ref = table_ref(tables.name, row)
    yield Signal(
        id="table.bloated",
        entity=ref,
        text=f"about {size(estimate.wasted)} of the {size(estimate.heap)} of {ref.name} hold no row (an "
        f"estimate, by {estimate.rows} rows of {estimate.width} bytes)",
        severity="info",
        data={
            "table": ref.name,
            "wasted": estimate.wasted,
            "heap": estimate.heap,
            "share": round(estimate.share, 2),
            "estimated": True,
        },
        quotes=(tables.quote(row, "planner_rows", "planner_pages"),),
    )
