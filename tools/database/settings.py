"""The tool `settings`: what is set differently from the default, and where."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from opssquad import Database, Json, Result, Rows, Signal, tool

from .._text import table
from ._common import cut, missing, setting, size, sources, unread

MOST, WIDE = 40, 40
"""Settings that are told, and characters of a value."""
UNITS: Mapping[str, int] = {"B": 1, "kB": 2**10, "8kB": 2**13, "MB": 2**20, "16MB": 2**24, "GB": 2**30}
"""Bytes of the units that sizes are kept in."""
SMALL_WAL = 256 * 2**20
"""Bytes of max_wal_size below which a burst of writes forces checkpoints: the default is 1 GB."""
OURS = ("client", "session")
"""Where settings come from that hold for our own session alone; what they are for others is not seen here."""


class Risk(NamedTuple):
    """A value that hurts, and how."""

    value: str
    harm: str


RISKY: Mapping[str, Risk] = {
    "autovacuum": Risk("off", "dead rows and old transactions pile up until the server stops taking writes"),
    "track_counts": Risk("off", "autovacuum does not know where to work, and no use of a table is counted"),
    "fsync": Risk("off", "a crash of the machine loses or damages data"),
    "full_page_writes": Risk("off", "a crash of the machine may leave pages half written"),
    "zero_damaged_pages": Risk("on", "damaged pages are emptied instead of reported"),
    "ignore_checksum_failure": Risk("on", "damaged pages are read as if they were whole"),
    "enable_indexscan": Risk("off", "the planner takes no plain index scan"),
}
"""What hurts the whole server, whoever uses it."""


@tool(effect="read")
async def settings(database: Database) -> Result:
    """Settings that are not the built-in default and where each was set; of roles and databases too; what
    waits for a restart."""
    looks = [await database.rows(name) for name in ("settings", "role_settings")]
    changed = [row for row in looks[0].rows if row["setting"] != row["built_in"] or row["pending_restart"]]
    changed = [row for row in changed if row["source"] not in OURS]
    signals = (*_signals(looks[0]), *_of_roles(looks[1]))
    return Result(
        text="\n".join([*_told(changed, signals), *_roles(looks[1]), *missing(looks)]),
        sources=sources(looks),
        data={"settings": {str(row["name"]): row["setting"] for row in changed}, **unread(looks)},
        signals=signals,
        commands=(
            "select name, setting, unit, source, sourcefile, pending_restart from pg_settings where source "
            "not in ('default', 'override')",
        ),
    )


def _told(changed: Sequence[Json], signals: Sequence[Signal]) -> list[str]:
    text = [f"{each.id}: {each.text}" for each in signals[:12]]
    text += [""] if text else []
    if not changed:
        return [*text, "All settings are as built in."]
    # What waits for a restart, and what somebody wrote into a file, before what the server was started with.
    order = sorted(changed, key=lambda row: (not row["pending_restart"], row["source"] == "command line"))
    lines = [
        (str(row["name"]), _value(row, "setting"), _value(row, "built_in"), _where(row))
        for row in order[:MOST]
    ]
    more = [f"and {len(order) - MOST} more"] if len(order) > MOST else []
    return [*text, *table(("SETTING", "VALUE", "BUILT IN", "SET BY"), lines, ""), *more]


def _value(row: Json, column: str) -> str:
    """A value as people write it: `128 MB`, not 16384 of 8 kB."""
    value, unit = str(row[column] if row[column] is not None else ""), str(row["unit"] or "")
    if unit in UNITS and value.isdecimal():
        return size(int(value) * UNITS[unit])
    return cut(f"{value} {unit}".strip() or "''", WIDE)


def _where(row: Json) -> str:
    """What set it: the file where that may be seen."""
    file = str(row["sourcefile"] or "").rpartition("/")[2]
    told = f"{row['source']}{f' ({file})' if file else ''}"
    return f"{told}, PENDING RESTART" if row["pending_restart"] else told


def _roles(found: Rows) -> list[str]:
    text = [
        f"  {row['role'] or 'all roles'} in {row['database'] or 'all databases'}: "
        f"{', '.join(map(str, row['settings']))[:200]}"
        for row in found.rows[:MOST]
    ]
    more = [f"  and {len(found.rows) - MOST} more"] if len(found.rows) > MOST else []
    return ["", "For roles and databases:", *text, *more] if text else []


def _signals(rows: Rows) -> Iterator[Signal]:
    for row in rows.rows:
        name, quotes = str(row["name"]), (rows.quote(row),)
        ref = setting(name)
        if row["pending_restart"]:
            yield Signal(
                id="setting.pending_restart",
                entity=ref,
                text=f"{name} was changed in the server's files and counts only after a restart; until then "
                f"it is {_value(row, 'setting')}",
                data={"name": name, "value": row["setting"]},
                quotes=quotes,
            )
        if harm := _harm(row):
            yield Signal(
                id="setting.risky",
                entity=ref,
                text=f"{name} is {_value(row, 'setting')}: {harm}",
                data={"name": name, "value": row["setting"], "harm": harm, "source": row["source"]},
                quotes=quotes,
            )


def _harm(row: Json) -> str:
    """How the value hurts; empty for one that does not."""
    name, value = str(row["name"]), str(row["setting"])
    if name == "max_wal_size" and value.isdecimal():
        small = int(value) * UNITS.get(str(row["unit"]), 2**20) < SMALL_WAL
        return "a burst of writes forces checkpoints" if small else ""
    risk = RISKY.get(name)
    return risk.harm if risk and value == risk.value else ""


def _of_roles(found: Rows) -> Iterator[Signal]:
    """What hurts is as bad where it is set for roles or databases."""
    for row in found.rows:
        for each in row["settings"]:
            name, _, value = str(each).partition("=")
            risk = RISKY.get(name)
            if risk is None or value.lower() != risk.value:
                continue
            ref, where = (
                setting(name),
                f"{row['role'] or 'all roles'} in {row['database'] or 'all databases'}",
            )
            yield Signal(
                id="setting.risky",
                entity=ref,
                text=f"{name} is {value} for {where}: {risk.harm}",
                data={"name": name, "value": value, "harm": risk.harm, "source": where},
                quotes=(found.quote(row),),
            )
