"""The tool `grants`: who may do what with tables, and which roles there are."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from opssquad import Database, Json, Result, Rows, Signal, ToolError, ago, duration, tool

from .._text import some
from .._text import table as lined
from ._common import missing, moment, one_relation, sources, unread, within
from ._common import role as role_ref
from ._names import nearest
from ._rights import PUBLIC, Rights, grouped

MOST, ROLES = 20, 200
"""Lines that are told of each part; roles whose rights are in the data."""
SOON = timedelta(days=7)
"""How long before it runs out a password is told of."""


@tool(effect="read")
async def grants(
    database: Database,
    table: Annotated[str, "of one table or view"] = "",
    role: Annotated[str, "of one role"] = "",
) -> Result:
    """Who owns tables and may do what with them, also through other roles; roles with their limits, validity
    and membership."""
    own = await one_relation(database, "grants", table) if table else None
    looks = [
        await database.rows("grants", **(within(own) if own else {})),
        *[await database.rows(name) for name in ("roles", "schemas")],
    ]
    rights, roles, now = Rights(*(look.rows for look in looks)), looks[1], database.now()
    if role and role not in (PUBLIC, *(each["role"] for each in roles.rows)):
        names = (each["role"] for each in roles.rows)
        raise ToolError(f"no role {role!r}; {nearest(role, names)}")
    text = _of_table(rights, own, role) if own else _of_role(rights, role) if role else _of_all(rights)
    listed = [row for row in roles.rows if role in ("", row["role"])]
    told = listed if role or not own else []
    return Result(
        text="\n".join([*text, *_roles(told, now), *missing(looks)]),
        sources=sources(looks),
        data={**_data(rights, own, role), **unread(looks)},
        signals=tuple(_expired(roles, listed, now)),
        commands=(f"\\dp {table}".strip(), f"\\du {role}".strip()),
    )


def _of_table(rights: Rights, own: Json, role: str) -> list[str]:
    place = (own["schema"], own["table"])
    owner = next((str(row["owner"]) for row in rights.grants), "?")
    found = [may for may in rights.everyone(place) if role in ("", may.role)]
    may_something = [may for may in found if may.privileges]
    lines = [
        (
            may.role,
            " ".join(may.privileges),
            some(sorted(set(may.through.values())), 3) or "-",
            "yes" if may.schema else "NO",
        )
        for may in may_something[:MOST]
    ]
    nothing = [may.role for may in found if not may.privileges]
    left = len(may_something) - MOST
    return [
        f"{own['schema']}.{own['table']} is owned by {owner}.",
        *(
            lined(("ROLE", "MAY", "THROUGH", "SCHEMA"), lines, "")
            if lines
            else ["No role has a right on it."]
        ),
        *([f"and {left} more roles"] if left > 0 else []),
        *([f"May log in and has no right on it: {some(nothing, 12)}."] if nothing else []),
        "",
    ]


def _of_role(rights: Rights, role: str) -> list[str]:
    groups = grouped(rights.of(role))
    text = [f"  {schema}: {privileges} on {some(tables, 6)}" for schema, privileges, tables in groups[:MOST]]
    if not text:
        return [f"{role} may do nothing with any table.", ""]
    left = len(groups) - MOST
    return [f"{role} may:", *text, *([f"  and {left} more groups of tables"] if left > 0 else []), ""]


def _of_all(rights: Rights) -> list[str]:
    """As it was granted, tables with the same rights together."""
    owners = {str(row["owner"]) for row in rights.grants}
    lines = [
        (name, f"{len(tables)} of {schema}", privileges)
        for name, granted in rights.granted()
        for schema, privileges, tables in grouped(granted)
    ]
    if not lines:
        return ["No table is here that anybody may do anything with.", ""]
    left = len(lines) - MOST
    return [
        f"{len(rights.direct)} tables and views, owned by {some(sorted(owners), 6)}.",
        *lined(("ROLE", "TABLES", "GRANTED"), lines[:MOST], ""),
        *([f"and {left} more"] if left > 0 else []),
        "",
    ]


def _roles(rows: Sequence[Json], now: datetime) -> list[str]:
    logins = sorted(rows, key=lambda row: not row["can_login"])
    text = [f"role {row['role']}: {', '.join(_facts(row, now))}"[:160] for row in logins[:MOST]]
    return [*text, f"and {len(logins) - MOST} more roles"] if len(logins) > MOST else text


def _facts(row: Json, now: datetime) -> Iterator[str]:
    yield "may log in" if row["can_login"] else "cannot log in"
    if row["superuser"]:
        yield "superuser"
    if row["replication"]:
        yield "replication"
    if row["connection_limit"] >= 0:
        yield f"at most {row['connection_limit']} connections"
    if (until := _until(row)) is not None:
        if until <= now:
            yield f"password ran out {ago(until, now)}"
        else:
            yield f"password runs out in {duration(until - now)}{'!' if until - now < SOON else ''}"
    if row["member_of"]:
        inherited = row["inherits"] if "inherits" in row else row["member_of"]
        asked = set(row["member_of"]) - set(inherited)
        yield f"member of {some(row['member_of'], 4)}{' (some only by SET ROLE)' if asked else ''}"


def _until(row: Json) -> datetime | None:
    """Until when its password is valid; None for ever."""
    value = str(row.get("valid_until") or "")
    return None if value.endswith("infinity") else moment(row, "valid_until")


def _data(rights: Rights, own: Json | None, role: str) -> Json:
    """What each role may do with the table, or one role with each table."""
    if own:
        place = (own["schema"], own["table"])
        found = [may for may in rights.everyone(place) if role in ("", may.role)][:ROLES]
        return {"table": f"{place[0]}.{place[1]}", "may": {may.role: may.shown() for may in found}}
    if role:
        tables = list(rights.of(role))[:ROLES]
        return {"role": role, "may": {f"{at[0]}.{at[1]}": may.shown() for at, may in tables}}
    return {}


def _expired(roles: Rows, rows: Sequence[Json], now: datetime) -> Iterator[Signal]:
    for row in rows:
        until = _until(row)
        if until is None or until > now or not row["can_login"]:
            continue
        ref = role_ref(str(row["role"]))
        yield Signal(
            id="role.expired",
            entity=ref,
            text=f"the password of role {ref.name} ran out {ago(until, now)}: nobody logs in with it",
            at=until,
            data={"role": ref.name, "until": until.isoformat()},
            quotes=(roles.quote(row, "role", "valid_until"),),
        )
