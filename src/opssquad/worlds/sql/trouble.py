"""What goes wrong between us and a database server, each said in one clear line; pure."""

import re
from typing import Literal

from opssquad.errors import ToolError

Kind = Literal["full", "starting", "away", "login", "tls", "name", "denied", "late", "lost", "wrong"]
"""`full`: no connection is left; `starting`: the server starts, stops or recovers; `away`: nothing answers;
`login`, `tls`, `name`: it does not let us in, or there is no such database; `denied`: this may not be read;
`late`: a timeout; `lost`: the connection broke; `wrong`: the statement is."""

ITSELF = ("full", "starting", "away", "lost", "late")
"""Trouble of the server's own, which may be what is asked about: a conversation goes on with it."""

_STATES: dict[str, Kind] = {
    "53300": "full",
    "57P03": "starting",
    "57P01": "lost",
    "57P02": "lost",
    "28P01": "login",
    "28000": "login",
    "3D000": "name",
    "42501": "denied",
    "57014": "late",
    "55P03": "late",
    "25P03": "lost",
}
_WORDS: tuple[tuple[str, Kind], ...] = (
    (r"too many (?:clients|connections)|remaining connection slots|connection limit exceeded|"
     r"no more connections allowed", "full"),
    (r"is (?:starting up|shutting down)|not yet accepting connections|recovery mode|"
     r"administrator command", "starting"),
    (r"certificate|\bssl\b|\btls\b", "tls"),
    (r"pg_hba\.conf|password|authentication|role .* does not exist|"
     r"not permitted to log in", "login"),
    (r"database .* (?:does not exist|is not currently accepting)|could not translate host name|"
     r"failed to resolve host|name or service not known|"
     r"definition of service .* not found|missing \"=\"|"
     r"invalid (?:connection option|integer value|port|uri|sslmode)", "name"),
    (r"connection refused|no such file|network is unreachable|no route to host|timeout expired|"
     r"timed out", "away"),
    (r"server closed the connection|connection reset|broken pipe|"
     r"connection (?:is|was) (?:lost|closed)", "lost"),
)  # fmt: skip
HELP: dict[Kind, str] = {
    "full": "no ordinary connection is left; a login of pg_use_reserved_connections (16 and later) or a"
    " superuser still gets in",
    "starting": "wait until it accepts connections, or look at the server's log",
    "away": "check host and port, and that the server runs",
    "login": "check user and password (PGPASSWORD, a passfile, or a service), and pg_hba.conf",
    "tls": "check sslmode and sslrootcert of the DSN against what the server offers",
    "name": "check the DSN: host=... port=... dbname=... user=..., a postgresql:// address, or service=NAME",
    "denied": "ask for a role that may (pg_monitor to look, pg_signal_backend or the owner's to act)",
    "late": "narrow it down, or look at what holds it up",
    "lost": "try again; if it goes on, look at the server's log",
    "wrong": "",
}


class DatabaseError(ToolError):
    """The server, or the way to it, did not do what was asked. `kind` tells what sort of trouble, `said` is
    what was said in one line, `sqlstate` PostgreSQL's code where there was one."""

    def __init__(self, where: str, kind: Kind, said: str, sqlstate: str = "") -> None:
        help_ = f"; {HELP[kind]}" if HELP[kind] else ""
        super().__init__(f"{where}: {said}{help_}", blind=kind != "wrong")
        self.kind, self.said, self.sqlstate = kind, said, sqlstate


def told(where: str, message: str, sqlstate: str = "") -> DatabaseError:
    """The error for what a server or the client library said."""
    line = one_line(message)
    return DatabaseError(where, kind_of(line, sqlstate), line, sqlstate)


def kind_of(said: str, sqlstate: str = "") -> Kind:
    """What sort of trouble it is: by its code, else by the words."""
    if sqlstate in _STATES:
        return _STATES[sqlstate]
    if sqlstate[:2] == "08":
        return "lost"
    if sqlstate:
        return "wrong"
    return next((kind for pattern, kind in _WORDS if re.search(pattern, said, re.IGNORECASE)), "lost")


def one_line(message: str) -> str:
    """The last thing that was said of several attempts, without the address and the word FATAL in front."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if re.search(r"FATAL|failed|ERROR|error", line)), "")
    said = said or (lines[0] if lines else "nothing was said")
    said = re.sub(r"^.*?(?:FATAL|ERROR|PANIC):\s+", "", said)
    said = re.sub(r"^connection (?:to server )?.*? failed:\s+", "", said)
    return " ".join(said.split())[:400]
