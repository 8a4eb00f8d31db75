"""The database part of a recording, `database/`: what every look showed at one moment, and the server's log.

`rows.jsonl.gz` holds a JSON object a line: `{"look": ..., "row": {...}}` for each row, and for a look that
was not whole `{"look": ..., "missing": "why"}` or `{"look": ..., "cut": true}`, for one that showed nothing
`{"look": ..., "empty": true}`. `server.log` is the end of the log as the server wrote it; `plans.jsonl` what
EXPLAIN said of statements.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opssquad.documents import BadFile, read_text
from opssquad.types import Json
from opssquad.worlds.sql.database import Rows
from opssquad.worlds.sql.looks import known_looks

FOLDER = "database"
ROWS, LOG, PLANS = f"{FOLDER}/rows.jsonl.gz", f"{FOLDER}/server.log", f"{FOLDER}/plans.jsonl"


@dataclass
class Material:
    """What a recorded database shows: rows by look, why a look has none, looks that were cut, lines of the
    log (None: it could not be read), plans by statement."""

    rows: dict[str, list[Json]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    log: list[str] | None = None
    plans: dict[str, Json] = field(default_factory=dict)

    @property
    def server(self) -> Json:
        """The row of the look `server`."""
        return self.rows["server"][0]

    def take(self, found: Rows) -> None:
        """Keep what a look showed."""
        self.rows[found.look] = [dict(row) for row in found.rows]
        if found.missing:
            self.missing[found.look] = found.missing
        if found.cut:
            self.cut.add(found.look)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The files of a recording, by path below its folder; the same material gives the same bytes."""
        lines = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in self._lines())
        yield ROWS, gzip.compress(lines.encode(), mtime=0)
        if self.log is not None:
            yield LOG, "".join(f"{line}\n" for line in self.log).encode()
        if self.plans:
            said = ({"statement": text, "plan": plan} for text, plan in self.plans.items())
            yield PLANS, "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in said).encode()

    def _lines(self) -> Iterator[Json]:
        for look, rows in self.rows.items():
            yield from ({"look": look, "row": row} for row in rows)
            if look in self.cut:
                yield {"look": look, "cut": True}
            if not rows and look not in self.missing:
                yield {"look": look, "empty": True}
        for look, why in self.missing.items():
            yield {"look": look, "missing": why}


def has_database(folder: Path) -> bool:
    """Whether a recording has a database part."""
    return (folder / ROWS).exists()


def load_material(folder: Path) -> Material:
    """The database part of a recording. Raises BadFile with file, line and reason."""
    file, found = folder / ROWS, Material()
    for number, said in _objects(file, _unpacked(file)):
        _take_line(found, said, file, number)
    if len(found.rows.get("server", ())) != 1:
        raise BadFile(file, "holds not one row of the look 'server'")
    if (folder / LOG).exists():
        found.log = [line for line in read_text(folder / LOG).split("\n") if line]
    if (folder / PLANS).exists():
        for _, said in _objects(folder / PLANS, read_text(folder / PLANS)):
            found.plans[str(said.get("statement"))] = said.get("plan") or {}
    return found


def _take_line(found: Material, said: Json, file: Path, number: int) -> None:
    look = said.get("look")
    if look not in known_looks():
        raise BadFile(file, f"nothing called {look!r} can be looked at", number)
    rows = found.rows.setdefault(look, [])
    if isinstance(row := said.get("row"), dict):
        rows.append(row)
    elif isinstance(why := said.get("missing"), str):
        found.missing[look] = why
    elif said.get("cut") is True:
        found.cut.add(look)
    elif said.get("empty") is not True:
        raise BadFile(file, "give row, missing, cut or empty", number)


def _unpacked(file: Path) -> str:
    try:
        return gzip.decompress(file.read_bytes()).decode()
    except FileNotFoundError:
        raise BadFile(file, "this file is missing") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadFile(file, f"not a gzip file of UTF-8 text: {error}") from None


def _objects(file: Path, text: str) -> Iterator[tuple[int, Json]]:
    """The objects of a file, one a line, with the numbers of their lines; empty lines count for nothing."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadFile(file, f"not JSON: {error}", number) from None
        if not isinstance(found, dict):
            raise BadFile(file, "not a JSON object", number)
        yield number, found
