"""The rows of the audit log, as steps inside one transaction: append, look up, verify what is on disk.

Every function takes the connection of a transaction that its caller has begun; the chain itself is `audit`'s.
"""

import sqlite3
from collections.abc import Mapping

from opssquad.errors import StoreError
from opssquad.store import audit as chain
from opssquad.store.base import AuditDraft, AuditFilter, AuditRecord, Misfit
from opssquad.store.rows import has_table, parse

DECIDED = (
    "from audit where json_extract(body, '$.kind') = 'decision'"
    " and json_extract(body, '$.approval.id') is not null"
)
"""The lines of decisions on a card: a suggestion has a line of that kind, and nobody decides it."""
RETURNED = (
    "from audit where json_extract(body, '$.kind') = 'call' and json_extract(body, '$.status') != 'started'"
)
"""The lines of what came back of calls."""

_FROM = "select seq, body from audit where seq > ? order by seq"


def append(c: sqlite3.Connection, draft: AuditDraft) -> AuditRecord:
    """Chain a line to the log and move its head; a checkpoint goes before it where one is due."""
    end = head(c) or chain.START
    if (end[0] + 1) % chain.EVERY == 0:
        since = end[0] + 1 - chain.EVERY
        found = chain.verify(c.execute(_FROM, (since,)), end, after=_before(c, since))
        end = _put(c, chain.seal(chain.checkpoint(draft, since + 1, found), end))
    record = chain.seal(draft, end)
    _put(c, record)
    return record


def _put(c: sqlite3.Connection, record: AuditRecord) -> chain.Head:
    c.execute("insert into audit values (?, ?, ?)", (record.seq, record.thread, chain.canonical(record)))
    c.execute(
        "insert into audit_head values (1, ?, ?)"
        " on conflict do update set seq = excluded.seq, hash = excluded.hash",
        (record.seq, record.hash),
    )
    return record.seq, record.hash


def change(c: sqlite3.Connection, draft: AuditDraft) -> AuditRecord | None:
    """Append the line unless the last one of its kind about the same `tool` has the same `output_sha256`.

    Its `status` becomes `first` or `changed`, and `why` says what of `args` differs from that line.
    """
    at = (draft.kind, draft.tool)
    row = c.execute(
        "select body from audit where seq = (select seq from changes where kind = ? and tool = ?)", at
    ).fetchone()
    last = _readable(row[0]) if row else None
    last = last if last and (last.kind, last.tool) == at else None
    if last and last.output_sha256 == draft.output_sha256:
        return None
    update = {"status": "changed", "why": _differing(last.args, draft.args)} if last else {"status": "first"}
    record = append(c, draft.model_copy(update=update))
    sql = "insert into changes values (?, ?, ?) on conflict do update set seq = excluded.seq"
    c.execute(sql, (*at, record.seq))
    return record


def _differing(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Which of the arguments are not what they were on the line before."""
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return f"changed: {', '.join(names)}"


def lines(c: sqlite3.Connection, wanted: AuditFilter) -> list[tuple[AuditRecord, str]]:
    """The lines that are meant, oldest first, each with its text on disk. Raises StoreError for one that
    cannot be read."""
    rows = c.execute(
        "select seq, body from audit where ?1 in ('', thread) order by seq desc", (wanted.thread,)
    )
    found: list[tuple[AuditRecord, str]] = []
    for seq, body in rows:
        record = parse(AuditRecord, body, f"audit record {seq}")
        if wanted.takes(record):
            found.append((record, body))
            if len(found) == wanted.last:
                break
    return found[::-1]


def records(c: sqlite3.Connection, wanted: AuditFilter) -> list[AuditRecord]:
    """The same without their texts."""
    return [record for record, _ in lines(c, wanted)]


def verify(c: sqlite3.Connection, anchors: Mapping[int, str]) -> Misfit | None:
    """The first line that does not fit the chain or an anchor, or None if all do."""
    # All of them: one that was put before the first is none of the chain's.
    all_lines = c.execute("select seq, body from audit order by seq")
    return chain.verify(all_lines, head(c), anchors=anchors) or _misfiled(c) or undocumented(c)


def verify_quickly(c: sqlite3.Connection) -> Misfit | None:
    """The same from the last checkpoint on; what stands before that fitted when it was written."""
    end = head(c) or chain.START
    since = max(end[0] // chain.EVERY * chain.EVERY - 1, 0)
    found = chain.verify(c.execute(_FROM, (since,)), end, after=_before(c, since))
    if found or since == 0:
        return found
    (body,) = c.execute("select body from audit where seq = ?", (since + 1,)).fetchone()
    line = parse(AuditRecord, body, f"audit record {since + 1}")
    if line.kind == "checkpoint" and line.status == "fits":
        return None
    return Misfit(seq=since + 1, why=f"not a checkpoint that fitted {line.why}".rstrip())


def _before(c: sqlite3.Connection, seq: int) -> chain.Head:
    """Number and hash of a record that others follow; a hash that nothing follows if it cannot be read."""
    if seq == 0:
        return chain.START
    row = c.execute("select body from audit where seq = ?", (seq,)).fetchone()
    record = _readable(row[0]) if row else None
    return seq, record.hash if record else "unreadable"


def _readable(body: str) -> AuditRecord | None:
    """The record, or None for one that was spoilt: `verify` names it, and the log goes on."""
    try:
        return parse(AuditRecord, body, "an audit record")
    except StoreError:
        return None


def _misfiled(c: sqlite3.Connection) -> Misfit | None:
    """A line that is filed under another thread than its text says: it is missing among its own."""
    other = "thread is not json_extract(body, '$.thread')"
    row = c.execute(f"select seq, thread from audit where {other} order by seq limit 1").fetchone()
    if row is None:
        return None
    return Misfit(seq=row[0], why=f"filed under thread {row[1]!r}, which its text does not say")


def undocumented(c: sqlite3.Connection) -> Misfit | None:
    """Where lines must be missing although the chain fits: a decision, and what came back of a call, has its
    line in one transaction."""
    tables = [name for name in ("decisions", "consents") if has_table(c, name)]
    decided = sum(_count(c, f"from {name}") for name in tables)
    returned = _count(c, "from events where kind = 'returned'") if has_table(c, "events") else 0
    for what, there, told in (("decisions", decided, DECIDED), ("results", returned, RETURNED)):
        if there > (lines := _count(c, told)):
            seq = (head(c) or chain.START)[0] + 1
            return Misfit(
                seq=seq, why=f"missing; {there} {what} are on record and {lines} of them in the log"
            )
    return None


def _count(c: sqlite3.Connection, rows: str) -> int:
    return int(c.execute(f"select count(*) {rows}").fetchone()[0])


def newest(c: sqlite3.Connection) -> AuditRecord | None:
    """The line that is the head, or None if none was ever written. Raises StoreError if it is not there."""
    end = head(c)
    if end is None:
        return None
    row = c.execute("select body from audit where seq = ?", (end[0],)).fetchone()
    return parse(AuditRecord, row[0] if row else "", f"audit record {end[0]}")


def head(c: sqlite3.Connection) -> chain.Head | None:
    """Number and hash of the newest line, or None if none was ever written."""
    row = c.execute("select seq, hash from audit_head").fetchone()
    # A damaged file may hold anything; then nothing fits.
    return (row[0] if isinstance(row[0], int) else 0, str(row[1])) if row else None
