"""Whatever is done to the audit log behind our back is found, and the first bad record named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.events import Returned
from opssquad.store.audit import START, Head, canonical, seal, verify
from opssquad.store.sqlite import Store
from opssquad.types import Target
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_result, a_thread

texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=3)
drafts = st.builds(
    a_draft,
    status=st.sampled_from(["ok", "error", "started"]),
    requested_by=texts,
    args=st.dictionaries(texts, values, max_size=3),
    ts=st.integers(0, 10**6).map(lambda s: NOW + timedelta(microseconds=s)),
    target=st.just(Target(cluster="c", namespace="n")),
)
Rows = list[tuple[int, str]]


def chain(*given_drafts: Any) -> tuple[Rows, Head]:
    rows, head = [], START
    for draft in given_drafts:
        record = seal(draft, head)
        rows.append((record.seq, canonical(record)))
        head = (record.seq, record.hash)
    return rows, head


def first_misfit(rows: Rows, head: Head | None) -> int | None:
    found = verify(rows, head)
    return found.seq if found else None


@given(st.lists(drafts, max_size=5))
def test_what_was_written_fits(given_drafts: list[Any]) -> None:
    assert verify(*chain(*given_drafts)) is None


@given(st.lists(drafts, min_size=1, max_size=4), st.data())
def test_a_single_changed_character_anywhere_is_found_where_it_is(given_drafts: list[Any], data: Any) -> None:
    rows, head = chain(*given_drafts)
    number = data.draw(st.integers(0, len(rows) - 1))
    seq, text = rows[number]
    at = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != text[at]))
    rows[number] = (seq, text[:at] + sign + text[at + 1 :])
    assert first_misfit(rows, head) == seq


@given(st.lists(drafts, min_size=1, max_size=4), st.data())
def test_a_single_lost_or_added_character_is_found_where_it_is(given_drafts: list[Any], data: Any) -> None:
    rows, head = chain(*given_drafts)
    number = data.draw(st.integers(0, len(rows) - 1))
    seq, text = rows[number]
    at = data.draw(st.integers(0, len(text) - 1))
    rows[number] = (
        seq,
        text[:at] + data.draw(st.sampled_from(["", text[at] + " ", text[at] * 2])) + text[at + 1 :],
    )
    assert first_misfit(rows, head) == seq


FOUR = chain(*(a_draft(ms=n) for n in range(4)))


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_a_missing_record_is_named(lost: int) -> None:
    rows, head = FOUR
    assert first_misfit([row for row in rows if row[0] != lost], head) == lost


@given(st.permutations(range(4)))
def test_another_order_is_found_at_the_first_that_moved(order: list[int]) -> None:
    rows, head = FOUR
    moved = [(n, rows[place][1]) for n, place in enumerate(order, 1)]
    expected = next((n for n, place in enumerate(order, 1) if place != n - 1), None)
    assert first_misfit(moved, head) == expected


def test_a_log_that_lost_its_end_or_all_of_it_is_found() -> None:
    rows, head = FOUR
    assert str(verify(rows[:2], head)) == "record 3: missing; the log ended at record 4"
    assert first_misfit([], head) == 1


def test_a_record_added_behind_the_end_is_found() -> None:
    rows, head = FOUR
    forged = seal(a_draft(), head)
    said = verify([*rows, (5, canonical(forged))], head)
    assert str(said) == "record 5: added behind the end of the log, which is record 4"
    assert first_misfit(rows, None) == 1


def test_a_chain_that_was_written_anew_is_found() -> None:
    rows, head = FOUR
    again, _ = chain(*(a_draft(ms=n, status="harmless") for n in range(4)))
    assert str(verify(again, head)) == "record 4: not the record that was written last"
    assert first_misfit([*rows[:2], *again[2:]], head) == 3


def test_a_record_that_is_sealed_with_a_wrong_number_is_found() -> None:
    rows, head = FOUR
    wrong = seal(a_draft(), (7, "x"))
    assert str(verify([(1, canonical(wrong)), *rows[1:]], head)) == "record 1: says it is number 8"
    assert str(verify([(1, "{}"), *rows[1:]], head)) == "record 1: not a readable record"


@contextmanager
def behind_our_back(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "opssquad.sqlite")) as connection, connection:
        yield connection


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("update audit set body = replace(body, 'refused', 'approved') where seq = 2", 2),
        ("delete from audit where seq = 3", 3),
        ("delete from audit where seq >= 3", 3),
        ("update audit set body = (select body from audit where seq = 4) where seq = 3", 3),
        ("insert into audit select 6, thread, body from audit where seq = 5", 6),
        ("update audit_head set seq = 4", 5),
        ("update audit_head set hash = 'x'", 5),
        ("delete from audit_head", 1),
        ("insert into audit select 0, thread, body from audit where seq = 3", 0),
        ("insert into audit select -7, thread, body from audit where seq = 3", -7),
        ("update audit set thread = 'another' where seq between 3 and 4", 3),
    ],
)
async def test_tampering_with_the_file_is_found(tmp_path: Path, sql: str, seq: int) -> None:
    async with await Store.open(tmp_path, now=lambda: NOW) as store:
        await store.audit(a_draft())
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card(), "refused"))
        for number in range(3):
            await store.audit(a_draft(ms=number))
        assert await store.verify_audit() is None
        with behind_our_back(tmp_path) as connection:
            assert connection.execute(sql).rowcount > 0
        found = await store.verify_audit()
    assert found is not None
    assert found.seq == seq


async def test_a_log_that_was_emptied_with_its_head_is_found_by_the_decisions(tmp_path: Path) -> None:
    async with await Store.open(tmp_path, now=lambda: NOW) as store:
        await store.audit(a_draft())
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card(), "refused"))
        with behind_our_back(tmp_path) as connection:
            connection.executescript("delete from audit; delete from audit_head")
        found = await store.verify_audit()
        assert str(found) == "record 1: missing; 1 decisions are on record and 0 of them in the log"
        await store.audit(a_draft())
        assert await store.verify_audit() is not None


async def test_a_log_that_was_cut_and_its_head_moved_is_found_by_what_came_back_of_calls(
    tmp_path: Path,
) -> None:
    async with await Store.open(tmp_path, now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        await store.audit(a_draft(kind="connection"))
        first = await store.audit_head()
        assert first
        times = {"at": NOW, "recorded_at": NOW}
        returned = Returned(thread="t1", turn=1, call=a_call(), result=a_result(), **times)
        await store.append(returned, audit=[a_draft()])
        assert await store.verify_audit() is None
        with behind_our_back(tmp_path) as connection:
            connection.execute("delete from audit where seq > 1")
            connection.execute("update audit_head set seq = ?, hash = ?", (first.seq, first.hash))
        found = await store.verify_audit()
    assert str(found) == "record 2: missing; 1 results are on record and 0 of them in the log"


async def test_a_suggestion_does_not_stand_for_the_line_of_a_decision(tmp_path: Path) -> None:
    async with await Store.open(tmp_path, now=lambda: NOW) as store:
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card(), "refused"))
        with behind_our_back(tmp_path) as connection:
            connection.executescript("delete from audit; delete from audit_head")
        await store.audit(a_draft(kind="decision", status="suggested"))
        found = await store.verify_audit()
    assert str(found) == "record 2: missing; 1 decisions are on record and 0 of them in the log"


def test_a_text_that_was_changed_to_half_a_character_is_found() -> None:
    record = seal(a_draft(args={"key\U00010000": {"x\U00010000": None}}), START)
    text = canonical(record).replace("\\ud800\\udc00", "\\ud800x")
    assert text != canonical(record)
    misfit = verify([(1, text)], (1, record.hash))
    assert misfit is not None
    assert misfit.seq == 1
