"""The database part of a scenario: what was captured of a real server, moved to the scenario's cluster.

Two things are rewritten and nothing else: times, so that the capture happened at the scenario's clock, and
the addresses of clients, which all ran on the machine of the server, so that each session comes from a pod
of its workload.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from opssquad.documents import BadFile
from opssquad.evals.scenarios.spec import Captured
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.sql.database import row_text, shown
from opssquad.worlds.sql.looks import known_looks
from opssquad.worlds.sql.material import Material, load_material

TIME = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d+)?(?=$|[Z+]| UTC)")
"""As rows and the server's log write it, both in UTC."""
LOOKING = timedelta(seconds=2)
"""How long the looks took: the last one was before the clock."""
TEXTS = frozenset({"query", "definition"})
"""Columns that hold what people wrote: a time in it is theirs."""
CLIENT = "client"
PID = re.compile(r"\[(\d+)\]")
LOOPBACK = re.compile(r"\b127\.0\.0\.1\b")


def database_part(
    file: Path, told: Captured, clock: datetime, addresses: Mapping[str, Sequence[str]]
) -> Material:
    """The capture that stands in the folder of the scenario's name beside it, as of the clock. `addresses`
    are those of each workload's pods. Raises BadFile."""
    found = load_material(file.with_suffix(""))
    move = _Move(found, clock, clock + told.started)
    roles = {str(row["role"]): str(row["application"]) for row in found.rows.get("sessions", ())}
    ends = _Ends(file, told.clients, roles, addresses)
    for look, rows in found.rows.items():
        found.rows[look] = [ends.placed(move.row(row)) for row in rows]
    if found.log is not None:
        found.log = [ends.line(move.text(line)) for line in found.log]
    return found


def named(file: Path, told: Captured, material: Material) -> dict[str, str]:
    """The values that the truth speaks of by a name: the first row that meets a cell's patterns has it.
    Raises BadFile."""
    found: dict[str, str] = {}
    for name, cell in told.named.items():
        if cell.look not in known_looks():
            raise BadFile(file, f"database.named.{name}: nothing called {cell.look!r} can be looked at")
        rows = [row for row in material.rows.get(cell.look, ()) if cell.met(row)]
        if not rows or cell.column not in rows[0]:
            raise BadFile(file, f"database.named.{name}: no row of {cell.look} has it")
        found[name] = shown(rows[0][cell.column])
    return found


def rows_with(material: Material | None, look: str, text: str) -> Iterator[str]:
    """The look, where one of its rows holds the text; `log` is the server's log."""
    if material is None:
        return
    lines: Iterable[str] = material.log or () if look == "log" else map(row_text, material.rows.get(look, ()))
    if any(text in line for line in lines):
        yield look


class _Move:
    """From the capture's times to the scenario's: the capture ends at the clock. The server was made for the
    capture: what happened before its first client came is moved to `started`."""

    def __init__(self, material: Material, clock: datetime, started: datetime) -> None:
        at, began = parse_time(material.server["now"]), parse_time(material.server["started"])
        self._by, self._start = clock - LOOKING - at, started - began
        came = [str(row["backend_start"]) for row in material.rows.get("sessions", ()) if row.get(CLIENT)]
        self._first = min(map(parse_time, came), default=began)

    def row(self, row: Json) -> Json:
        return {name: value if name in TEXTS else self._value(value) for name, value in row.items()}

    def text(self, text: str) -> str:
        return TIME.sub(self._moved, text)

    def _value(self, value: Any) -> Any:
        return self.text(value) if isinstance(value, str) else value

    def _moved(self, found: re.Match[str]) -> str:
        day, between, hour, fraction = found.groups()
        told = parse_time(f"{day}T{hour}{fraction or ''}Z")
        moved = told + (self._start if told < self._first else self._by)
        micro = f"{moved.microsecond:06d}"[: len(fraction) - 1] if fraction else ""
        return f"{moved:%Y-%m-%d}{between}{moved:%H:%M:%S}{'.' if fraction else ''}{micro}"


class _Ends:
    """From where each client comes: from the pods of its workload in turn, or from an address outside."""

    def __init__(
        self,
        file: Path,
        clients: Mapping[str, str],
        roles: Mapping[str, str],
        addresses: Mapping[str, Sequence[str]],
    ) -> None:
        self._file = file
        self._said = {**{name: name for name in clients}, **{r: a for r, a in roles.items() if a in clients}}
        of: dict[str, Sequence[str]] = {}
        for client, end in clients.items():
            of[client] = addresses.get(end, ()) if "/" in end else (end,)
            if not of[client]:
                raise BadFile(file, f"database.clients.{client}: no pod of {end} runs")
        self._next = {client: cycle(each) for client, each in of.items()}
        self._by_pid: dict[int, str] = {}

    def placed(self, row: Json) -> Json:
        if not row.get(CLIENT):
            return row
        return {**row, CLIENT: self._of(row["pid"], str(row["application"]))}

    def line(self, line: str) -> str:
        """A line of the log: the client's name or its role tells whose it is."""
        if not LOOPBACK.search(line):
            return line
        whose = (c for name, c in self._said.items() if re.search(rf"\b{re.escape(name)}\b", line))
        client, pid = next(whose, None), PID.search(line)
        if client is None or pid is None:
            return line
        return LOOPBACK.sub(self._of(int(pid[1]), client), line)

    def _of(self, pid: int, application: str) -> str:
        """One process serves one session."""
        if pid not in self._by_pid:
            self._by_pid[pid] = self._address(application)
        return self._by_pid[pid]

    def _address(self, application: str) -> str:
        if application not in self._next:
            raise BadFile(self._file, f"database.clients: it is not told from where {application!r} comes")
        return next(self._next[application])
