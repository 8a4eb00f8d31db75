"""What a server's log complains of: alike messages are one signal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from opssquad import Json, Quote, Ref, Signal, rfc3339

from .._common import database_ref, role, setting
from .._loglines import Entry
from ._logforms import SEVERITY, told

MOST = 20
"""Signals of one name that are told: the newest. A migration may have hundreds of statements."""
LINES = 3
"""Lines of a message that are quoted."""


def log_signals(
    name: str,
    entries: Sequence[Entry],
    tables: Sequence[Json] = (),
    sessions: Sequence[Json] = (),
) -> Iterator[Signal]:
    """A signal for each thing that the log complains of. `tables` are rows of the look of that name: a
    message tells a table without its schema. `sessions` are those that live: a message tells of others by
    their pids."""
    schemas: dict[str, list[str]] = {}
    for row in tables:
        schemas.setdefault(str(row["table"]), []).append(f"{row['schema']}.{row['table']}")
    known = _applications(entries, sessions)
    found: dict[str, dict[str, list[tuple[Entry, Json]]]] = {}
    for entry in entries:
        if said := told(entry):
            form, facts = said
            data = _named(_placed({**_who(entry), **facts}, schemas), known)
            alike = found.setdefault(form.signal, {})
            alike.setdefault(str(data.get(form.about, "")), []).append((entry, data))
    for id, kinds in found.items():
        newest = sorted(kinds.items(), key=lambda each: -_order(each[1]))[:MOST]
        for key, those in newest:
            yield _signal(name, id, key, those)


def _order(those: Sequence[tuple[Entry, Json]]) -> float:
    """When the last of them was written, in seconds; 0 where that is not known."""
    at = those[-1][0].at
    return at.timestamp() if at else 0.0


def _applications(entries: Iterable[Entry], sessions: Iterable[Json]) -> dict[str, str]:
    """Which application a process was, by the log or by the sessions that live."""
    living = {str(row["pid"]): str(row["application"]) for row in sessions if row.get("application")}
    return {**living, **{each.pid: each.application for each in entries if each.pid and each.application}}


def _placed(data: Json, schemas: Mapping[str, list[str]]) -> Json:
    """With the schemas of the tables that it names, where only one has such a table."""

    def whole(name: str) -> str:
        found = schemas.get(name, [])
        return found[0] if len(found) == 1 else name

    update: Json = {}
    if "relations" in data:
        update["relations"] = [whole(each) for each in data["relations"]]
    if "relation" in data:
        update["relation"] = whole(data["relation"])
    return {**data, **update}


def _named(data: Json, known: Mapping[str, str]) -> Json:
    """With the applications of the processes that it tells of."""
    if "pids" in data:
        return {**data, "who": [known.get(pid, "") for pid in data["pids"]]}
    if "holders" in data:
        return {**data, "held_by": sorted({known[pid] for pid in data["holders"] if pid in known})}
    return data


def _who(entry: Entry) -> Json:
    named = {
        "role": entry.user,
        "application": entry.application,
        "database": entry.database,
        "address": entry.host,
    }
    statement = " ".join(entry.parts.get("STATEMENT", "").split())[:300]
    return {key: value for key, value in {**named, "asked": statement}.items() if value}


def _signal(name: str, id: str, key: str, those: list[tuple[Entry, Json]]) -> Signal:
    (first, _), (last, data) = those[0], those[-1]
    entity, owner = _about(name, id, data)
    applications = Counter(who for _, each in those for who in _all(each) if who)
    by = f" by {', '.join(who for who, _ in applications.most_common(3))}" if applications else ""
    count = f"{len(those)} times" if len(those) > 1 else "once"
    why = f" ({data['why']})" if data.get("why") else ""
    lines = [line for entry, _ in (those[0], *those[-1:]) for line in entry.lines[:LINES]]
    return Signal(
        id=id,
        entity=entity,
        owner=owner,
        text=f"the server's log says {count}{by}: {last.message[:160]}{why}",
        severity=SEVERITY[id],
        at=first.at,
        data={
            **data,
            "key": key,
            "count": len(those),
            "first": _stamp(first.at),
            "last": _stamp(last.at),
            "applications": sorted(applications),
            "addresses": sorted({each["address"] for _, each in those if each.get("address")})[:20],
        },
        quotes=tuple(Quote(locator=f"rows {name}/log", text=line) for line in dict.fromkeys(lines)),
    )


def _all(data: Json) -> set[str]:
    """Every application that a message tells of."""
    return {str(data.get("application", "")), *data.get("who", ())}


def _stamp(at: datetime | None) -> str:
    return rfc3339(at) if at else ""


def _about(name: str, id: str, data: Json) -> tuple[Ref, Ref]:
    """What a message is about, and who answers for it: the client, where one is told."""
    own = database_ref(name)
    who = Ref(kind="Client", namespace=name, name=data["application"]) if data.get("application") else own
    if id in ("log.password_failed", "log.role_missing", "log.address_refused"):
        return role(data["role"]), role(data["role"])
    if id == "log.too_many_clients" and data.get("scope") == "role":
        return role(data["limited"]), role(data["limited"])
    if id == "log.deadlock" and data.get("relations"):
        table = Ref(kind="Table", namespace=name, name=data["relations"][0])
        return table, table
    if id == "log.permission_denied":
        return role(data["role"]) if data.get("role") else own, who
    if id == "log.lock_wait":
        return own, own
    if id == "log.checkpoints_frequent":
        return setting("max_wal_size"), own
    if id == "log.archive_failed":
        return setting("archive_command"), own
    return who, who
