"""The embedded store: one SQLite file in a state folder that only its owner can read.

Threads, events and the audit log are read and written here; the steps of cards and of the ledger are in
`acts`, those of the audit log in `auditlog`, transactions and errors in `database`.
"""

import difflib
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from opssquad.errors import Refused, StoreError, UsageError
from opssquad.events import EVENT, Event, Streamed
from opssquad.findings import ToolResult
from opssquad.observations import Observation, Stretch
from opssquad.store import acts, stretches
from opssquad.store import auditlog as log
from opssquad.store.base import (
    ApprovalRecord,
    ApprovalStatus,
    AuditDraft,
    AuditFilter,
    AuditRecord,
    Misfit,
    ThreadRecord,
)
from opssquad.store.database import Database
from opssquad.store.folder import CHECKPOINTS, STORE, prepare_folder
from opssquad.store.rows import dump, parse
from opssquad.store.stretches import Seen
from opssquad.times import Clock, wall_clock
from opssquad.types import Approval, Decision


class Store:
    """Everything that must outlive the process. `checkpoints` is the file for the graph's own saver."""

    def __init__(self, folder: Path, database: Database, now: Clock) -> None:
        self.folder = folder
        self.checkpoints = folder / CHECKPOINTS
        self._db = database
        self._now = now

    @classmethod
    async def open(cls, folder: Path, now: Clock = wall_clock) -> Self:
        """Open the state folder, creating it (0700) and its files (0600) where needed. Raises StoreError."""
        prepare_folder(folder, STORE, CHECKPOINTS)
        return cls(folder, await Database.open(folder / STORE), now)

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        await self._db.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def create_thread(self, thread: ThreadRecord) -> None:
        """Put a new thread on record. Raises StoreError if its id is taken."""
        row = (thread.id, thread.started_at.timestamp(), dump(thread))

        def add(c: sqlite3.Connection) -> None:
            sql = "insert into threads values (?, ?, ?) on conflict do nothing"
            if not c.execute(sql, row).rowcount:
                raise StoreError(f"there is a thread {thread.id!r} already; ids are used once")

        await self._db.write(add)

    async def update_thread(self, thread: ThreadRecord) -> None:
        """Replace the record of a thread: another squad, model or title. Raises UsageError."""
        row = (dump(thread), thread.id)

        def update(c: sqlite3.Connection) -> None:
            if not c.execute("update threads set body = ? where id = ?", row).rowcount:
                raise _unknown(c, "threads", "thread", thread.id)

        await self._db.write(update)

    async def thread(self, id: str) -> ThreadRecord:
        """The thread of that id. Raises UsageError with the nearest ones."""

        def look(c: sqlite3.Connection) -> ThreadRecord:
            row = c.execute("select body from threads where id = ?", (id,)).fetchone()
            if row is None:
                raise _unknown(c, "threads", "thread", id)
            return parse(ThreadRecord, row[0], f"thread {id}")

        return await self._db.read(look)

    async def threads(self) -> list[ThreadRecord]:
        """All threads, the newest first."""
        rows = await self._rows("select id, body from threads order by started_at desc, rowid desc")
        return [parse(ThreadRecord, body, f"thread {id}") for id, body in rows]

    async def add_approval(self, approval: Approval) -> Approval:
        """Put a card on record, and get the one that stands there: again changes nothing. Raises StoreError
        for another call under its id."""
        return await self._db.write(lambda c: acts.add_card(c, approval), durable=True)

    async def approval(self, id: str) -> Approval:
        """The card of that id. Raises UsageError with the nearest ones."""
        return (await self.approval_record(id)).approval

    async def approval_record(self, id: str) -> ApprovalRecord:
        """The card with its decisions. Raises UsageError with the nearest ids."""
        return await self._db.read(lambda c: _card(c, id))

    async def approvals(self, status: ApprovalStatus | None = None, thread: str = "") -> list[ApprovalRecord]:
        """Cards in the order they were asked for, of one status or thread if given."""
        records = await self._db.read(lambda c: acts.cards(c, "?1 in ('', thread)", thread))
        now = self._now()
        return [r for r in records if status in (None, r.status(now))]

    async def decision(self, approval_id: str) -> Decision | None:
        """The decision that holds for a card, None while it waits. Raises UsageError if there is no card."""
        return (await self.approval_record(approval_id)).decision

    async def decide(self, decision: Decision) -> Decision:
        """Record what became of a card, with its audit line in the same transaction; returns what holds.

        The first answer wins, from whichever process. An answer after the expiry is recorded as `expired`.
        A yes may still be voided, or expire, as long as its call was not claimed; nothing else ever changes.
        Raises UsageError if there is no such card, Refused if the decision is about another call.
        """

        def settle(c: sqlite3.Connection) -> Decision:
            card = _card(c, decision.approval).approval
            if decision.call_digest != card.call.digest:
                raise Refused(f"the decision is not about the call of approval {card.id}; look at it again")
            return acts.settle(c, card, decision)

        return await self._db.write(settle, durable=True)

    async def claim(
        self, call_id: str, digest: str, *events: Event, audit: Sequence[AuditDraft] = ()
    ) -> bool:
        """Take the right to carry a call out, once ever: True for the first, False for everyone after. The
        events and audit lines of the first go on record with it.

        Raises Refused if the call has a card that does not stand at `approved`, StoreError if the id was
        claimed for another content.
        """

        def take(c: sqlite3.Connection) -> bool:
            first = acts.claim(c, call_id, digest)
            if first:
                _put(c, events, audit)
            return first

        return await self._db.write(take, durable=True)

    async def done(self, call_id: str, result: ToolResult) -> None:
        """Record the end of a claimed call; the first end stays. Raises StoreError if it was not claimed."""
        await self._db.write(lambda c: acts.finish(c, call_id, result), durable=True)

    async def outcome(self, call_id: str) -> acts.Outcome:
        """`new`: never begun; `claimed`: begun, its end unknown; else how it ended."""
        return await self._db.read(lambda c: acts.outcome(c, call_id))

    async def keep(self, result: ToolResult) -> None:
        """Keep a whole result under its call's id. What the ledger holds as the end of a call stays."""
        await self._db.write(lambda c: acts.keep(c, result))

    async def output(self, call_id: str) -> ToolResult:
        """The whole result of a call. Raises StoreError if none is kept."""
        return await self._db.read(lambda c: acts.output(c, call_id))

    async def append(self, *events: Event, audit: Sequence[AuditDraft] = ()) -> None:
        """Put events on record in this order with the audit lines about them, all or none; pieces of streamed
        text are never stored. Lines about what may change something are on disk when this returns."""
        kept = [event for event in events if not isinstance(event, Streamed)]
        if kept or audit:
            durable = any(_weighs(draft) for draft in audit)
            await self._db.write(lambda c: _put(c, kept, audit), durable=durable)

    async def events(self, thread: str) -> list[Event]:
        """The events of a thread in the order they were recorded."""
        rows = await self._rows("select seq, body from events where thread = ? order by seq", thread)
        return [parse(EVENT, body, f"event {seq}") for seq, body in rows]

    async def note(self, cluster: str, name: str, seen: Sequence[Observation]) -> Sequence[Observation]:
        """Keep looks at revisions of workloads of a cluster; gives those in which something is new. What was
        last seen longer ago than it is kept goes."""
        now = self._now().timestamp()
        return await self._db.write(lambda c: stretches.note(c, cluster, name, seen, now))

    async def stretches(self, cluster: str, workload: str) -> Sequence[Stretch]:
        """What is kept of the workload of that uid, in the order it was seen."""
        return await self._db.read(lambda c: stretches.of(c, cluster, workload))

    async def all_stretches(self) -> Sequence[Seen]:
        """All that is kept of workloads of any cluster."""
        return await self._db.read(stretches.everything)

    async def forget_stretches(self, before: datetime) -> int:
        """Let go of what was last noted before that real time; gives how many stretches that were."""
        return await self._db.write(lambda c: stretches.forget(c, before.timestamp()))

    async def audit(self, draft: AuditDraft) -> AuditRecord:
        """Chain a line to the audit log. What may change something is on disk when this returns; lines about
        reads, which are many, reach it with the next that is."""
        return await self._db.write(lambda c: log.append(c, draft), durable=_weighs(draft))

    async def audit_change(self, draft: AuditDraft) -> AuditRecord | None:
        """Chain a line about something that is described by its `output_sha256`, unless the last line of this
        kind about the same `tool` has the same one. Says in it what of `args` differs from that line."""
        return await self._db.write(lambda c: log.change(c, draft), durable=True)

    async def audit_records(
        self, thread: str = "", last: int = 0, wanted: AuditFilter | None = None
    ) -> Sequence[AuditRecord]:
        """The audit log in order: those that are wanted, else of one thread, only the `last` lines."""
        wanted = wanted or AuditFilter(thread=thread, last=last)
        return await self._db.read(lambda c: log.records(c, wanted))

    async def audit_lines(self, wanted: AuditFilter) -> Sequence[tuple[AuditRecord, str]]:
        """The lines of the audit log that are wanted, in order, each with its exact text on disk."""
        return await self._db.read(lambda c: log.lines(c, wanted))

    async def audit_head(self) -> AuditRecord | None:
        """The newest line of the audit log, None while it is empty: its number and hash are an anchor."""
        return await self._db.read(log.newest)

    async def verify_audit(
        self, anchors: Mapping[int, str] | None = None, *, quick: bool = False
    ) -> Misfit | None:
        """The first line of the audit log that does not fit the chain, or an anchor (number to hash), or None
        if all do; `quick` looks only from the last checkpoint on."""
        if quick:
            return await self._db.read(log.verify_quickly)
        return await self._db.read(lambda c: log.verify(c, anchors or {}))

    async def _rows(self, sql: str, *values: str | int) -> list[tuple[str, str]]:
        return await self._db.read(lambda c: c.execute(sql, values).fetchall())


def _put(c: sqlite3.Connection, events: Sequence[Event], audit: Sequence[AuditDraft]) -> None:
    rows = [(e.thread, e.kind, dump(e)) for e in events]
    # A cursor that got out would be closed by another thread, in the middle of the next statement.
    c.executemany("insert into events (thread, kind, body) values (?, ?, ?)", rows).close()
    for draft in audit:
        log.append(c, draft)


def _weighs(draft: AuditDraft) -> bool:
    """Whether a line must be on disk before anything goes on: all that is not about a mere read."""
    return draft.effect != "read"


def _card(c: sqlite3.Connection, id: str) -> ApprovalRecord:
    found = acts.cards(c, "id = ?", id)
    if not found:
        raise _unknown(c, "approvals", "approval", id)
    return found[0]


def _unknown(c: sqlite3.Connection, table: str, what: str, id: str) -> UsageError:
    known = [row[0] for row in c.execute(f"select id from {table} order by rowid desc limit 1000")]
    near = difflib.get_close_matches(id, known, n=3) or known[:3]
    return UsageError(
        f"no {what} {id!r}; " + (f"nearest: {', '.join(near)}" if near else "there are none yet")
    )
