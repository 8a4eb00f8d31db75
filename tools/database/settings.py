"""The tool `settings`: what is set differently from the default, and where."""

from collections.abc import Iterator, Mapping

from opssquad import Database, Result, Rows, Signal, tool

from .._text import table
from ._common import missing, setting, sources, unread

RISKY: Mapping[str, tuple[str, str]] = {
    "autovacuum": ("off", "dead rows and old transactions pile up"),
    "fsync": ("off", "a crash of the machine loses or damages data"),
    "full_page_writes": ("off", "a crash of the machine may damage pages"),
    "track_counts": ("off", "autovacuum does not know where to work"),
}
"""Settings that hurt at that value, and how."""
SMALL_WAL = 256
"""Megabytes of max_wal_size below which writes force checkpoints: the default is 1024."""


@tool(effect="read")
async def settings(database: Database) -> Result:
    """Settings that are not the built-in default and where each was set; of roles and databases too."""
    looks = [await database.rows(name) for name in ("settings", "role_settings")]
    changed = [row for row in looks[0].rows if row["setting"] != row["built_in"] or row["pending_restart"]]
    signals = tuple(_signals(looks[0]))
    lines = [
        (
            str(r["name"]),
            f"{r['setting']}{r['unit'] or ''}",
            f"{r['built_in']}{r['unit'] or ''}",
            str(r["source"]),
        )
        for r in changed
    ]
    text = table(("SETTING", "VALUE", "DEFAULT", "SET BY"), lines, "") if lines else ["All is as built in."]
    text += [
        f"{r['role'] or 'all roles'} in {r['database'] or 'all databases'}: {', '.join(r['settings'])}"
        for r in looks[1].rows
    ]
    text += [f"{each.id}: {each.text}" for each in signals]
    return Result(
        text="\n".join([*text, *missing(looks)]),
        sources=sources(looks),
        data=unread(looks),
        signals=signals,
        commands=(
            "select name, setting, source from pg_settings where source not in ('default', 'override')",
        ),
    )


def _signals(rows: Rows) -> Iterator[Signal]:
    for row in rows.rows:
        ref, name = setting(str(row["name"])), str(row["name"])
        if row["pending_restart"]:
            text = f"{name} was changed and counts only after a restart"
            yield Signal(
                id="setting.pending_restart", entity=ref, owner=ref, text=text, quotes=(rows.quote(row),)
            )
        value, harm = RISKY.get(name, ("", ""))
        if value and row["setting"] == value:
            text = f"{name} is {value}: {harm}"
            data = {"name": name, "value": value}
            yield Signal(
                id="setting.risky", entity=ref, owner=ref, text=text, data=data, quotes=(rows.quote(row),)
            )
        if name == "max_wal_size" and str(row["setting"]).isdecimal() and int(row["setting"]) < SMALL_WAL:
            text = f"max_wal_size is {row['setting']} MB, so that writes force checkpoints"
            data = {"name": name, "value": row["setting"]}
            yield Signal(
                id="setting.risky", entity=ref, owner=ref, text=text, data=data, quotes=(rows.quote(row),)
            )
