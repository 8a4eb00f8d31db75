"""What a server's log complains of: forms of messages, and the fact that each stands for."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from opssquad import Json, Quote, Ref, Severity, Signal

from .._common import database_ref, role, setting
from .._loglines import Entry

Facts = Callable[[re.Match[str], Entry], Json]


def _nothing(found: re.Match[str], entry: Entry) -> Json:
    return {}


def _groups(found: re.Match[str], entry: Entry) -> Json:
    return {name: value for name, value in found.groupdict().items() if value}


@dataclass(frozen=True)
class Form:
    """A form of messages: the signal, how grave it is, and what more is told; `about` names the column of the
    data by which such messages are told apart."""

    signal: str
    pattern: re.Pattern[str]
    severity: Severity = "warning"
    facts: Facts = _groups
    about: str = ""


PRIVILEGE: Mapping[str, str] = {
    "insert": "insert", "update": "update", "delete": "delete", "select": "select", "with": "select",
    "truncate": "truncate", "copy": "select",
}  # fmt: skip
"""The privilege that a statement takes, by its first word."""


def _denied(found: re.Match[str], entry: Entry) -> Json:
    statement = entry.parts.get("STATEMENT", "")
    verb = (re.match(r"\s*(\w+)", statement) or [""])[0].strip().lower()
    privilege = PRIVILEGE.get(verb, "select")
    return {
        "kind": found["kind"],
        "relation": found["relation"],
        "role": entry.user,
        "privilege": privilege,
        "privileges": [privilege],
    }


def _deadlock(found: re.Match[str], entry: Entry) -> Json:
    detail = entry.parts.get("DETAIL", "")
    said = re.findall(r"Process (\d+): (.+?)(?= Process \d+: |$)", detail)
    statements = [" ".join(text.split())[:200] for _, text in said]
    relations = sorted(set(re.findall(r"relation \"?([\w.]+)\"?", entry.parts.get("CONTEXT", ""))))
    return {"pids": [pid for pid, _ in said], "statements": statements, "relations": relations}


def _ddl(found: re.Match[str], entry: Entry) -> Json:
    return {"statement": " ".join(found["statement"].lower().split())[:200]}


def _form(
    signal: str, pattern: str, severity: Severity = "warning", facts: Facts = _groups, about: str = ""
) -> Form:
    return Form(signal, re.compile(pattern, re.IGNORECASE), severity, facts, about)


FORMS: tuple[Form, ...] = (
    _form("log.deadlock", r"^deadlock detected", "critical", _deadlock),
    _form(
        "log.too_many_clients",
        r"too many clients already|remaining connection slots are reserved"
        r"|too many connections for (?:role|database)",
        "critical",
    ),
    _form(
        "log.password_failed",
        r'password authentication failed for user "(?P<role>[^"]+)"',
        "critical",
        about="role",
    ),
    _form(
        "log.role_missing",
        r'role "(?P<role>[^"]+)" (?:does not exist|is not permitted to log in)',
        "critical",
        about="role",
    ),
    _form(
        "log.permission_denied",
        r"permission denied for (?P<kind>table|relation|schema|sequence|view|function)"
        r' "?(?P<relation>[^"\s]+)"?',
        "critical",
        _denied,
        "relation",
    ),
    _form(
        "log.read_only",
        r"cannot execute (?P<statement>[A-Z ]+?) in a read-only transaction",
        "critical",
        about="application",
    ),
    _form(
        "log.undefined_column",
        r'column (?:"(?P<column>[^"]+)"|(?P<plain>[\w.]+)) '
        r'(?:of relation "[^"]+" )?does not exist',
        "critical",
        about="column",
    ),
    _form("log.undefined_table", r'relation "(?P<table>[^"]+)" does not exist', "critical", about="table"),
    _form(
        "log.checkpoints_frequent",
        r"checkpoints are occurring too frequently "
        r"\((?P<seconds>\d+) seconds? apart\)",
        "warning",
    ),
    _form("log.disk_full", r"no space left on device", "critical"),
    _form("log.recovery_conflict", r"conflict with recovery", "warning", about="application"),
    _form("log.wal_removed", r"requested WAL segment \S+ has already been removed", "critical"),
    _form(
        "log.statement_timeout", r"canceling statement due to (?:statement|lock) timeout", about="application"
    ),
    _form(
        "log.lock_wait",
        r"process (?P<pid>\d+) still waiting for (?P<mode>\w+) on (?P<what>.+?) after (?P<ms>[\d.]+) ms",
    ),
    _form("log.crash", r"server process \(PID \d+\) was terminated by signal (?P<signal>\d+)", "critical"),
    _form("log.upgrade_mismatch", r"database files are incompatible with server", "critical"),
    _form(
        "log.ddl",
        r"^(?:statement|execute [^:]*): "
        r"(?P<statement>(?:alter|create|drop|revoke|grant|truncate|reindex)\b.*)",
        "info",
        _ddl,
        "statement",
    ),
)
"""Every form, tried in this order; the first that fits is what a message is."""


def log_signals(name: str, entries: Sequence[Entry], tables: Sequence[Json] = ()) -> Iterator[Signal]:
    """A signal for each thing that the log complains of: alike messages are one. `tables` are rows of the
    look of that name: a message tells a table without its schema."""
    schemas: dict[str, list[str]] = {}
    for row in tables:
        schemas.setdefault(str(row["table"]), []).append(f"{row['schema']}.{row['table']}")
    found: dict[tuple[str, str], list[tuple[Entry, Json]]] = {}
    for entry in entries:
        for form in FORMS:
            if match := form.pattern.search(entry.message):
                data = _placed({**form.facts(match, entry), **_who(entry)}, schemas)
                if form.signal == "log.undefined_column":
                    data["column"] = data.get("column") or data.pop("plain", "")
                found.setdefault((form.signal, str(data.get(form.about, ""))), []).append((entry, data))
                break
    for (id, key), those in found.items():
        yield _signal(name, id, key, those)


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


def _who(entry: Entry) -> Json:
    named = {"role": entry.user, "application": entry.application, "database": entry.database}
    statement = " ".join(entry.parts.get("STATEMENT", "").split())[:300]
    return {key: value for key, value in {**named, "asked": statement}.items() if value}


def _signal(name: str, id: str, key: str, those: list[tuple[Entry, Json]]) -> Signal:
    (first, _), (last, data) = those[0], those[-1]
    entity, owner = _about(name, id, data)
    by = f" by {data['application']}" if data.get("application") else ""
    count = f"{len(those)} times" if len(those) > 1 else "once"
    severity = next(form.severity for form in FORMS if form.signal == id)
    lines = [line for entry, _ in (those[0], *those[-1:]) for line in entry.lines[:3]]
    return Signal(
        id=id,
        entity=entity,
        owner=owner,
        text=f"the server's log says {count}{by}: {last.message[:160]}",
        severity=severity,
        at=first.at,
        data={
            **data,
            "key": key,
            "count": len(those),
            "applications": sorted({d["application"] for _, d in those if d.get("application")}),
        },
        quotes=tuple(Quote(locator=f"rows {name}/log", text=line) for line in dict.fromkeys(lines)),
    )


def _about(name: str, id: str, data: Json) -> tuple[Ref, Ref]:
    """What a message is about, and who answers for it: the client, where one is told."""
    own = database_ref(name)
    who = Ref(kind="Client", namespace=name, name=data["application"]) if data.get("application") else own
    if id in ("log.password_failed", "log.role_missing"):
        return role(data["role"]), role(data["role"])
    if id == "log.deadlock" and data.get("relations"):
        table = Ref(kind="Table", namespace=name, name=data["relations"][0])
        return table, table
    if id == "log.permission_denied":
        return role(data["role"]) if data.get("role") else own, who
    if id == "log.lock_wait":
        return own, own
    if id == "log.checkpoints_frequent":
        return setting("max_wal_size"), own
    return who, who
