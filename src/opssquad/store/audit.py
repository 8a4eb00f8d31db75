"""The hash chain of the audit log: sealing a draft into a record, finding the first one that does not fit.

Pure functions over texts; `auditlog` keeps the rows. The chain shows tampering by anyone who does not also
rewrite every later record and the head; it does not prevent it. Against who can rewrite all of it stand
anchors: number and hash of a record, kept where the log is not.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from opssquad.errors import StoreError, UsageError
from opssquad.store.base import AuditApproval, AuditDraft, AuditRecord, Misfit
from opssquad.store.rows import parse
from opssquad.types import Approval, Decision, Target

GENESIS = "0" * 64
"""The `prev_hash` of the first record."""

Head = tuple[int, str]
"""Number and hash of the newest record."""

START: Head = (0, GENESIS)
"""The head of an empty log."""

EVERY = 500
"""Each record whose number is a multiple of this is a checkpoint."""

_ANCHOR = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


def anchor(text: str) -> Head:
    """Read `SEQ:HASH`. Raises UsageError."""
    found = _ANCHOR.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(
            f"{text!r} is no anchor; one is `SEQ:HASH` with 64 hexadecimal digits, as `opssquad audit anchor`"
            " prints it"
        )
    return int(found[1]), found[2]


def canonical(record: AuditDraft) -> str:
    """The one spelling of a record: compact JSON in ASCII with sorted keys."""
    return json.dumps(record.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def _hash(record: AuditRecord) -> str:
    return hashlib.sha256(canonical(record.model_copy(update={"hash": ""})).encode()).hexdigest()


def seal(draft: AuditDraft, head: Head) -> AuditRecord:
    """The draft as the record that follows the head."""
    record = AuditRecord(**draft.model_dump(), seq=head[0] + 1, prev_hash=head[1], hash="")
    # Through its own spelling once: what is hashed is what a reader will parse.
    record = parse(AuditRecord, canonical(record), "the new record")
    return record.model_copy(update={"hash": _hash(record)})


def verify(
    rows: Iterable[tuple[int, str]],
    head: Head | None,
    *,
    after: Head = START,
    anchors: Mapping[int, str] | None = None,
) -> Misfit | None:
    """The first row (number, text) that does not follow from the one before, or None.

    `head` is where the log is known to end: records missing from the end, or added behind it, are found too.
    `after` is the record before the first row. `anchors` are hashes of records by number, as they were noted
    outside of the log.
    """
    end, newest = head or START
    noted = anchors or {}
    seq, last = after
    for number, text in rows:
        seq += 1
        if number <= after[0]:
            return Misfit(seq=number, why=f"added before record {after[0] + 1}")
        if number != seq:
            return Misfit(seq=seq, why=f"missing; the next one on disk is {number}")
        if seq > end:
            return Misfit(seq=seq, why=f"added behind the end of the log, which is record {end}")
        try:
            record = parse(AuditRecord, text, f"audit record {seq}")
            why = _misfit(record, text, seq, last)
        # Half a character can be read, and not be written again.
        except (StoreError, UnicodeEncodeError):
            return Misfit(seq=seq, why="not a readable record")
        if why:
            return Misfit(seq=seq, why=why)
        last = record.hash
        if noted.get(seq, last) != last:
            return Misfit(seq=seq, why="not the one of the anchor; it, or one before it, was written anew")
    if seq < end:
        return Misfit(seq=seq + 1, why=f"missing; the log ended at record {end}")
    if (furthest := max(noted, default=0)) > end:
        return Misfit(seq=end + 1, why=f"missing; by its anchor there was a record {furthest}")
    return None if last == newest else Misfit(seq=seq, why="not the record that was written last")


def _misfit(record: AuditRecord, text: str, seq: int, last: str) -> str:
    if record.seq != seq:
        return f"says it is number {record.seq}"
    if record.prev_hash != last:
        return "does not follow from the record before"
    if record.hash != _hash(record) or canonical(record) != text:
        return "was changed after it was written"
    return ""


def checkpoint(draft: AuditDraft, since: int, found: Misfit | None) -> AuditDraft:
    """The line that says whether the records from `since` on fitted when `draft` was written."""
    return AuditDraft(
        kind="checkpoint",
        ts=draft.ts,
        requested_by="opssquad",
        why=str(found or ""),
        target=Target(cluster=""),
        tool="audit",
        args={"since": since},
        status="misfit" if found else "fits",
    )


def of_decision(approval: Approval, decision: Decision) -> AuditDraft:
    """The audit line of a decision on a card."""
    return AuditDraft(
        kind="decision",
        ts=decision.at,
        thread=approval.thread,
        requested_by=approval.requested_by,
        why=_why(approval, decision),
        target=approval.call.target,
        tool=approval.call.tool,
        args=approval.call.args,
        effect=approval.effect,
        policy_rule=approval.rule,
        approval=AuditApproval(id=approval.id, decision=decision.outcome, by=decision.by, at=decision.at),
        status=decision.outcome,
        followed_by=approval.call.id,
    )


def _why(approval: Approval, decision: Decision) -> str:
    """The reason given; of a yes without one what speaks for the call, which is no reason to refuse it."""
    why = decision.reason or (approval.why if decision.outcome == "approved" else "")
    return f"for this session: {why}" if decision.session else why
