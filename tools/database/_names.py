"""Names with and without a schema: whose are meant, and which are near where one is not known."""

import difflib
import re
from collections.abc import Iterable

from opssquad import Database, Json

_PART = r'(?:"(?:[^"]|"")+"|[^".]+)'
_PLAIN = re.compile(r'[^".\s]+')
_WRITTEN = re.compile(rf"({_PART})(?:\.({_PART}))?")


async def named(database: Database, look: str, column: str, name: str) -> list[Json]:
    """The rows of a look that are about that name, `name` or `schema.name`, each quoted or not. A name may
    have dots itself: `a.b` is no table b of any other schema than a."""
    for schema, bare in _readings(name.strip()):
        rows = (await database.rows(look, **{column: bare})).rows
        if found := [row for row in rows if schema in (None, row["schema"])]:
            return found
    return []


def written(row: Json, column: str) -> str:
    """`schema.name`, quoted where it would be read as another one."""
    return f"{_safe(str(row['schema']))}.{_safe(str(row[column]))}"


def _safe(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else '"{}"'.format(part.replace('"', '""'))


def _readings(name: str) -> list[tuple[str | None, str]]:
    """What a name may mean, schema and name, the likeliest first."""
    found = _WRITTEN.fullmatch(name)
    if found and '"' in name:
        first, second = (_bare(part) if part else None for part in found.groups())
        return [(first, second)] if second is not None else [(None, str(first))]
    dots = [match.start() for match in re.finditer(r"\.", name)]
    return [*((name[:at], name[at + 1 :]) for at in dots), (None, name)]


def _bare(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.strip()


def nearest(name: str, names: Iterable[object]) -> str:
    """`nearest: a, b`, else how many there are. A schema in front does not count."""
    known = list(dict.fromkeys(str(each) for each in names if each is not None))
    bare = {each.rpartition(".")[2]: each for each in known}
    close = difflib.get_close_matches(name.rpartition(".")[2], bare, n=3, cutoff=0.4)
    if close:
        return f"nearest: {', '.join(bare[each] for each in close)}"
    return f"there is: {', '.join(known)}" if 0 < len(known) <= 8 else f"there are {len(known)}"
