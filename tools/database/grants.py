"""The tool `grants`: who may do what with tables, and which roles there are."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from opssquad import Database, Result, Rows, Signal, tool

from .._text import some
from .._text import table as lined
from ._common import missing, moment, one_table, sources, unread
from ._common import role as role_ref

MOST = 20


@tool(effect="read")
async def grants(
    database: Database,
    table: Annotated[str, "of one table"] = "",
    role: Annotated[str, "of one role"] = "",
) -> Result:
    """Who owns tables and may do what with them; roles with their limits, validity and membership."""
    own = await one_table(database, table) if table else None
    looks = [await database.rows(name) for name in ("grants", "roles", "schemas")]
    rows = [
        row
        for row in looks[0].rows
        if (own is None or (row["schema"], row["table"]) == (own["schema"], own["table"]))
        and role in ("", row["role"])
    ]
    lines = [(f"{r['schema']}.{r['table']}", str(r["role"]), str(r["privileges"])) for r in rows[:MOST]]
    text = lined(("TABLE", "ROLE", "PRIVILEGES"), lines, "") if lines else ["No grant fits."]
    text += [f"and {len(rows) - MOST} more"] if len(rows) > MOST else []
    for each in (r for r in looks[1].rows if role in ("", r["role"])):
        limit = f", at most {each['connection_limit']} connections" if each["connection_limit"] >= 0 else ""
        login = "" if each["can_login"] else ", cannot log in"
        text.append(f"role {each['role']}{login}{limit}, member of {some(each['member_of'], 4) or 'none'}")
    may = {f"{r['schema']}.{r['table']} {r['role']}": r["privileges"] for r in rows[:200]}
    return Result(
        text="\n".join([*text[: MOST * 2], *missing(looks)]),
        sources=sources(looks),
        data={"may": may, **unread(looks)},
        signals=tuple(_expired(looks[1], database.now())),
        commands=(f"\\dp {table}".strip(), "\\du"),
    )


def _expired(roles: Rows, now: datetime) -> Iterator[Signal]:
    for row in roles.rows:
        until = moment(row, "valid_until") if row.get("valid_until") not in (None, "infinity") else None
        if until and until <= now and row["can_login"]:
            ref = role_ref(str(row["role"]))
            text = f"the password of role {ref.name} is no longer valid"
            yield Signal(
                id="role.expired", entity=ref, owner=ref, text=text, at=until, quotes=(roles.quote(row),)
            )
