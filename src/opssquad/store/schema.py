"""Brings a database to the steps of `migrations`, and refuses one that they did not make.

Which steps were applied, when and by which version stands in the table `steps`; `user_version` is their
number, by which a program of before there were names knows that the file is newer.
"""

import sqlite3
from pathlib import Path

from opssquad import __version__
from opssquad.errors import StoreError
from opssquad.store.migrations import APPLICATION_ID, MIGRATIONS, NUMBERED
from opssquad.store.rows import has_table
from opssquad.times import rfc3339, wall_clock

_TABLE = (
    "create table if not exists steps (position integer primary key, name text not null unique,"
    " applied_at text not null, applied_by text not null)"
)


def standing(c: sqlite3.Connection, path: Path) -> int:
    """How many of the steps stand on disk, 0 for a new file. Raises StoreError for a database of another
    program, of a newer version of this one, or whose steps are not those of any version."""
    version, owner, tables = (
        int(c.execute(sql).fetchone()[0])
        for sql in ("pragma user_version", "pragma application_id", "select count(*) from sqlite_master")
    )
    if owner != APPLICATION_ID:
        if tables or version or owner:
            raise StoreError(f"{path} is a database of another program; choose another state folder")
        return 0
    known = [step.name for step in MIGRATIONS]
    names = applied(c)
    if newer := [name for name in names if name not in known]:
        raise _newer(path, f"step {newer[0]!r} of its schema is not known here")
    if version > len(known):
        raise _newer(path, f"schema {version}, this one knows {len(known)}")
    _refuse_a_gap(path, names, version)
    return version


def applied(c: sqlite3.Connection) -> list[str]:
    """The names of the steps on disk in the order they were applied; none where only their number is kept."""
    if not has_table(c, "steps"):
        return []
    return [str(name) for (name,) in c.execute("select name from steps order by position")]


def complete(c: sqlite3.Connection, path: Path) -> bool:
    """Whether nothing is left to apply, so that a full disk can be looked at. Raises StoreError."""
    return standing(c, path) == len(MIGRATIONS) == len(applied(c))


def bring_up(c: sqlite3.Connection, path: Path) -> None:
    """Apply the steps that are missing, inside the transaction of the caller. Raises StoreError."""
    # Another process may have applied them since the first look.
    done = standing(c, path)
    c.execute(_TABLE)
    noted = len(applied(c))
    for position, step in enumerate(MIGRATIONS, 1):
        if position > done:
            for statement in step.statements:
                c.execute(statement)
        if position > noted:
            by = __version__ if position > done else f"before names were kept; noted by {__version__}"
            row = (position, step.name, rfc3339(wall_clock()), by)
            c.execute("insert into steps values (?, ?, ?, ?)", row)
    c.execute(f"pragma application_id = {APPLICATION_ID}")
    c.execute(f"pragma user_version = {len(MIGRATIONS)}")


def _newer(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path} was written by a newer opssquad ({why}); update opssquad, or choose another state folder"
    )


def _refuse_a_gap(path: Path, names: list[str], version: int) -> None:
    """Steps without one that comes before them, in another order, or of another number than is told."""
    expected = [step.name for step in MIGRATIONS[:version]]
    if names == expected or (not names and version <= NUMBERED):
        return
    pairs = zip([*expected, "none"], [*names, "none"], strict=False)
    place, (due, found) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    raise StoreError(
        f"{path}: step {place} of its schema should be {due!r} and is {found!r}; no opssquad made it so:"
        " restore a copy, or choose another state folder"
    )
