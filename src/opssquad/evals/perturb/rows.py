"""What a recorded database names: its own tables, clients, roles and slots, as far as its looks show them."""

import re
from collections.abc import Iterator

from opssquad.types import Json

NAMED = (
    ("server", "database"),
    ("tables", "schema"),
    ("tables", "table"),
    ("sessions", "application"),
    ("roles", "role"),
    ("slots", "slot"),
    ("changed_objects", "name"),
)
"""Looks and the columns of theirs that hold a name; tables first, after which much else is called."""
OWN = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*")
"""A name that somebody chose. Programs for people write theirs with capitals, spaces and versions."""


def looked(rows: list[Json], look: str) -> list[Json]:
    """The rows of a look."""
    return [line["row"] for line in rows if line["look"] == look and "row" in line]


def named_in_rows(rows: list[Json]) -> Iterator[str]:
    """Every name of the organisation's own that the rows hold."""
    for look, column in NAMED:
        for row in looked(rows, look):
            if OWN.fullmatch(name := str(row.get(column) or "")):
                yield name
