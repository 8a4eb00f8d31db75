"""How much of a table's heap holds no row: an estimate by the planner's rows and the average width. Pure."""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

from opssquad import Json

from ._common import Place, place_of

PAGE, PAGE_HEAD = 8192, 24
"""Bytes of a page, and of its header."""
HEAD, POINTER, ALIGNED = 24, 4, 8
"""Bytes of a row's header and bitmap of nulls, of its pointer in the page; and to what rows are aligned."""
FILLED = re.compile(r"fillfactor=(\d+)")


class Bloat(NamedTuple):
    """An estimate: bytes of the heap, of it those that hold nothing, and what that rests on."""

    heap: int
    wasted: int
    rows: int
    width: int

    @property
    def share(self) -> float:
        """What is wasted of the whole."""
        return self.wasted / self.heap if self.heap else 0.0


def bloats(tables: Iterable[Json], widths: Iterable[Json]) -> dict[Place, Bloat]:
    """Estimates of those tables of which enough is known: rows of the looks `tables` and `widths`."""
    wide = {place_of(row): row for row in widths}
    found = {}
    for row in tables:
        if (estimate := _bloat(row, wide.get(place_of(row)))) is not None:
            found[place_of(row)] = estimate
    return found


def _bloat(row: Json, wide: Json | None) -> Bloat | None:
    heap, rows = int(row["heap_size"] or 0), int(row["planner_rows"] or 0)
    if wide is None or not wide["width"] or not heap or rows <= 0:
        return None
    # Columns that this login may not read have no width here: without them the rest would look wasted.
    if row.get("columns") and int(wide.get("columns") or row["columns"]) < int(row["columns"]):
        return None
    had = int(row["planner_size"] or 0)
    # The planner's rows are of the time of its pages: as many rows more as the table has grown since.
    rows = int(rows * heap / had) if had and heap > had else rows
    width = int(wide["width"])
    filled = next((int(m[1]) for each in row.get("options") or () if (m := FILLED.match(str(each)))), 100)
    takes = HEAD + POINTER + ALIGNED * math.ceil(width / ALIGNED)
    room = (PAGE - PAGE_HEAD) * filled / 100
    pages = math.ceil(rows / max(room // takes, 1))
    return Bloat(heap, max(heap - pages * PAGE, 0), rows, width)
