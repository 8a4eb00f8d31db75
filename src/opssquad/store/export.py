"""The audit log outside of the store: as JSON Lines that can be verified on their own, and as a table (CSV).

JSON Lines are the records as they are on disk, byte by byte. A range without gaps proves itself but for its
ends: what stood before its first record, or behind its last, only an anchor can tell.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from opssquad.errors import UsageError
from opssquad.store import audit as chain
from opssquad.store.base import AuditRecord, Misfit
from opssquad.types import Value

COLUMNS = tuple(AuditRecord.model_fields)
"""The columns of the table: every field of a record; `target`, `args` and `approval` as JSON in one each."""

_FORMULA = tuple("=+-@\t\r＝＋－＠")
"""A cell that begins so is computed by a spreadsheet instead of shown."""


class Exported(Value):
    """Exported records: numbers of the first and last one, hash of the last, and what does not fit."""

    first: int
    last: int
    hash: str
    misfit: Misfit | None = None


def table(records: Iterable[AuditRecord]) -> str:
    """The records as CSV (RFC 4180) with a line of headings. No cell is a formula to a spreadsheet: one that
    would be begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for record in records:
        values = record.model_dump(mode="json")
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True)
    # Half a character can be in a text, and in no file.
    value = value.encode("utf-8", "backslashreplace").decode()
    return f"'{value}" if value.startswith(_FORMULA) else value


def verify(data: bytes, anchors: Mapping[int, str] | None = None) -> Exported:
    """Whether exported JSON Lines are records of one chain without a gap, and fit the anchors.

    Raises UsageError for a file without records, and for an anchor that says nothing about them.
    """
    # What is no ASCII was not written by us; it is found where it stands.
    texts = data.decode("ascii", "replace").removesuffix("\n").split("\n")
    if texts == [""]:
        raise UsageError("it holds no records; `opssquad audit export` writes them")
    rows = list(_numbered(texts))
    first, before = rows[0][0], _field(rows[0][1], "prev_hash")
    end, newest = max(rows)
    noted = dict(anchors or {})
    if early := [seq for seq in noted if 0 < seq < first - 1]:
        raise UsageError(
            f"the anchor of record {early[0]} says nothing about records from {first} on;"
            f" give one of record {first - 1} or later"
        )
    after = chain.START if first == 1 else (first - 1, before)
    found = chain.verify(rows, (end, _field(newest, "hash")), after=after, anchors=noted)
    if first > 1 and noted.get(first - 1, before) != before:
        found = Misfit(seq=first, why=f"does not follow from record {first - 1} of the anchor")
    return Exported(first=first, last=end, hash=_field(newest, "hash"), misfit=found)


def gaps(records: Sequence[AuditRecord]) -> int:
    """How often a record does not follow the one before it."""
    return sum(later.seq != earlier.seq + 1 for earlier, later in zip(records, records[1:], strict=False))


def _numbered(texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each line with the number it gives itself; one that gives none has the next."""
    number = 0
    for text in texts:
        said = _field(text, "seq")
        number = int(said) if said.isdecimal() else number + 1
        yield number, text


def _field(text: str, name: str) -> str:
    """A field of a line as text; empty where the line cannot be read."""
    try:
        value = json.loads(text)[name]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return str(value)[:64]
