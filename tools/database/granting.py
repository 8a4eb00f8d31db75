"""Granting privileges on a table and taking them away, each the other's undo."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, Tool, ToolError, Undo, tool

from ._common import one_table, sources
from ._common import table as table_ref

Table = Annotated[str, "table, or schema.table"]
Role = Annotated[str, "name of the role"]
Privileges = Annotated[list[str], "select, insert, update, delete, truncate, references, trigger"]


async def _held(database: Database, row: Json, role: str) -> set[str]:
    """What the role may do with the table by its own grants. Raises ToolError for a role that is none."""
    names = {str(each["role"]) for each in (await database.rows("roles")).rows}
    if role not in names and role != "public":
        raise ToolError(f"no role {role!r}; there is: {', '.join(sorted(names))}")
    found = await database.rows("grants", schema=row["schema"], table=row["table"], role=role)
    return {each for got in found.rows for each in str(got["privileges"]).split()}


def _args(row: Json, role: str, privileges: list[str]) -> Json:
    listed = [each.lower() for each in privileges]
    return {"schema": row["schema"], "table": row["table"], "role": role, "privileges": listed}


def _changing(held: set[str], privileges: list[str], gives: bool) -> list[str]:
    """Those that really change."""
    return [each.lower() for each in privileges if (each.lower() in held) != gives]


def _bound(database: Database, row: Json, role: str, held: set[str]) -> dict[str, str]:
    return {str(table_ref(database.name, row)): f"{role}={'+'.join(sorted(held)) or 'none'}"}


def _carded(one: Tool, act: str, back: str, *, gives: bool) -> None:
    """Give a tool its card, its undo (the tool `back`) and its check."""

    async def foresee(database: Database, table: Table, role: Role, privileges: Privileges) -> Preview:
        row = await one_table(database, table)
        held = await _held(database, row, role)
        new = _changing(held, privileges, gives)
        if not new:
            has = "has" if gives else "has not"
            raise ToolError(
                f"role {role} {has} {', '.join(privileges)} on {row['schema']}.{row['table']} already"
            )
        verb = "may" if gives else "may no longer"
        writes = bool(set(new) - {"select", "references"})
        return Preview(
            command=database.statement(act, **_args(row, role, privileges)),
            impact=f"role {role} {verb} {', '.join(new)} rows of {row['schema']}.{row['table']}",
            risk="medium" if writes or not gives else "low",
            risk_rule="it is about more than reading" if writes else "it is about reading",
            binding=_bound(database, row, role, held),
            verify_plan="read the privileges again",
            before={"held": sorted(held), "new": new},
        )

    async def undo(database: Database, table: Table, role: Role, privileges: Privileges) -> Undo:
        row = await one_table(database, table)
        new = _changing(await _held(database, row, role), privileges, gives)
        args = {"table": f"{row['schema']}.{row['table']}", "role": role, "privileges": new}
        command = database.statement(back, **_args(row, role, new)) if new else ""
        return Undo(note=f"{back} {', '.join(new)} again", tool=back, args=args, command=command)

    async def check(database: Database, table: Table, role: Role, before: Json) -> Check:
        row = await one_table(database, table)
        found = await database.rows("grants", schema=row["schema"], table=row["table"])
        held = await _held(database, row, role)
        done = all((each in held) == gives for each in before["new"])
        text = f"role {role} has {', '.join(sorted(held)) or 'nothing'} on {row['schema']}.{row['table']}"
        return Check(outcome="better" if done else "same", text=text, sources=sources((found,)))

    async def observe(database: Database, table: Table, role: Role) -> dict[str, str]:
        row = await one_table(database, table)
        return _bound(database, row, role, await _held(database, row, role))

    one.preview(foresee)
    one.undo(undo)
    one.verify(check)
    one.observe(observe)


@tool(effect="mutate")
async def grant(database: Database, table: Table, role: Role, privileges: Privileges) -> Result:
    """Let a role do something with a table."""
    row = await one_table(database, table)
    done = await database.act("grant", **_args(row, role, privileges))
    return Result(text=f"granted to {role}", commands=(done.statement,))


@tool(effect="mutate")
async def revoke(database: Database, table: Table, role: Role, privileges: Privileges) -> Result:
    """Take a privilege on a table away from a role."""
    row = await one_table(database, table)
    done = await database.act("revoke", **_args(row, role, privileges))
    return Result(text=f"taken from {role}", commands=(done.statement,))


_carded(grant, "grant", "revoke", gives=True)
_carded(revoke, "revoke", "grant", gives=False)
