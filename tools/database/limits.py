"""Changing how many connections a role may have, with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Preview, Result, ToolError, Undo, tool

from ._common import one_role, sources
from ._common import role as role_ref

Role = Annotated[str, "name of the role"]
MOST = 10_000
"""More connections than any server has; a slip of the keyboard is beyond it."""


@tool(effect="mutate")
async def set_connection_limit(
    database: Database, role: Role, limit: Annotated[int, "connections at most; -1 for no limit"]
) -> Result:
    """Hold a role to so many connections; those it has stay."""
    await one_role(database, role)
    done = await database.act("role_limit", role=role, limit=limit)
    return Result(text=f"role {role} may have {_many(limit)}", commands=(done.statement,))


def _many(limit: int) -> str:
    return f"{limit} connections" if limit >= 0 else "as many connections as there are"


@set_connection_limit.preview
async def _foresee_limit(database: Database, role: Role, limit: int) -> Preview:
    if limit < -1 or limit > MOST:
        raise ToolError(f"limit is {limit}; give -1 for none, or 0 to {MOST}")
    row, sessions, server = (
        await one_role(database, role),
        await database.rows("sessions"),
        await database.facts(),
    )
    if row["superuser"]:
        raise ToolError(f"role {role} is a superuser, whom no limit holds")
    if row["connection_limit"] == limit:
        raise ToolError(f"role {role} may have {_many(limit)} already")
    has = sum(each["role"] == role and each["backend_type"] == "client backend" for each in sessions.rows)
    held = 0 <= limit <= has
    stay = f"; those stay, and new ones are refused until it has fewer than {limit}" if held else ""
    beyond = limit < 0 or limit > int(server["max_connections"])
    all_ = f"; the server has {server['max_connections']} for all" if beyond else ""
    return Preview(
        command=database.statement("role_limit", role=role, limit=limit),
        impact=f"role {role} may have {_many(limit)}, and could have {_many(row['connection_limit'])}; it has"
        f" {has} now{stay}{all_}",
        risk="medium" if held else "low",
        risk_rule="clients of the role are refused" if held else "nobody is refused by it now",
        binding={str(role_ref(role)): f"limit={row['connection_limit']}"},
        verify_plan="read the limit again",
        before={"limit": row["connection_limit"]},
    )


@set_connection_limit.undo
async def _undo_limit(database: Database, role: Role) -> Undo:
    former = int((await one_role(database, role))["connection_limit"])
    command = database.statement("role_limit", role=role, limit=former)
    args = {"role": role, "limit": former}
    return Undo(
        note=f"set it back to {former}{' (no limit)' if former < 0 else ''}",
        tool="set_connection_limit",
        args=args,
        command=command,
    )


@set_connection_limit.observe
async def _observe_limit(database: Database, role: Role) -> dict[str, str]:
    return {str(role_ref(role)): f"limit={(await one_role(database, role))['connection_limit']}"}


@set_connection_limit.verify
async def _check_limit(database: Database, role: Role, limit: int) -> Check:
    found = await database.rows("roles")
    now = next((row["connection_limit"] for row in found.rows if row["role"] == role), None)
    return Check(
        outcome="better" if now == limit else "same",
        text=f"the limit of role {role} is {now}",
        sources=sources((found,)),
    )
