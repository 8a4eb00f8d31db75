"""Signals about tables: dead rows, old statistics, sequential scans, indexes that are missing or too many."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from opssquad import Json, Rows, Signal

from .._common import index as index_ref
from .._common import moment, percent, size
from .._common import table as table_ref
from .._statements import filters_of, tables_of

DEAD, DEAD_SHARE = 1000, 0.2
"""Dead rows, and their share of all, from which a table has many: autovacuum comes at a fifth."""
MODIFIED, MODIFIED_SHARE = 1000, 0.3
"""Rows modified since the last analyze, and their share, from which statistics are old: autoanalyze comes at
a tenth."""
GROWN = 1.5
"""How much larger than at its last analyze a table must be for its statistics to be of another one."""
LARGE = 5000
"""Rows from which a sequential scan of a table costs."""
SCANS = 5
"""Sequential scans from which a table is often read whole."""
UNUSED = 4
"""Indexes never scanned from which a table has too many."""
WRITES = 1000
"""Rows written below which nobody can tell that indexes cost anything."""
OLD = 1_000_000_000
OFF = {f"autovacuum_enabled={value}" for value in ("false", "off", "no", "0")}


def table_signals(tables: Rows, indexes: Rows) -> Iterator[Signal]:
    """What each table tells."""
    unused: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in indexes.rows:
        if not row["scans"] and not row["unique"] and not row["constraint"]:
            unused[row["schema"], row["table"]].append(row)
    for row in tables.rows:
        yield from _dead(tables, row)
        yield from _stale(tables, row)
        yield from _scanned(tables, row)
        yield from _many(tables, row, unused[row["schema"], row["table"]])


def _rows(row: Json) -> int:
    return max(int(row["n_live_tup"] or 0), 0)


def _dead(tables: Rows, row: Json) -> Iterator[Signal]:
    dead, live, ref = int(row["n_dead_tup"] or 0), _rows(row), table_ref(tables.name, row)
    if dead >= DEAD and dead >= DEAD_SHARE * (live + dead):
        yield Signal(
            id="table.dead_rows",
            entity=ref,
            owner=ref,
            text=f"{ref.name} has {dead} dead rows beside {live} live ones",
            data={"dead": dead, "live": live, "share": round(dead / (live + dead), 3), "table": ref.name},
            quotes=(tables.quote(row, "n_live_tup", "n_mod_since_analyze"),),
        )
    if OFF & set(row.get("options") or ()):
        text = f"autovacuum is switched off for {ref.name}"
        quote = tables.quote(row, "options")
        yield Signal(id="table.autovacuum_off", entity=ref, owner=ref, text=text, quotes=(quote,))
    if int(row["xid_age"] or 0) >= OLD:
        text = f"{ref.name} has rows that are {row['xid_age']} transactions old"
        quote = tables.quote(row, "xid_age")
        yield Signal(
            id="table.wraparound", entity=ref, owner=ref, text=text, severity="critical", quotes=(quote,)
        )


def _stale(tables: Rows, row: Json) -> Iterator[Signal]:
    modified, live, planner = int(row["n_mod_since_analyze"] or 0), _rows(row), int(row["planner_rows"] or 0)
    ref = table_ref(tables.name, row)
    many = modified >= MODIFIED and modified >= MODIFIED_SHARE * max(live, 1)
    if not many or not (_resized(row) or _last(row) is None):
        return
    yield Signal(
        id="table.stale_statistics",
        entity=ref,
        owner=ref,
        text=f"{modified} rows of {ref.name} were modified since it was analyzed; it has {live} rows, "
        f"the planner "
        f"counts on {planner}",
        data={"modified": modified, "rows": live, "planner_rows": planner, "table": ref.name},
        quotes=(tables.quote(row, "n_live_tup", "n_mod_since_analyze"), tables.quote(row, "planner_rows")),
    )


def _resized(row: Json) -> bool:
    """Whether the table is another size than when it was analyzed. Counters of rows may be behind; files are
    not."""
    had, has = int(row["planner_size"] or 0), int(row["heap_size"] or row["planner_size"] or 0)
    gone = int(row["n_tup_del"] or 0)
    return has >= GROWN * max(had, 1) or gone >= MODIFIED_SHARE * max(_rows(row) + gone, 1)


def _last(row: Json) -> object:
    return moment(row, "last_analyze") or moment(row, "last_autoanalyze")


def _scanned(tables: Rows, row: Json) -> Iterator[Signal]:
    scans, read, ref = int(row["seq_scan"] or 0), int(row["seq_tup_read"] or 0), table_ref(tables.name, row)
    if scans < SCANS or _rows(row) < LARGE or read / scans < 0.5 * _rows(row):
        return
    yield Signal(
        id="table.sequential_scans",
        entity=ref,
        owner=ref,
        text=f"{ref.name} was read whole {scans} times, {read // scans} rows a time",
        severity="info",
        data={"scans": scans, "rows": _rows(row), "table": ref.name},
        quotes=(tables.quote(row, "seq_scan", "seq_tup_read"),),
    )


def _many(tables: Rows, row: Json, unused: Sequence[Json]) -> Iterator[Signal]:
    updated, hot = int(row["n_tup_upd"] or 0), int(row["n_tup_hot_upd"] or 0)
    writes, ref = (
        updated + int(row["n_tup_ins"] or 0) + int(row["n_tup_del"] or 0),
        table_ref(tables.name, row),
    )
    if len(unused) < UNUSED or writes < WRITES:
        return
    cost = sum(int(each["size"] or 0) for each in unused)
    yield Signal(
        id="table.many_indexes",
        entity=ref,
        owner=ref,
        text=f"{len(unused)} of the {row['indexes']} indexes of {ref.name} were never read "
        f"({size(cost)}), while "
        f"{writes} rows were written; {percent(hot, updated)} of the updates did without touching an index",
        data={
            "indexes": row["indexes"],
            "unused": len(unused),
            "writes": writes,
            "names": [u["index"] for u in unused],
        },
        quotes=(tables.quote(row, "n_tup_ins", "n_tup_hot_upd"), tables.quote(row, "indexes")),
    )


def index_signals(tables: Rows, indexes: Rows, statements: Rows, sessions: Rows) -> Iterator[Signal]:
    """Indexes that are invalid or unused, and those that statements would need."""
    for row in indexes.rows:
        ref, owner = index_ref(indexes.name, row), table_ref(indexes.name, row)
        if not row["valid"]:
            text = f"index {ref.name} is invalid: a concurrent build failed or runs"
            yield Signal(id="index.invalid", entity=ref, owner=owner, text=text, quotes=(indexes.quote(row),))
    for row in indexes.rows:
        if not row["scans"] and not row["unique"] and not row["constraint"]:
            ref, owner = index_ref(indexes.name, row), table_ref(indexes.name, row)
            text = f"index {ref.name} was never read ({size(row['size'])})"
            quote = indexes.quote(row, "index", "scans")
            data = {"index": ref.name, "size": row["size"]}
            yield Signal(
                id="index.unused",
                entity=ref,
                owner=owner,
                text=text,
                severity="info",
                data=data,
                quotes=(quote,),
            )
    yield from _missing(tables, indexes, statements, sessions)


def _missing(tables: Rows, indexes: Rows, statements: Rows, sessions: Rows) -> Iterator[Signal]:
    leading = _leading(indexes)
    told: set[tuple[str, str]] = set()
    for look in (statements, sessions):
        for row in sorted(look.rows, key=lambda each: -float(each.get("total_ms") or 0)):
            for signal in _missed(tables, leading, look, row):
                if (key := (signal.data["table"], signal.data["column"])) not in told:
                    told.add(key)
                    yield signal


def _missed(tables: Rows, leading: dict[str, set[str]], look: Rows, row: Json) -> Iterator[Signal]:
    statement = str(row.get("query") or "")
    for table in tables_of(statement, tables.rows)[:1]:
        name = f"{table['schema']}.{table['table']}"
        columns = filters_of(statement, table)
        whole = int(table["seq_scan"] or 0) >= SCANS and _rows(table) >= LARGE
        # A statement that filters by a column with an index has its index.
        if not columns or not whole or leading.get(name, set()) & set(columns):
            continue
        if look.look == "statements" and float(row["mean_ms"]) < 1.0:
            continue
        ref = table_ref(tables.name, table)
        calls = f"{row['calls']} calls of {float(row['mean_ms']):.1f} ms" if "calls" in row else "running now"
        yield Signal(
            id="index.missing",
            entity=ref,
            owner=ref,
            text=f"no index of {name} begins with {columns[0]}, by which it is filtered ({calls}): "
            f"{' '.join(statement.split())[:120]}",
            data={
                "key": columns[0],
                "table": name,
                "column": columns[0],
                "columns": columns[:1],
                "statement": statement[:300],
                "scans": table["seq_scan"],
                "rows": _rows(table),
            },
            quotes=(look.quote(row), tables.quote(table, "seq_scan", "seq_tup_read")),
        )


def _leading(indexes: Rows) -> dict[str, set[str]]:
    """By table the columns that an index begins with."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in indexes.rows:
        definition = str(row.get("definition") or "")
        _, _, inside = definition.partition(" USING ")
        _, _, listed = inside.partition("(")
        first = listed.partition(",")[0].partition(")")[0].strip().split(" ")[0].strip('"')
        if row["valid"] and first:
            found[f"{row['schema']}.{row['table']}"].add(first)
    return found
