"""The log on disk: checkpoints, anchors, and any tampering with the file, found at the first bad record."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import UsageError
from opssquad.store import audit as chain
from opssquad.store import auditlog as log
from opssquad.store.base import AuditFilter, AuditRecord
from opssquad.store.migrations import MIGRATIONS
from opssquad.store.sqlite import Store
from tests.samples import NOW, a_draft

LENGTH = 12
Tampering = Callable[[sqlite3.Connection, int, random.Random], int]
"""Does its damage at a record; returns the number of the first record that must be named."""


def fill(connection: sqlite3.Connection, count: int, **over: str) -> None:
    for step in MIGRATIONS:
        for statement in step.statements:
            connection.execute(statement)
    for number in range(count):
        log.append(connection, a_draft(ms=number, **over))


@pytest.fixture
def written() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        fill(connection, LENGTH)
        yield connection


def record(c: sqlite3.Connection, seq: int) -> AuditRecord:
    (body,) = c.execute("select body from audit where seq = ?", (seq,)).fetchone()
    return AuditRecord.model_validate_json(body)


def put(c: sqlite3.Connection, seq: int, changed: AuditRecord) -> None:
    c.execute("update audit set body = ? where seq = ?", (chain.canonical(changed), seq))


def edited(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    field, value = dice.choice(
        [("requested_by", "nobody"), ("status", "harmless"), ("ms", 10**6), ("args", {"a": 1}), ("why", "so")]
    )
    put(c, seq, record(c, seq).model_copy(update={field: value}))
    return seq


def edited_and_sealed_again(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    old = record(c, seq)
    put(c, seq, chain.seal(a_draft(ms=10**6), (seq - 1, old.prev_hash)))
    return min(seq + 1, LENGTH)


def deleted(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    c.execute("delete from audit where seq = ?", (seq,))
    return seq


def deleted_and_numbered_anew(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    deleted(c, seq, dice)
    for later in range(seq + 1, LENGTH + 1):
        c.execute("update audit set seq = ? where seq = ?", (later - 1, later))
    return seq


def reordered(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    other = dice.choice([n for n in range(1, LENGTH + 1) if n != seq])
    one, two = record(c, seq), record(c, other)
    put(c, seq, two)
    put(c, other, one)
    return min(seq, other)


def truncated(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    c.execute("delete from audit where seq >= ?", (seq,))
    return seq


def appended(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    last = record(c, LENGTH)
    forged = chain.seal(a_draft(ms=seq), (LENGTH, last.hash))
    c.execute("insert into audit values (?, 't1', ?)", (LENGTH + 1, chain.canonical(forged)))
    return LENGTH + 1


def doubled(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    body = chain.canonical(record(c, seq))
    c.execute("insert into audit values (?, 't1', ?)", (LENGTH + 1, body))
    return LENGTH + 1


def spoilt(c: sqlite3.Connection, seq: int, dice: random.Random) -> int:
    body = chain.canonical(record(c, seq))
    c.execute("update audit set body = ? where seq = ?", (body[: dice.randrange(len(body))], seq))
    return seq


TAMPERINGS: list[Tampering] = [
    edited,
    edited_and_sealed_again,
    deleted,
    deleted_and_numbered_anew,
    reordered,
    truncated,
    appended,
    doubled,
    spoilt,
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda t: t.__name__)
def test_each_tampering_is_found_at_the_first_bad_record(
    written: sqlite3.Connection, tampering: Tampering
) -> None:
    assert log.verify(written, {}) is None
    expected = tampering(written, 7, random.Random(1))
    found = log.verify(written, {})
    assert found is not None
    assert found.seq == expected, str(found)


@given(
    tampering=st.sampled_from(TAMPERINGS),
    seq=st.integers(1, LENGTH),
    dice=st.randoms(use_true_random=False),
)
def test_any_tampering_anywhere_is_found_at_the_first_bad_record(
    tampering: Tampering, seq: int, dice: random.Random
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        fill(connection, LENGTH)
        expected = tampering(connection, seq, dice)
        found = log.verify(connection, {})
    assert found is not None
    assert found.seq == expected, str(found)


def rewrite(c: sqlite3.Connection, since: int) -> None:
    """What whoever can write the file can do: every record from `since` on anew, the head too."""
    end = (since - 1, record(c, since).prev_hash)
    for seq in range(since, LENGTH + 1):
        anew = chain.seal(a_draft(ms=seq, requested_by="nobody"), end)
        put(c, seq, anew)
        end = (seq, anew.hash)
    c.execute("update audit_head set hash = ?", (end[1],))


@pytest.mark.parametrize("since", range(1, LENGTH + 1))
def test_a_log_that_was_written_anew_with_its_head_is_found_by_an_anchor_alone(
    written: sqlite3.Connection, since: int
) -> None:
    early, late = record(written, 4), record(written, LENGTH)
    anchors = {each.seq: each.hash for each in (early, late)}
    assert log.verify(written, anchors) is None
    rewrite(written, since)
    assert log.verify(written, {}) is None, "the chain alone cannot tell"
    found = log.verify(written, anchors)
    assert found is not None
    assert found.seq == (4 if since <= 4 else LENGTH)


def test_a_log_that_lost_its_end_and_its_head_is_found_by_an_anchor(written: sqlite3.Connection) -> None:
    anchors = {LENGTH: record(written, LENGTH).hash}
    written.execute("delete from audit where seq > 9")
    written.execute("update audit_head set seq = 9, hash = ?", (record(written, 9).hash,))
    assert log.verify(written, {}) is None
    assert str(log.verify(written, anchors)) == "record 10: missing; by its anchor there was a record 12"


@pytest.mark.parametrize(
    "text", ["", "7", "7:abc", f"0:{'a' * 64}", f"-1:{'a' * 64}", f"x:{'a' * 64}", f"1:{'g' * 64}"]
)
def test_what_is_no_anchor_is_told_with_where_one_comes_from(text: str) -> None:
    with pytest.raises(UsageError, match="`opssquad audit anchor`"):
        chain.anchor(text)


def test_an_anchor_is_read_as_it_is_printed() -> None:
    assert chain.anchor(f" 12:{'aB' * 32}\n") == (12, "ab" * 32)


@pytest.fixture
def long_one() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        fill(connection, 2 * chain.EVERY + 5)
        yield connection


def test_checkpoints_stand_at_every_five_hundredth_record(long_one: sqlite3.Connection) -> None:
    rows = log.records(long_one, AuditFilter(kind="checkpoint"))
    assert [(r.seq, r.status, r.args) for r in rows] == [
        (500, "fits", {"since": 1}),
        (1000, "fits", {"since": 501}),
    ]
    assert log.verify(long_one, {}) is None
    assert log.verify_quickly(long_one) is None


def test_the_quick_look_finds_what_is_wrong_after_the_last_checkpoint_and_only_that(
    long_one: sqlite3.Connection,
) -> None:
    put(long_one, 300, record(long_one, 300).model_copy(update={"status": "harmless"}))
    assert log.verify_quickly(long_one) is None
    found = log.verify(long_one, {})
    assert found is not None
    assert found.seq == 300
    put(long_one, 1003, record(long_one, 1003).model_copy(update={"status": "harmless"}))
    assert str(log.verify_quickly(long_one)) == "record 1003: was changed after it was written"


def test_a_checkpoint_that_was_changed_is_found_quickly(long_one: sqlite3.Connection) -> None:
    put(long_one, 1000, record(long_one, 1000).model_copy(update={"why": "all is well"}))
    assert str(log.verify_quickly(long_one)) == "record 1000: was changed after it was written"


def test_tampering_before_a_checkpoint_is_put_on_record_by_it(written: sqlite3.Connection) -> None:
    put(written, 7, record(written, 7).model_copy(update={"status": "harmless"}))
    for number in range(chain.EVERY):
        log.append(written, a_draft(ms=number))
    (line,) = log.records(written, AuditFilter(kind="checkpoint"))
    assert (line.status, line.why) == ("misfit", "record 7: was changed after it was written")
    assert str(log.verify_quickly(written)) == (
        "record 500: not a checkpoint that fitted record 7: was changed after it was written"
    )


def test_a_spoilt_record_where_a_checkpoint_begins_does_not_stop_the_log(
    long_one: sqlite3.Connection,
) -> None:
    long_one.execute("update audit set body = '{' where seq in (999, 1000)")
    for number in range(chain.EVERY):
        log.append(long_one, a_draft(ms=number))
    assert record(long_one, 1500).status == "misfit"
    found = log.verify(long_one, {})
    assert found is not None
    assert found.seq == 999


def test_a_short_log_is_looked_through_from_its_start(written: sqlite3.Connection) -> None:
    assert log.verify_quickly(written) is None
    deleted(written, 1, random.Random(1))
    assert str(log.verify_quickly(written)) == "record 1: missing; the next one on disk is 2"


async def test_a_last_change_that_was_spoilt_is_a_first_one_again(tmp_path: Path) -> None:
    draft = a_draft(kind="policy", tool="policy", output_sha256="1", effect=None)
    async with await Store.open(tmp_path) as store:
        await store.audit_change(draft)
        with closing(sqlite3.connect(tmp_path / "opssquad.sqlite")) as connection, connection:
            connection.execute("update audit set body = '{' where seq = 1")
        again = await store.audit_change(draft)
    assert again is not None
    assert again.status == "first"


async def test_a_change_is_written_only_when_it_is_one(tmp_path: Path) -> None:
    def policy(content: str, **args: str) -> AuditRecord:
        fields = {"kind": "policy", "tool": "policy", "output_sha256": content, "args": args, "effect": None}
        return a_draft(**fields)

    async with await Store.open(tmp_path) as store:
        first = await store.audit_change(policy("1", bundled="1"))
        assert await store.audit_change(policy("1", bundled="1")) is None
        await store.audit(a_draft(args={"kind": "policy"}))
        changed = await store.audit_change(policy("2", bundled="1", organisation="1"))
        back = await store.audit_change(policy("1", bundled="1"))
        lines = await store.audit_records(wanted=AuditFilter(kind="policy"))
    assert lines == [first, changed, back]
    assert [(line.status, line.why) for line in lines] == [
        ("first", ""),
        ("changed", "changed: organisation"),
        ("changed", "changed: organisation"),
    ]


def test_lines_are_found_by_incident_thread_actor_kind_and_time(written: sqlite3.Connection) -> None:
    log.append(written, a_draft(thread="t2", incident="i2", ts=NOW + timedelta(hours=1)))
    log.append(written, a_draft(agent="k8s", kind="verdict", ts=NOW + timedelta(hours=2)))

    def found(**wanted: object) -> list[int]:
        return [r.seq for r in log.records(written, AuditFilter.model_validate(wanted))]

    assert found(thread="t2") == found(incident="i2") == [13]
    assert found(actor="k8s") == found(kind="verdict") == [14]
    assert found(since=NOW + timedelta(hours=1)) == [13, 14]
    assert found(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)) == [13]
    assert found(last=2) == [13, 14]
    assert found(thread="t1", last=2) == [12, 14]
    assert found(actor="nobody") == []
