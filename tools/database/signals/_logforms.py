"""Forms of messages in a server's log, and the fact that each stands for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opssquad import Json, Severity

from .._loglines import Entry

Facts = Callable[[re.Match[str], Entry], Json]
PRIVILEGE: Mapping[str, str] = {
    "insert": "insert", "update": "update", "delete": "delete", "select": "select", "with": "select",
    "truncate": "truncate", "copy": "select",
}  # fmt: skip
"""The privilege that a statement takes, by its first word."""
REFUSED = (
    (r'^Role ".*" does not exist', "no such role"),
    (r"has an expired password", "its password has expired"),
    (r"has no password assigned", "it has no password"),
)
"""Why a password was refused: the DETAIL of the message tells it, in the log alone."""
COMMENT = r"(?:/\*.*?\*/\s*|--[^\n]*?\s)*"
DEFINES = (
    r"(?:alter|create(?!\s+(?:(?:global|local)\s+)?temp)|drop|revoke|grant|truncate|reindex|comment\s+on)\b"
)


def groups(found: re.Match[str], entry: Entry) -> Json:
    """What the pattern's groups hold."""
    return {name: value for name, value in found.groupdict().items() if value}


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


def _refused(found: re.Match[str], entry: Entry) -> Json:
    # What follows is the rule of pg_hba.conf, with names of its own.
    detail = entry.parts.get("DETAIL", "").partition("Connection matched")[0]
    why = next((word for pattern, word in REFUSED if re.search(pattern, detail)), "another password")
    return {**groups(found, entry), "why": why}


def _deadlock(found: re.Match[str], entry: Entry) -> Json:
    detail = entry.parts.get("DETAIL", "")
    said = re.findall(r"Process (\d+): (.+?)(?= Process \d+: |$)", detail)
    statements = [" ".join(text.split())[:200] for _, text in said]
    told = f"{entry.parts.get('CONTEXT', '')} {detail}"
    relations = sorted(set(re.findall(r'in relation "([^"]+)"', told)))
    return {"pids": [pid for pid, _ in said], "statements": statements, "relations": relations}


def _lock_wait(found: re.Match[str], entry: Entry) -> Json:
    """Who holds it stands in the DETAIL."""
    holders = re.search(r"holding the locks?: ([\d, ]+)", entry.parts.get("DETAIL", ""))
    return {**groups(found, entry), "holders": re.findall(r"\d+", holders[1]) if holders else []}


def _column(found: re.Match[str], entry: Entry) -> Json:
    said = groups(found, entry)
    name = said.get("column") or said.get("plain", "")
    return {"column": name, "table": said.get("table", ""), "statement": _asked(entry)}


def _table(found: re.Match[str], entry: Entry) -> Json:
    return {**groups(found, entry), "statement": _asked(entry)}


def _asked(entry: Entry) -> str:
    return " ".join(entry.parts.get("STATEMENT", "").split())[:300]


def _crash(found: re.Match[str], entry: Entry) -> Json:
    ran = re.search(r"process was running: (.+)", entry.parts.get("DETAIL", ""))
    return {**groups(found, entry), "ran": ran[1][:300] if ran else ""}


def _ddl(found: re.Match[str], entry: Entry) -> Json:
    return {"statement": " ".join(found["statement"].lower().split())[:200]}


@dataclass(frozen=True)
class Form:
    """A form of messages: the signal, how grave it is, and what more is told; `about` names the column of the
    data by which such messages are told apart."""

    signal: str
    pattern: re.Pattern[str]
    severity: Severity = "warning"
    facts: Facts = groups
    about: str = ""


def _form(
    signal: str, pattern: str, severity: Severity = "warning", facts: Facts = groups, about: str = ""
) -> Form:
    return Form(signal, re.compile(pattern, re.IGNORECASE), severity, facts, about)


FORMS: tuple[Form, ...] = (
    _form("log.deadlock", r"^deadlock detected", "critical", _deadlock),
    _form(
        "log.too_many_clients",
        r"too many clients already|remaining connection slots are reserved"
        r'|too many connections for (?P<scope>role|database) "(?P<limited>[^"]+)"',
        "critical",
        about="limited",
    ),
    _form(
        "log.password_failed",
        r'(?:password|SCRAM|PAM|LDAP|cert\w*) authentication failed for user "(?P<role>[^"]+)"',
        "critical",
        _refused,
        "role",
    ),
    _form(
        "log.role_missing",
        r'^role "(?P<role>[^"]+)" (?:does not exist|is not permitted to log in)',
        "critical",
        about="role",
    ),
    _form(
        "log.address_refused",
        r'no pg_hba\.conf entry for (?:replication connection from )?host "(?P<address>[^"]+)",'
        r' user "(?P<role>[^"]+)"',
        "critical",
        about="role",
    ),
    _form("log.database_missing", r'^database "(?P<missing>[^"]+)" does not exist', "critical"),
    _form(
        "log.permission_denied",
        r"permission denied for (?P<kind>foreign table|materialized view|table|relation|schema|sequence|view"
        r'|function|procedure|database|column|type|language) "?(?P<relation>[^"\s]+)"?',
        "critical",
        _denied,
        "relation",
    ),
    _form(
        "log.read_only",
        r"cannot execute (?P<statement>[A-Z ]+?) in a read-only transaction"
        r"|cannot execute (?P<during>[A-Z ]+?) during recovery",
        "critical",
        about="application",
    ),
    _form(
        "log.undefined_column",
        r'^column (?:"(?P<column>[^"]+)"|(?P<plain>[\w.]+)) (?:of relation "(?P<table>[^"]+)" )?'
        r"does not exist",
        "critical",
        _column,
        "column",
    ),
    _form("log.undefined_table", r'^relation "(?P<table>[^"]+)" does not exist', "critical", _table, "table"),
    _form(
        "log.undefined_function",
        r"^function (?P<function>.+?) does not exist",
        facts=_table,
        about="function",
    ),
    _form(
        "log.checkpoints_frequent",
        r"checkpoints are occurring too frequently \((?P<seconds>\d+) seconds? apart\)",
    ),
    # Memory that processes share is kept in a file system too, which is no disk.
    _form("log.shared_memory_full", r"could not resize shared memory segment", "critical"),
    _form("log.disk_full", r"no space left on device|disk full", "critical"),
    _form("log.recovery_conflict", r"conflict with recovery", "warning", about="application"),
    _form("log.wal_removed", r"requested WAL segment (?P<segment>\S+) has already been removed", "critical"),
    _form(
        "log.statement_timeout", r"canceling statement due to (?P<kind>statement|lock|transaction) timeout",
        about="application",
    ),
    _form("log.cancelled", r"canceling statement due to user request", "info", about="application"),
    _form(
        "log.session_ended",
        r"terminating connection due to (?P<why>administrator command|idle-in-transaction timeout"
        r"|idle-session timeout|transaction timeout)",
        "info",
        about="application",
    ),
    _form(
        "log.lock_wait",
        r"process (?P<pid>\d+) still waiting for (?P<mode>\w+) on (?P<what>.+?) after (?P<ms>[\d.]+) ms",
        facts=_lock_wait,
    ),
    _form(
        "log.crash", r"\(PID (?P<pid>\d+)\) was terminated by signal (?P<signal>\d+)", "critical", _crash,
    ),
    _form("log.recovered", r"was not properly shut down; automatic recovery in progress", "warning"),
    _form("log.upgrade_mismatch", r"database files are incompatible with server", "critical"),
    _form("log.out_of_memory", r"^out of memory|could not fork new process", "critical"),
    _form("log.corruption", r"invalid page in block|page verification failed|checksum mismatch", "critical"),
    _form(
        "log.wraparound",
        r"must be vacuumed within (?P<left>\d+) transactions"
        r"|not accepting commands (?:that assign new \S+ )?to avoid wraparound",
        "critical",
    ),
    _form("log.archive_failed", r"archive command failed with exit code (?P<code>\d+)", "warning"),
    _form(
        "log.primary_lost",
        r"could not connect to the primary server|could not receive data from WAL stream"
        r"|terminating walreceiver",
        "warning",
    ),
    _form(
        "log.ddl",
        r"^(?:duration: [\d.]+ ms  )?(?:statement|execute [^:]*): (?:[^;]*;\s*)??"
        rf"{COMMENT}(?P<statement>{DEFINES}.*)",
        "info",
        _ddl,
        "statement",
    ),
)  # fmt: skip
"""Every form, tried in this order; the first that fits is what a message is."""
SEVERITY: Mapping[str, Severity] = {form.signal: form.severity for form in FORMS}


def told(entry: Entry) -> tuple[Form, Json] | None:
    """Which form a message has, and what it tells; None where it has none of them."""
    for form in FORMS:
        if found := form.pattern.search(entry.message):
            return form, form.facts(found, entry)
    return None
