"""Which tables a statement reads or writes and by which columns it filters, by its words. Pure; what
cannot be told is left out."""

import re
from collections.abc import Iterable

from opssquad import Json

NAME = r'(?:"[^"]+"|[A-Za-z_][\w$]*)'
TABLES = re.compile(
    rf"\b(?:from|join|update|into)\s+(?:only\s+)?((?:{NAME}\.)?{NAME})(?:\s+(?:as\s+)?({NAME}))?",
    re.IGNORECASE,
)
FILTER = re.compile(
    rf"(?:({NAME})\.)?({NAME})\s*(?:=|in\s*\(|=\s*any\s*\()\s*(?:\$\d+|any\b|'|\d|%s|\?)", re.IGNORECASE
)
_WORDS = """where set on using order group limit left right inner outer join cross natural values select
returning as and or not full"""
WORDS = frozenset(_WORDS.split())
"""Words that may stand where an alias could."""


def tables_of(statement: str, known: Iterable[Json]) -> list[Json]:
    """The rows of look `tables` that the statement names, in its order."""
    rows = {f"{row['schema']}.{row['table']}": row for row in known}
    by_name: dict[str, Json] = {}
    for row in rows.values():
        by_name.setdefault(str(row["table"]), row)
    found = []
    for match in TABLES.finditer(statement):
        name = match[1].replace('"', "")
        named = rows.get(name) or by_name.get(name.rpartition(".")[2])
        if named is not None and named not in found:
            found.append(named)
    return found


def filters_of(statement: str, table: Json) -> list[str]:
    """Columns of the table that the statement compares for equality after WHERE; for a statement over several
    tables only those written with the table's name or alias."""
    aliases = {str(table["table"]).lower()}
    several = set()
    for match in TABLES.finditer(statement):
        name = match[1].replace('"', "").rpartition(".")[2].lower()
        several.add(name)
        alias = (match[2] or "").replace('"', "").lower()
        if name == str(table["table"]).lower() and alias and alias not in WORDS:
            aliases.add(alias)
    _, _, rest = re.sub(r"\bWHERE\b", "where", statement, flags=re.IGNORECASE).partition("where")
    found = []
    for match in FILTER.finditer(rest):
        owner, column = (match[1] or "").replace('"', "").lower(), match[2].replace('"', "")
        if column.lower() in WORDS or (owner and owner not in aliases) or (not owner and len(several) > 1):
            continue
        if column not in found:
            found.append(column)
    return found
