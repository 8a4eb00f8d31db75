"""Reads a live database as a recording keeps it: every look once, and the end of the log."""

from collections.abc import Callable

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.looks import known_looks
from opssquad.worlds.sql.material import Material

LOG = 2_000_000
"""Bytes of the server's log, from its end."""
FIRST = ("server", "sessions", "locks")
"""Looks that are taken first, close together: they change by the second."""


async def read_database(
    database: Database, clean: Callable[[Json], Json], line: Callable[[str], str]
) -> Material:
    """All that can be seen of it, without secrets: `clean` takes them out of a row, `line` out of a line of
    the log. Raises ToolError where it cannot be read at all."""
    found = Material()
    for look in (*FIRST, *(name for name in known_looks() if name not in FIRST)):
        try:
            found.take(await database.rows(look))
        except ToolError as error:
            if look in FIRST:
                raise
            found.rows[look], found.missing[look] = [], str(error)
    log = await database.log(LOG)
    found.log = None if log.missing else [line(row["line"]) for row in log.rows]
    if log.missing:
        found.missing.setdefault("log_file", log.missing)
    for rows in found.rows.values():
        rows[:] = [clean(row) for row in rows]
    return found
