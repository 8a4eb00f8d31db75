"""Whether the tables of a store agree: what is written in one transaction must stand in both places. Read
with the connection of a transaction, so that whoever writes meanwhile is not taken for a fault.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator

from opssquad.store.auditlog import DECIDED
from opssquad.store.finding import Finding
from opssquad.store.rows import has_table, parse
from opssquad.types import Decision

MOST = 3
"""Ids that a line names."""


def disagreements(c: sqlite3.Connection) -> Iterator[Finding]:
    """One line for each kind of disagreement. Raises StoreError for rows that cannot be read."""
    if unreadable := _unreadable(c):
        yield Finding("fail", "content", f"rows that cannot be read: {_some(unreadable)}; restore a copy")
        return
    yield from _calls(c)
    yield from _decisions(c)
    yield from _events(c)
    yield from _threads(c)


def _unreadable(c: sqlite3.Connection) -> list[str]:
    tables = {"threads": "id", "approvals": "id", "decisions": "approval", "consents": "approval"}
    tables |= {"outputs": "call", "events": "seq", "audit": "seq"}
    return [
        f"{table} {id}"
        for table, key in tables.items()
        if has_table(c, table)
        for (id,) in c.execute(f"select {key} from {table} where not json_valid(body)")
    ]


def _calls(c: sqlite3.Connection) -> Iterator[Finding]:
    begun = _column(c, "select call from ledger where status = 'claimed' order by call")
    if begun:
        text = f"begun, and their end is not known: {_some(begun)}; look at what they did"
        yield Finding("warn", "calls", text)
    lost = "select call from ledger where status = 'done' and call not in (select call from outputs)"
    gone = _column(c, f"{lost} order by call")
    if gone:
        yield Finding("fail", "calls", f"ended, and their outputs are gone: {_some(gone)}; restore a copy")
    yield from _starts(c)


def _starts(c: sqlite3.Connection) -> Iterator[Finding]:
    """Each change that began by the audit log was claimed. Older lines do not name their call: they count."""
    reads = "select call from approvals where json_extract(body, '$.effect') = 'read'"
    changes = set(_column(c, f"select call from ledger where call not in ({reads})"))
    started = Counter(ref for ref, status in _lines(c) if status == "started")
    nameless = started.pop("", 0)
    if lost := [call for call in started if call not in changes]:
        yield Finding(
            "fail", "calls", f"begun by the audit log, and not on record: {_some(lost)}; restore a copy"
        )
    left = len(changes - started.keys())
    if nameless > left:
        text = f"changes that began by the audit log: {nameless}, on record: {left}; restore a copy"
        yield Finding("fail", "calls", text)


def _decisions(c: sqlite3.Connection) -> Iterator[Finding]:
    """Each decision has its line, and each line its decision."""
    decided = {
        (approval, found.outcome, found.by)
        for approval, body in c.execute("select approval, body from decisions")
        for found in [parse(Decision, body, f"a decision on {approval}")]
    }
    if has_table(c, "consents"):
        for approval, body in c.execute("select approval, body from consents"):
            found = parse(Decision, body, f"a consent to {approval}")
            decided.add((approval, found.outcome, found.by))
    told = set(
        c.execute(
            "select json_extract(body, '$.approval.id'), json_extract(body, '$.approval.decision'),"
            f" json_extract(body, '$.approval.by') {DECIDED}"
        )
    )
    if missing := sorted(decided - told):
        yield Finding(
            "fail", "decisions", f"not in the audit log: {_some(_said(missing))}; they were not made here"
        )
    if extra := sorted(told - decided):
        yield Finding("fail", "decisions", f"in the audit log alone: {_some(_said(extra))}; restore a copy")


def _said(decisions: Iterable[tuple[str, str, str]]) -> list[str]:
    return [f"{approval} {outcome} by {by}" for approval, outcome, by in decisions]


def _events(c: sqlite3.Connection) -> Iterator[Finding]:
    """What came back is kept, and has its line in the audit log."""
    returned = Counter(
        _column(c, "select json_extract(body, '$.call.id') from events where kind = 'returned' order by seq")
    )
    kept = set(_column(c, "select call from outputs"))
    if gone := [call for call in returned if call not in kept]:
        yield Finding("fail", "outputs", f"gone of calls that came back: {_some(gone)}; restore a copy")
    lines = Counter(ref for ref, status in _lines(c) if status != "started")
    if untold := list(returned - lines):
        yield Finding(
            "fail", "events", f"results without a line in the audit log: {_some(untold)}; restore a copy"
        )
    if unseen := list(lines - returned):
        yield Finding("fail", "events", f"results in the audit log alone: {_some(unseen)}; restore a copy")


def _threads(c: sqlite3.Connection) -> Iterator[Finding]:
    sql = "select distinct thread from {} where thread not in (select id from threads) order by thread"
    for table in ("events", "approvals"):
        if strangers := _column(c, sql.format(table)):
            yield Finding("warn", "threads", f"{table} of threads that are not on record: {_some(strangers)}")


def _lines(c: sqlite3.Connection) -> list[tuple[str, str]]:
    """Id and status of each call in the audit log."""
    return c.execute(
        "select json_extract(body, '$.output_ref'), json_extract(body, '$.status') from audit"
        " where json_extract(body, '$.kind') = 'call' order by seq"
    ).fetchall()


def _column(c: sqlite3.Connection, sql: str) -> list[str]:
    return [str(value) for (value,) in c.execute(sql)]


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - MOST} more" if len(ids) > MOST else ""
    return ", ".join(ids[:MOST]) + more
