"""Changing a setting of the server, or of a role for its new sessions, with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, Risk, ToolError, Undo, tool

from ._barred import HARM, barred
from ._common import one_role, sources, until
from ._common import setting as setting_ref
from ._names import nearest
from ._values import compared, shown_with

Name = Annotated[str, "name of the setting"]
Value = Annotated[str, "its new value, as 64MB or on; empty takes it back to what it is without us"]
OfRole = Annotated[str, "for this role alone; empty for the server"]
READ_AGAIN = 5.0
"""Seconds within which the server has read its files again."""
OWN_FILE = "postgresql.auto.conf"
"""Where ALTER SYSTEM keeps what it sets."""
STRONGER = ("command line", "environment variable")
"""Where a setting may be from, that counts more than what ALTER SYSTEM writes."""
NOT_THE_SERVERS = ("database", "user", "database user")
"""Where a setting is from when it is that of our login alone."""
COLUMNS = (
    "name, setting, unit, context, source, sourcefile, boot_val as built_in, reset_val, vartype, min_val,"
    " max_val, enumvals"
)
"""As the look `settings` names them."""


async def _setting(database: Database, name: str) -> Json:
    """The setting as it is now. Raises ToolError for one that is not to be changed like this."""
    if why := barred(name):
        raise ToolError(f"{name} is not changed from here: {why}")
    if not name.replace("_", "").replace(".", "").isalnum() or not name.isascii():
        raise ToolError(f"{name!r} is no name of a setting")
    found = await database.rows("settings", name=name.lower())
    if found.rows:
        return dict(found.rows[0])
    answer = await database.select(
        f"select {COLUMNS} from pg_catalog.pg_settings where lower(name) = '{name.lower()}'"
    )
    if not answer.rows:
        names = await database.select("select name from pg_catalog.pg_settings", most=2000)
        raise ToolError(f"no setting {name!r}; {nearest(name, (row[0] for row in names.rows))}")
    return dict(zip(answer.columns, answer.rows[0], strict=True))


async def _meant(database: Database, name: str, value: str, role: str) -> Json:
    """The setting, if it may be changed to that. Raises ToolError."""
    row = await _setting(database, name)
    name, context = row["name"], row["context"]
    if context == "internal":
        raise ToolError(f"{name} tells how the server was built; it is not changed")
    if context == "postmaster":
        sessions = len((await database.rows("sessions")).rows)
        raise ToolError(
            f"{name} counts only after a restart: all {sessions} sessions end, nobody gets in meanwhile and"
            " the cache is empty after it; plan that by hand"
        )
    if value:
        compared(row, value)
    if role and context == "sighup":
        raise ToolError(f"{name} holds for the whole server, not for a role")
    if role:
        await one_role(database, role)
    elif row["source"] in STRONGER:
        raise ToolError(
            f"{name} is set by the {row['source']} of the server, which counts more: change it there"
        )
    return row


async def _own(database: Database, name: str) -> dict[str, str]:
    """Whose own value of it there is, by role, database, or both."""
    found: dict[str, str] = {}
    for row in (await database.rows("role_settings")).rows:
        who = " in ".join(filter(None, (row["role"], row["database"] and f"database {row['database']}")))
        for each in row["settings"]:
            key, _, value = str(each).partition("=")
            if key.lower() == name.lower():
                found[who or "all roles"] = value
    return found


async def _now(database: Database, row: Json, role: str) -> str | None:
    if role:
        return (await _own(database, row["name"])).get(role)
    return None if row["reset_val"] is None else str(row["reset_val"])


def _act(row: Json, value: str, role: str) -> tuple[str, Json]:
    args: Json = {"name": row["name"], "value": value or None}
    return ("role_setting", {**args, "role": role}) if role else ("setting", args)


@tool(effect="mutate")
async def set_setting(database: Database, name: Name, value: Value, role: OfRole = "") -> Result:
    """Change a setting of the server (and have it read again), or of one role for its new sessions."""
    act, args = _act(await _meant(database, name, value, role), value, role)
    done = await database.act(act, **args)
    return Result(text=f"{name} is {'set' if value else 'taken back'}", commands=(done.statement,))


@set_setting.preview
async def _foresee(database: Database, name: Name, value: Value, role: OfRole = "") -> Preview:
    row = await _meant(database, name, value, role)
    (act, args), before = _act(row, value, role), await _now(database, row, role)
    if _same(row, before, value, role):
        raise ToolError(f"{name} is {shown_with(row, before)} already: nothing would change")
    risk, rule = _risk(row, value, role)
    return Preview(
        command=database.statement(act, **args),
        impact=f"{row['name']} becomes {value or 'what it is without us'}, and is {shown_with(row, before)}"
        f"{await _whom(database, row, role)}",
        risk=risk,
        risk_rule=rule,
        binding={str(setting_ref(row["name"])): f"value={before}"},
        verify_plan="read the setting again",
        before={"value": before},
    )


def _same(row: Json, before: str | None, value: str, role: str) -> bool:
    if not value:
        return before is None if role else row["source"] == "default"
    return before is not None and compared(row, before) == compared(row, value)


async def _whom(database: Database, row: Json, role: str) -> str:
    """Whom it is for."""
    if role:
        return f"; for new sessions of role {role}, those that are there keep theirs"
    own = [who for who in await _own(database, row["name"]) if who]
    not_for = f", not for those with a value of their own ({', '.join(own[:3])})" if own else ""
    return f"; for the whole server at once{not_for}, where sessions set nothing else"


def _risk(row: Json, value: str, role: str) -> tuple[Risk, str]:
    bad, why = HARM.get(row["name"], ("", ""))
    if bad and value and compared(row, value) == bad:
        return "high", why
    return ("low", "it is for one role") if role else ("medium", "it is for all sessions")


@set_setting.undo
async def _undo(database: Database, name: Name, value: Value, role: OfRole = "") -> Undo:
    row = await _meant(database, name, value, role)
    before = await _now(database, row, role)
    # What is in a file of theirs, or built in, comes back by itself.
    file = str(row.get("sourcefile") or "")
    theirs = row["source"] == "default" or (file and not file.endswith(OWN_FILE))
    former = "" if before is None or (theirs and not role) else before
    act, args = _act(row, former, role)
    back = f"set it back to {shown_with(row, former)}" if former else "take it back to what it was without us"
    return Undo(
        note=back,
        tool="set_setting",
        args={"name": row["name"], "value": former, "role": role},
        command=database.statement(act, **args),
    )


@set_setting.observe
async def _observe(database: Database, name: Name, role: OfRole = "") -> dict[str, str]:
    row = await _setting(database, name)
    return {str(setting_ref(row["name"])): f"value={await _now(database, row, role)}"}


@set_setting.verify
async def _check(database: Database, name: Name, value: Value, before: Json, role: OfRole = "") -> Check:
    async def look() -> tuple[Json, str | None, bool]:
        row = await _setting(database, name)
        now = await _now(database, row, role)
        return row, now, _took(row, now, value, before, role)

    row, now, done = await until(look, lambda seen: seen[2], READ_AGAIN)
    text = f"{row['name']} is {shown_with(row, now)} now, and was {shown_with(row, before['value'])}"
    read = sources((await database.rows("role_settings" if role else "settings"),))
    if not done and not role and row["source"] in NOT_THE_SERVERS:
        text += "; that is this login's own value, so that the server's is not seen"
        return Check(outcome="unknown", text=text, sources=read)
    return Check(outcome="better" if done else "same", text=text, sources=read)


def _took(row: Json, now: str | None, value: str, before: Json, role: str) -> bool:
    """Whether it is what was wanted."""
    if value and now is not None:
        # The server may write a text in another way: German is "German, DMY".
        rewritten = row.get("vartype") == "string" and now != before["value"]
        return rewritten or compared(row, now) == compared(row, value)
    if role or value:
        return now is None and not value
    return bool(now != before["value"] or row["source"] == "default")
