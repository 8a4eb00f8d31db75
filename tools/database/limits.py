"""Changing a role's limit of connections, and a setting of the server or of a role."""

from collections.abc import Mapping
from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, ToolError, Undo, tool

from ._common import role as role_ref
from ._common import setting as setting_ref
from ._common import sources

Role = Annotated[str, "name of the role"]
BARRED: Mapping[str, str] = {
    "fsync": "a crash would lose or damage data",
    "full_page_writes": "a crash would damage pages",
    "archive_command": "it runs programs on the server",
    "archive_library": "it loads code into the server",
    "restore_command": "it runs programs on the server",
    "ssl_passphrase_command": "it runs programs on the server",
    "session_preload_libraries": "it loads code into sessions",
    "local_preload_libraries": "it loads code into sessions",
    "dynamic_library_path": "it says where code is loaded from",
    "ssl": "clients would be locked out, or no longer be protected",
    "password_encryption": "passwords that are set from then on are kept in another way",
    "log_line_prefix": "whoever reads the log would read it no more",
    "row_security": "it says whether rows are hidden",
}
"""Settings that are not ours to change, and why."""


async def _role(database: Database, role: str) -> Json:
    found = await database.rows("roles")
    row = next((each for each in found.rows if each["role"] == role), None)
    if row is None:
        raise ToolError(f"no role {role!r}; there is: {', '.join(str(r['role']) for r in found.rows)}")
    return row


@tool(effect="mutate")
async def set_connection_limit(
    database: Database, role: Role, limit: Annotated[int, "connections at most; -1 for no limit"]
) -> Result:
    """Hold a role to so many connections; those it has stay."""
    await _role(database, role)
    done = await database.act("role_limit", role=role, limit=limit)
    return Result(text=f"role {role} may have {_many(limit)}", commands=(done.statement,))


def _many(limit: int) -> str:
    return f"{limit} connections" if limit >= 0 else "as many connections as there are"


@set_connection_limit.preview
async def _foresee_limit(database: Database, role: Role, limit: int) -> Preview:
    if limit < -1 or limit > 10_000:
        raise ToolError(f"limit is {limit}; give -1 for none, or 0 to 10000")
    row, sessions = await _role(database, role), await database.rows("sessions")
    has = sum(each["role"] == role for each in sessions.rows)
    stay = f"it has {has} now; those stay, and new ones are refused until it has fewer than {limit}"
    return Preview(
        command=database.statement("role_limit", role=role, limit=limit),
        impact=f"role {role} may have {_many(limit)}, and could have {_many(row['connection_limit'])}"
        + (f"; {stay}" if 0 <= limit <= has else f"; it has {has} now"),
        risk="medium" if 0 <= limit <= has else "low",
        risk_rule="clients of the role are refused" if 0 <= limit <= has else "nobody is refused by it now",
        binding={str(role_ref(role)): f"limit={row['connection_limit']}"},
        verify_plan="read the limit again",
        before={"limit": row["connection_limit"]},
    )


@set_connection_limit.undo
async def _undo_limit(database: Database, role: Role) -> Undo:
    former = int((await _role(database, role))["connection_limit"])
    command = database.statement("role_limit", role=role, limit=former)
    args = {"role": role, "limit": former}
    return Undo(note=f"set it back to {former}", tool="set_connection_limit", args=args, command=command)


@set_connection_limit.observe
async def _observe_limit(database: Database, role: Role) -> dict[str, str]:
    return {str(role_ref(role)): f"limit={(await _role(database, role))['connection_limit']}"}


@set_connection_limit.verify
async def _check_limit(database: Database, role: Role, limit: int) -> Check:
    found = await database.rows("roles")
    now = next((row["connection_limit"] for row in found.rows if row["role"] == role), None)
    return Check(
        outcome="better" if now == limit else "same",
        text=f"the limit of role {role} is {now}",
        sources=sources((found,)),
    )


Name = Annotated[str, "name of the setting"]
Value = Annotated[str, "its new value; empty takes it back to the default"]
OfRole = Annotated[str, "for this role alone; empty for the server"]


async def _setting(database: Database, name: str) -> Json:
    """The setting as it is now. Raises ToolError for one that is not to be changed like this."""
    if why := BARRED.get(name.lower()):
        raise ToolError(f"{name} is not changed from here: {why}")
    statement = (
        "select name, setting, unit, context, source, boot_val, reset_val from pg_catalog.pg_settings"
        f" where name = '{name.lower()}'"
    )
    if not name.replace("_", "").replace(".", "").isalnum():
        raise ToolError(f"{name!r} is no name of a setting")
    found = await database.rows("settings", name=name)
    if found.rows:
        return dict(found.rows[0])
    answer = await database.select(statement)
    if not answer.rows:
        raise ToolError(f"no setting {name!r}; the tool settings lists those that differ from the default")
    return dict(zip(answer.columns, answer.rows[0], strict=True))


async def _of_role(database: Database, name: str, role: str) -> str | None:
    rows = (await database.rows("role_settings")).rows
    mine = [each for row in rows if row["role"] == role and not row["database"] for each in row["settings"]]
    return next((each.partition("=")[2] for each in mine if each.partition("=")[0] == name), None)


async def _now(database: Database, name: str, role: str) -> str | None:
    return (
        await _of_role(database, name, role) if role else str((await _setting(database, name))["reset_val"])
    )


def _act(name: str, value: str, role: str) -> tuple[str, Json]:
    args: Json = {"name": name, "value": value or None}
    return ("role_setting", {**args, "role": role}) if role else ("setting", args)


@tool(effect="mutate")
async def set_setting(database: Database, name: Name, value: Value, role: OfRole = "") -> Result:
    """Change a setting of the server (and have it read again), or of one role for its new sessions."""
    act, args = _act(name, value, role)
    done = await database.act(act, **args)
    return Result(text=f"{name} is set", commands=(done.statement,))


@set_setting.preview
async def _foresee_setting(database: Database, name: Name, value: Value, role: OfRole = "") -> Preview:
    row = await _setting(database, name)
    if row["context"] in ("postmaster", "internal"):
        raise ToolError(
            f"{name} counts only after a restart, which ends every session and empties the cache; plan "
            f"that by hand"
        )
    if role:
        await _role(database, role)
    (act, args), before = _act(name, value, role), await _now(database, name, role)
    where = (
        f"for new sessions of role {role}"
        if role
        else "for the whole server, at once where sessions set nothing else"
    )
    return Preview(
        command=database.statement(act, **args),
        impact=f"{name} becomes {value or 'the default'} {where}; it is "
        f"{before if before is not None else 'not set'}",
        risk="low" if role else "medium",
        risk_rule="it is for one role" if role else "it is for all sessions",
        binding={str(setting_ref(name)): f"value={before}"},
        verify_plan="read the setting again",
        before={"value": before},
    )


@set_setting.undo
async def _undo_setting(database: Database, name: Name, role: OfRole = "") -> Undo:
    before = await _now(database, name, role)
    row = None if role else await _setting(database, name)
    former = "" if before is None or (row and row["source"] == "default") else before
    act, args = _act(name, former, role)
    return Undo(
        note=f"set it back to {former or 'the default'}",
        tool="set_setting",
        args={"name": name, "value": former, "role": role},
        command=database.statement(act, **args),
    )


@set_setting.observe
async def _observe_setting(database: Database, name: Name, role: OfRole = "") -> dict[str, str]:
    return {str(setting_ref(name)): f"value={await _now(database, name, role)}"}


@set_setting.verify
async def _check_setting(
    database: Database, name: Name, value: Value, before: Json, role: OfRole = ""
) -> Check:
    now = await _now(database, name, role)
    changed = now != before["value"] or now == value
    return Check(
        outcome="better" if changed else "same", text=f"{name} is {now if now is not None else 'not set'} now"
    )
