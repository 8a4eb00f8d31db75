"""What an act does to the rows of a recorded database: what PostgreSQL would do, as far as rows show it. Pure
but for the material, which is changed in place.

Where a session ends, its locks go, and who waited for it alone goes on. A vacuum removes dead rows unless an
old snapshot still needs them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.sql.material import Material

SNAPSHOT = 2
"""Transactions that a snapshot may be old before it counts: one that began just now keeps nothing."""
FREE: Json = {
    "state": "idle",
    "wait_event_type": "Client",
    "wait_event": "ClientRead",
    "blocked_by": None,
    "xact_start": None,
    "xid": None,
    "xmin": None,
    "xmin_age": None,
}
"""What a session looks like once it waits for its client again."""
TAKEN_AWAY = "taken_away"
"""What nobody asked the squad for: somebody else ended or dropped something."""
NAMED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Session": ("sessions", ("pid",)),
    "ReplicationSlot": ("slots", ("slot",)),
    "Role": ("roles", ("role",)),
    "Setting": ("settings", ("name",)),
    "Table": ("tables", ("schema", "table")),
    "Index": ("indexes", ("schema", "index")),
}
"""The look that shows each kind of object, and the columns that its name is made of."""


def take_effect(material: Material, act: str, args: Json, now: datetime) -> None:
    """Change the rows as the act would. Raises ToolError where the server refuses."""
    EFFECTS[act](material, args, now)


def _terminate(material: Material, args: Json, now: datetime) -> None:
    row = _session(material, args)
    material.rows["sessions"].remove(row)
    _released(material, row["pid"])


def _cancel(material: Material, args: Json, now: datetime) -> None:
    row = _session(material, args)
    row |= {**FREE, "state_change": now.isoformat()}
    _released(material, row["pid"])


def _session(material: Material, args: Json) -> Json:
    for row in material.rows.get("sessions", ()):
        if str(row["pid"]) == str(args["pid"]) and row["backend_start"] == args["started"]:
            return row
    raise ToolError(f"there is no session {args['pid']} of that start any more; look again")


def _released(material: Material, pid: int) -> None:
    """The locks of a transaction that is over go, and with them the waiting of those who waited for it."""
    locks = material.rows.get("locks", [])
    locks[:] = [lock for lock in locks if lock["pid"] != pid]
    for row in material.rows.get("sessions", ()):
        if pid in (row.get("blocked_by") or ()):
            row["blocked_by"] = [each for each in row["blocked_by"] if each != pid] or None
            if row["blocked_by"] is None:
                row |= FREE
                _released(material, row["pid"])
    if material.server.get("in_recovery"):
        for row in material.rows.get("receiver", ()):
            row |= {"unreplayed_bytes": 0, "replayed_lsn": row.get("received_lsn"), "replay_age": 0.0}


def _analyze(material: Material, args: Json, now: datetime) -> None:
    row = _of(material, "tables", args, "table")
    row |= {"last_analyze": now.isoformat(), "n_mod_since_analyze": 0, "planner_rows": row["n_live_tup"]}


def _vacuum(material: Material, args: Json, now: datetime) -> None:
    row = _of(material, "tables", args, "table")
    row["last_vacuum"] = now.isoformat()
    row["vacuum_count"] = int(row.get("vacuum_count") or 0) + 1
    snapshots = [s for s in material.rows.get("sessions", ()) if (s.get("xmin_age") or 0) >= SNAPSHOT]
    if not snapshots:
        row["n_dead_tup"] = 0
    _analyze(material, args, now)


def _create_index(material: Material, args: Json, now: datetime) -> None:
    like = _of(material, "tables", args, "table")
    named = {"schema": args["schema"], "table": args["table"], "index": args["name"]}
    columns = ", ".join(args["columns"])
    made = f"CREATE INDEX {args['name']} ON {args['schema']}.{args['table']} USING btree ({columns})"
    facts = {"scans": 0, "unique": bool(args.get("unique")), "primary": False, "valid": True, "ready": True}
    material.rows.setdefault("indexes", []).append(
        {**named, **facts, "definition": made, "size": 8192, "constraint": False}
    )
    like["indexes"] = int(like.get("indexes") or 0) + 1


def _drop_index(material: Material, args: Json, now: datetime) -> None:
    row = _of(material, "indexes", {"schema": args["schema"], "index": args["name"]}, "index")
    material.rows["indexes"].remove(row)


def _drop_slot(material: Material, args: Json, now: datetime) -> None:
    for row in material.rows.get("slots", ()):
        if row["slot"] == args["slot"]:
            if row.get("active"):
                raise ToolError(f"replication slot {args['slot']} is active for PID {row.get('active_pid')}")
            material.rows["slots"].remove(row)
            return
    raise ToolError(f"replication slot {args['slot']} does not exist")


def _role_limit(material: Material, args: Json, now: datetime) -> None:
    for row in material.rows.get("roles", ()):
        if row["role"] == args["role"]:
            row["connection_limit"] = int(args["limit"])
            return
    raise ToolError(f"role {args['role']} does not exist")


def _setting(material: Material, args: Json, now: datetime) -> None:
    rows = material.rows.setdefault("settings", [])
    row = next((each for each in rows if each["name"] == args["name"]), None)
    if row is None:
        row = {"name": args["name"], "unit": None, "built_in": None, "context": "user"}
        rows.append(row)
    value = args.get("value")
    now_set = row.get("built_in") if value is None else str(value)
    source = "default" if value is None else "configuration file"
    row |= {"setting": now_set, "reset_val": now_set, "source": source}
    if args["name"] == "default_transaction_read_only":
        material.server["read_only"] = now_set


def _role_setting(material: Material, args: Json, now: datetime) -> None:
    rows = material.rows.setdefault("role_settings", [])
    row = next((r for r in rows if r["role"] == args["role"] and not r["database"]), None)
    if row is None:
        row = {"role": args["role"], "database": "", "settings": []}
        rows.append(row)
    kept = [each for each in row["settings"] if not each.startswith(f"{args['name']}=")]
    row["settings"] = [*kept, *([] if args.get("value") is None else [f"{args['name']}={args['value']}"])]


def _privileges(
    change: Callable[[set[str], set[str]], set[str]], material: Material, args: Json, now: datetime
) -> None:
    rows = material.rows.setdefault("grants", [])
    place = {"schema": args["schema"], "table": args["table"]}
    mine = [row for row in rows if all(row[key] == value for key, value in place.items())]
    if not mine:
        raise ToolError(f"relation {args['schema']}.{args['table']} does not exist")
    row = next((each for each in mine if each["role"] == args["role"]), None)
    if row is None:
        row = {**place, "owner": mine[0]["owner"], "role": args["role"], "privileges": ""}
        rows.append(row)
    held = change(set(str(row["privileges"]).split()), {str(each).lower() for each in args["privileges"]})
    row["privileges"] = " ".join(sorted(held))
    if not held:
        rows.remove(row)


def _taken_away(material: Material, args: Json, now: datetime) -> None:
    """Somebody else ended or dropped it: a session, slot, role, setting, table or index, by its ref."""
    kind, _, name = str(args["ref"]).split("/", 2)
    look, columns = NAMED.get(kind, ("", ()))
    rows = material.rows.get(look, [])
    for row in [row for row in rows if ".".join(str(row[column]) for column in columns) == name]:
        rows.remove(row)
        _released(material, row.get("pid", 0))


def _of(material: Material, look: str, args: Mapping[str, Any], key: str) -> Json:
    for row in material.rows.get(look, ()):
        if row["schema"] == args["schema"] and row[key] == args[key]:
            return row
    raise ToolError(f"{key} {args['schema']}.{args[key]} does not exist")


EFFECTS: Mapping[str, Callable[[Material, Json, datetime], None]] = {
    "cancel": _cancel,
    "terminate": _terminate,
    "analyze": _analyze,
    "vacuum": _vacuum,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "drop_slot": _drop_slot,
    "role_limit": _role_limit,
    "setting": _setting,
    "role_setting": _role_setting,
    "grant": partial(_privileges, set.union),
    "revoke": partial(_privileges, set.difference),
    TAKEN_AWAY: _taken_away,
}
