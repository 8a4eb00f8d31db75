"""A recorded database: looks answered from what was captured, acts by what they do to rows.

Every act is noted in a journal before it takes effect: a world that is opened again with it is the same.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from opssquad.errors import ToolError
from opssquad.times import Clock, parse_time, wall_clock
from opssquad.types import Json
from opssquad.worlds.sql.acts import act_of
from opssquad.worlds.sql.database import Answered, Bind, Done, Rows, shown
from opssquad.worlds.sql.effects import take_effect
from opssquad.worlds.sql.looks import look_of
from opssquad.worlds.sql.material import Material
from opssquad.worlds.sql.viewing import explained, viewed


class Recorded:
    """One recorded database that goes on. `name` is the recording's own, `journal` a file; `clock` is the
    world's, which may be set forward, `real` tells when an act was really made."""

    def __init__(
        self,
        material: Material,
        recording: str,
        clock: Clock,
        journal: Path | None = None,
        real: Clock = wall_clock,
    ) -> None:
        self._material, self._recording, self._clock, self._journal = material, recording, clock, journal
        self._real = real
        self._played = 0
        self._catch_up()

    @property
    def name(self) -> str:
        """The database's name."""
        return str(self._material.server["database"])

    @property
    def server(self) -> str:
        """Where it seems to be served: a recording's own name may say what is wrong there."""
        return "db.internal:5432"

    def now(self) -> datetime:
        """The world's clock."""
        return self._clock()

    def login(self) -> Json:
        """As whom it was recorded."""
        return {"server": self.server, "database": self.name, "user": self._material.server.get("role", "")}

    async def facts(self) -> Json:
        """The row of the look `server`, at the world's time."""
        return {**self._material.server, "now": self._clock().isoformat()}

    async def rows(self, look: str, where: Mapping[str, str]) -> Rows:
        """The recorded rows of a look."""
        look_of(look)
        self._catch_up()
        missing = self._material.missing.get(look, "")
        if look == "server":
            return Rows(look, self.name, (await self.facts(),), missing)
        if look not in self._material.rows:
            return Rows(look, self.name, missing=missing or f"{look} was not recorded")
        found = [row for row in self._material.rows[look] if _meets(row, where)]
        return Rows(look, self.name, found, missing, cut=look in self._material.cut)

    async def log(self, most: int) -> Rows:
        """The recorded end of the server's log."""
        lines = self._material.log
        if lines is None:
            why = self._material.missing.get("log_file") or "the server's log was not recorded"
            return Rows("log", self.name, missing=why)
        kept: list[str] = []
        for line in reversed(lines):
            most -= len(line) + 1
            if most < 0:
                break
            kept.append(line)
        return Rows("log", self.name, [{"line": line} for line in reversed(kept)])

    async def select(self, statement: str, most: int, size: int, binds: Sequence[Bind] = ()) -> Answered:
        """A statement over the recorded views. Raises ToolError for what was not recorded."""
        if statement.split(None, 1)[0].lower() == "explain":
            return explained(self._material, statement)
        return viewed(self._material, self._clock(), statement, most, size, binds)

    def statement(self, act: str, args: Json) -> str:
        """What the act would run."""
        return act_of(act, args).text()

    async def act(self, act: str, args: Json) -> Done:
        """Note the act, then let it take effect. Raises ToolError where the server would refuse it."""
        text, now = act_of(act, args).text(), self._clock()
        self._catch_up()
        if self._journal:
            note(self._journal, act, args, now, self._real())
            self._played += 1
        take_effect(self._material, act, args, now)
        return Done(text)

    async def identity(self) -> str:
        """The recording."""
        return f"recording={self._recording}"

    async def close(self) -> None:
        """Nothing is open."""

    def _catch_up(self) -> None:
        """Let what others noted in the journal take effect."""
        self._played += len(played(self._material, self._journal, self._played))


def _meets(row: Json, where: Mapping[str, str]) -> bool:
    return all(row.get(name) is not None and shown(row[name]) == value for name, value in where.items())


def played(material: Material, journal: Path | None, after: int = 0) -> list[Json]:
    """Let every act of a journal after the first so many take effect again; gives them. One that was refused
    then is refused now."""
    acts = _entries(journal)[after:]
    for entry in acts:
        with contextlib.suppress(ToolError):
            take_effect(material, entry["act"], entry["args"], parse_time(entry["at"]))
    return acts


def _entries(journal: Path | None) -> list[Json]:
    """The acts of a journal; a last line that a crash cut short never took effect."""
    if journal is None or not journal.exists():
        return []
    lines = journal.read_text(encoding="utf-8").split("\n")
    try:
        return [json.loads(line) for line in lines[:-1]]
    except ValueError as error:
        raise ToolError(f"{journal} is no journal of acts: {error}; remove it to begin anew") from error


def note(journal: Path, act: str, args: Json, now: datetime, real: datetime) -> None:
    """Write an act at the end of a journal, and see it on disk: when it was made there, and really."""
    entry = {"at": now.isoformat(), "real": real.isoformat(), "act": act, "args": args}
    journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with journal.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(entry, ensure_ascii=False)}\n")
        file.flush()
        os.fsync(file.fileno())
