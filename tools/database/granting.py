"""Granting privileges on a table and taking them away, each the other's undo."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, Tool, ToolError, Undo, tool

from ._common import one_relation, one_role, sources, within
from ._common import table as table_ref
from ._names import written

Table = Annotated[str, "table, or schema.table"]
Role = Annotated[str, "name of the role"]
Privileges = Annotated[list[str], "select, insert, update, delete, truncate, references, trigger"]
READING = frozenset({"select", "references"})
"""Privileges that change nothing in a table."""


async def _held(database: Database, row: Json, role: str) -> set[str]:
    """What the role may do with the table by its own grants."""
    found = await database.rows("grants", **within(row), role=role)
    return {each for got in found.rows for each in str(got["privileges"]).split()}


def _args(row: Json, role: str, privileges: list[str]) -> Json:
    return {**within(row), "role": role, "privileges": privileges}


async def _meant(
    database: Database, act: str, table: str, role: str, privileges: list[str]
) -> tuple[Json, set[str], list[str]]:
    """The table, what the role holds there, and which privileges really change. Raises ToolError."""
    row = await one_relation(database, "grants", table)
    wanted = list(dict.fromkeys(each.strip().lower() for each in privileges))
    await one_role(database, role)
    database.statement(act, **_args(row, role, wanted))
    held = await _held(database, row, role)
    return row, held, [each for each in wanted if (each in held) != (act == "grant")]


def _bound(database: Database, row: Json, role: str, held: set[str]) -> dict[str, str]:
    return {
        str(table_ref(database.name, row)): f"{role}={'+'.join(sorted(held)) or 'none'} oid={row.get('oid')}"
    }


async def _besides(database: Database, row: Json, role: str, new: list[str]) -> str:
    """From whom the role has the same all the same, when it is revoked."""
    mine = [*(await one_role(database, role))["member_of"], "public"]
    found = await database.rows("grants", **within(row))
    kept = [
        each["role"]
        for each in found.rows
        if each["role"] in mine and {*new} & {*str(each["privileges"]).split()}
    ]
    return f"; it has some of that from {', '.join(kept)} too, and keeps it" if kept else ""


async def _barred(database: Database, row: Json, role: str) -> str:
    """Whether the schema is closed to the role, so that a grant on a table alone does not help."""
    who = await one_role(database, role)
    schemas = await database.rows("schemas", schema=row["schema"])
    mine = {role, "public", *who["member_of"]}
    if who["superuser"] or not schemas.rows:
        return ""
    schema = schemas.rows[0]
    if schema["owner"] in mine or mine & {*(schema["usable_by"] or ())}:
        return ""
    return f"; it may not use schema {row['schema']} as far as is seen here, so that this alone is not enough"


def _carded(one: Tool, act: str, back: str, *, gives: bool) -> None:
    """Give a tool its card, its undo (the tool `back`) and its check."""

    async def foresee(database: Database, table: Table, role: Role, privileges: Privileges) -> Preview:
        row, held, new = await _meant(database, act, table, role, privileges)
        name = f"{row['schema']}.{row['table']}"
        if not new:
            raise ToolError(
                f"role {role} {'has' if gives else 'has not'} {', '.join(privileges)} on {name} already"
            )
        verb, writes = "may" if gives else "may no longer", bool({*new} - READING)
        more = await (_barred(database, row, role) if gives else _besides(database, row, role, new))
        rule = "it is about more than reading" if writes else "it is about reading"
        return Preview(
            command=database.statement(act, **_args(row, role, new)),
            impact=f"role {role} {verb} {', '.join(new)} rows of {name}{more}",
            risk="medium" if writes or not gives else "low",
            risk_rule=rule if gives else "statements of the role may fail from then on",
            binding=_bound(database, row, role, held),
            verify_plan="read the privileges again",
            before={"held": sorted(held), "new": new},
        )

    async def undo(database: Database, table: Table, role: Role, privileges: Privileges) -> Undo:
        row, _, new = await _meant(database, act, table, role, privileges)
        args = {"table": written(row, "table"), "role": role, "privileges": new}
        command = database.statement(back, **_args(row, role, new)) if new else ""
        return Undo(note=f"{back} {', '.join(new)} again", tool=back, args=args, command=command)

    async def check(database: Database, table: Table, role: Role, before: Json) -> Check:
        row = await one_relation(database, "grants", table)
        found = await database.rows("grants", **within(row))
        held = {p for r in found.rows if r["role"] == role for p in str(r["privileges"]).split()}
        open_ = [each for each in before["new"] if (each in held) != gives]
        text = f"role {role} has {', '.join(sorted(held)) or 'nothing'} on {row['schema']}.{row['table']}"
        if open_:
            who = await database.facts()
            text += f"; {', '.join(open_)} did not change: {who['role']} may not {act} that here"
        return Check(outcome="same" if open_ else "better", text=text, sources=sources((found,)))

    async def observe(database: Database, table: Table, role: Role) -> dict[str, str]:
        row = await one_relation(database, "grants", table)
        return _bound(database, row, role, await _held(database, row, role))

    one.preview(foresee)
    one.undo(undo)
    one.verify(check)
    one.observe(observe)


async def _do(database: Database, act: str, table: str, role: str, privileges: list[str]) -> Result:
    row, _, new = await _meant(database, act, table, role, privileges)
    if not new:
        raise ToolError(f"role {role} needs no {act}: nothing of it would change")
    done = await database.act(act, **_args(row, role, new))
    said = f" ({done.said})" if done.said else ""
    text = f"{act} {', '.join(new)} on {row['schema']}.{row['table']}: done for role {role}{said}"
    return Result(text=text, commands=(done.statement,))


@tool(effect="mutate")
async def grant(database: Database, table: Table, role: Role, privileges: Privileges) -> Result:
    """Let a role do something with a table."""
    return await _do(database, "grant", table, role, privileges)


@tool(effect="mutate")
async def revoke(database: Database, table: Table, role: Role, privileges: Privileges) -> Result:
    """Take a privilege on a table away from a role."""
    return await _do(database, "revoke", table, role, privileges)


_carded(grant, "grant", "revoke", gives=True)
_carded(revoke, "revoke", "grant", gives=False)
