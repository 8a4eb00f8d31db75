"""Signals about indexes that are there: invalid, never used, twice there."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from opssquad import Json, Rows, Signal, ago

from .._common import Place, moment, place_of, size
from .._common import index as index_ref
from .._common import table as table_ref
from .._definitions import Definition, definition
from .._statements import Names

READ, WRITES = 50, 1000
"""Scans and written rows of a table from which it is known which of its indexes are used, and that those that
are not cost something."""
TOLD = 100
"""Signals of one kind at most: of thousands of indexes the largest count."""


@dataclass(frozen=True)
class Seen:
    """All that is looked at to judge indexes."""

    tables: Rows
    indexes: Rows
    statements: Rows
    sessions: Rows
    columns: Rows
    foreign_keys: Rows
    progress: Rows
    databases: Rows
    now: datetime

    @cached_property
    def names(self) -> Names:
        """Tables by name. Columns that are not all known help with none."""
        return Names(self.tables.rows, () if self.columns.cut else self.columns.rows)

    @cached_property
    def by_table(self) -> dict[Place, list[tuple[Json, Definition | None]]]:
        """The indexes of each table; those of its partitions count for a partitioned table."""
        found: dict[Place, list[tuple[Json, Definition | None]]] = defaultdict(list)
        roots = {
            place_of(row): (row["root_schema"], row["root"]) for row in self.tables.rows if row.get("root")
        }
        for row in self.indexes.rows:
            each = (row, definition(row))
            found[place_of(row)].append(each)
            if (root := roots.get(place_of(row))) is not None:
                found[root].append(each)
        return found

    @cached_property
    def building(self) -> set[str]:
        """Tables on which an index is being built, as `progress` writes them."""
        return {str(row["relation"]) for row in self.progress.rows if row["what"] == "create index"}

    def is_building(self, row: Json) -> bool:
        """Whether an index is being built on the row's table. The schema is written or not."""
        names = (str(row["table"]), f"{row['schema']}.{row['table']}")
        return any(name.replace('"', "") in names for name in self.building)

    @cached_property
    def counted(self) -> datetime | None:
        """Since when scans are counted; None where they were never reset."""
        own = [row for row in self.databases.rows if row["database"] == self.databases.name]
        return moment(own[0], "stats_reset") if own else None


def index_signals(seen: Seen) -> Iterator[Signal]:
    """What is wrong with indexes, the worst first."""
    for row in seen.indexes.rows:
        if not row["valid"] and not seen.is_building(row):
            yield _invalid(seen.indexes, row)
    yield from _unused(seen)
    yield from _duplicates(seen)


def _invalid(indexes: Rows, row: Json) -> Signal:
    ref, owner = index_ref(indexes.name, row), table_ref(indexes.name, row)
    return Signal(
        id="index.invalid",
        entity=ref,
        owner=owner,
        text=f"index {ref.name} is invalid ({size(row['size'])}): a concurrent build of it failed; no query "
        f"uses it, every write maintains it",
        data={"index": ref.name, "table": owner.name, "size": row["size"], "ready": row["ready"]},
        quotes=(indexes.quote(row, "table", "ready"),),
    )


def never_read(row: Json) -> bool:
    """Whether the index is one that only reads need, and none did."""
    return not row["scans"] and not row["unique"] and not row["constraint"]


def _unused(seen: Seen) -> Iterator[Signal]:
    rows, told = {place_of(row): row for row in seen.tables.rows}, 0
    since = f"since {ago(seen.counted, seen.now)}" if seen.counted else "since statistics began"
    for row in seen.indexes.rows:
        table = rows.get(place_of(row))
        if not row["valid"] or not never_read(row) or table is None or told >= TOLD:
            continue
        if _reads(table) < READ or int(table["n_tup_ins"] or 0) + int(table["n_tup_upd"] or 0) < WRITES:
            continue
        told += 1
        ref, owner = index_ref(seen.indexes.name, row), table_ref(seen.indexes.name, row)
        yield Signal(
            id="index.unused",
            entity=ref,
            owner=owner,
            text=f"index {ref.name} ({size(row['size'])}) was never read {since}, while {owner.name} was "
            f"read {_reads(table)} times",
            severity="info",
            data={
                "index": ref.name,
                "table": owner.name,
                "size": row["size"],
                "since": seen.counted.isoformat() if seen.counted else "",
            },
            quotes=(seen.indexes.quote(row, "index", "scans"),),
        )


def _reads(table: Json) -> int:
    return int(table["seq_scan"] or 0) + int(table["idx_scan"] or 0)


def _duplicates(seen: Seen) -> Iterator[Signal]:
    told = 0
    for place in dict.fromkeys(place_of(row) for row in seen.indexes.rows):
        mine = [(row, each) for row, each in seen.by_table[place] if each and row["valid"]]
        mine = [pair for pair in mine if place_of(pair[0]) == place]
        for signal in _of_table(seen.indexes, mine):
            told += 1
            if told <= TOLD:
                yield signal


def _of_table(indexes: Rows, mine: Sequence[tuple[Json, Definition]]) -> Iterator[Signal]:
    """Indexes of one table that another one makes needless: the same keys, or the first of its keys."""
    gone: set[str] = set()
    # What must stay comes last: unique ones, those of constraints, wider ones.
    order = sorted(mine, key=lambda pair: (pair[0]["constraint"], pair[0]["unique"], len(pair[1].keys)))
    for row, each in order:
        if row["constraint"]:
            continue
        for other, wider in order:
            if other is row or other["index"] in gone or not _covers(wider, each):
                continue
            if row["unique"] and not (other["unique"] and wider.keys == each.keys):
                # It keeps a rule that the other one does not.
                continue
            gone.add(str(row["index"]))
            yield _duplicate(indexes, row, other, exact=wider.keys == each.keys)
            break


def _covers(wider: Definition, each: Definition) -> bool:
    """Whether all that one index is good for the wider one is good for too."""
    if (wider.method, wider.condition) != (each.method, each.condition):
        return False
    if not set(each.included) <= {*wider.included, *wider.keys}:
        return False
    if wider.keys == each.keys:
        return True
    return each.method == "btree" and wider.keys[: len(each.keys)] == each.keys


def _duplicate(indexes: Rows, row: Json, other: Json, exact: bool) -> Signal:
    ref, owner = index_ref(indexes.name, row), table_ref(indexes.name, row)
    how = "has the same keys as" if exact else "has only the first keys of"
    return Signal(
        id="index.duplicate",
        entity=ref,
        owner=owner,
        text=f"index {ref.name} ({size(row['size'])}) {how} {other['index']}, which does for both",
        severity="info",
        data={
            "index": ref.name,
            "other": f"{other['schema']}.{other['index']}",
            "table": owner.name,
            "exact": exact,
            "size": row["size"],
        },
        quotes=(indexes.quote(row, "index", "definition"), indexes.quote(other, "index", "definition")),
    )
