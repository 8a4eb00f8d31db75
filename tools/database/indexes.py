"""The tool `indexes`: which are unused, invalid or twice there, and which statements would need."""

from collections import defaultdict
from typing import Annotated

from opssquad import Database, Json, Result, Rows, tool

from ._common import missing, one_table, size, sources, unread
from .signals.tables import index_signals

MOST = 12


@tool(effect="read")
async def indexes(database: Database, table: Annotated[str, "of one table"] = "") -> Result:
    """Indexes: unused, duplicate, invalid, and missing by the evidence of statements and scans."""
    own = await one_table(database, table) if table else None
    looks = [await database.rows(name) for name in ("tables", "indexes", "statements", "sessions")]
    signals = tuple(index_signals(*looks))
    if own:
        name = f"{own['schema']}.{own['table']}"
        signals = tuple(each for each in signals if each.owner.name == name)
    found = looks[1]
    text = [f"{len(found.rows)} indexes{' or more' if found.cut else ''}."]
    for id in ("index.missing", "index.invalid", "index.unused"):
        those = [each for each in signals if each.id == id]
        text += [f"{id}: {each.text}" for each in those[:MOST]]
        text += [f"  and {len(those) - MOST} more"] if len(those) > MOST else []
    text += _twice(found)
    return Result(
        text="\n".join([*text, *missing(looks)]),
        sources=sources(looks),
        data=unread(looks),
        signals=signals,
        commands=("select * from pg_stat_user_indexes order by idx_scan",),
    )


def _twice(found: Rows) -> list[str]:
    """Indexes of one table over the same columns in the same way."""
    alike: dict[tuple[str, str, str], list[Json]] = defaultdict(list)
    for row in found.rows:
        _, _, how = str(row.get("definition") or "").partition(" USING ")
        if how:
            alike[row["schema"], row["table"], how].append(row)
    return [
        f"twice: {', '.join(str(each['index']) for each in those)} on {schema}.{table} "
        f"({size(those[0]['size'])} each)"
        for (schema, table, _), those in alike.items()
        if len(those) > 1
    ]
