"""What every store must do, stated once; run against each of `stores`. The audit log is in its own suite."""

import asyncio
from datetime import timedelta

import pytest

from opssquad.errors import Refused, StoreError, UsageError
from opssquad.events import Asked, Stopped, Streamed
from opssquad.store.base import Storage
from tests.samples import NOW, TARGET, a_call, a_card, a_decision, a_draft, a_result, a_thread

STAMP = {"thread": "t1", "turn": 1, "at": NOW, "recorded_at": NOW}


async def test_a_thread_comes_back_as_it_was_put_down(store: Storage) -> None:
    thread = a_thread(recording="/r/x", title="logins fail")
    await store.create_thread(thread)
    assert await store.thread("t1") == thread


async def test_a_thread_can_change_its_squad_and_title(store: Storage) -> None:
    await store.create_thread(a_thread())
    await store.update_thread(a_thread(squad="database", title="slow queries"))
    assert (await store.thread("t1")).squad == "database"


async def test_a_thread_id_is_used_once(store: Storage) -> None:
    await store.create_thread(a_thread())
    with pytest.raises(StoreError, match="a thread 't1' already"):
        await store.create_thread(a_thread(squad="database"))
    assert (await store.thread("t1")).squad == "k8s"


async def test_threads_are_listed_newest_first(store: Storage) -> None:
    for name, minutes in (("old", 0), ("new", 9), ("middle", 5)):
        await store.create_thread(a_thread(name, started_at=NOW + timedelta(minutes=minutes)))
    assert [t.id for t in await store.threads()] == ["new", "middle", "old"]


async def test_an_unknown_thread_is_refused_with_the_nearest_names(store: Storage) -> None:
    with pytest.raises(UsageError, match="no thread 'x'; there are none yet"):
        await store.thread("x")
    await store.create_thread(a_thread("auth-1"))
    with pytest.raises(UsageError, match="no thread 'auth-2'; nearest: auth-1"):
        await store.thread("auth-2")
    with pytest.raises(UsageError, match="no thread 'auth-2'"):
        await store.update_thread(a_thread("auth-2"))


async def test_a_card_waits_until_it_is_decided(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    assert await store.approval("a-c1") == card
    assert await store.decision("a-c1") is None
    assert [r.approval.id for r in await store.approvals("pending")] == ["a-c1"]
    await store.decide(a_decision(card))
    assert await store.approvals("pending") == []
    assert [r.decision for r in await store.approvals("approved")] == [a_decision(card)]


async def test_cards_are_listed_by_thread_in_the_order_they_were_asked_for(store: Storage) -> None:
    for number, thread in ((2, "t1"), (1, "t2"), (3, "t1")):
        await store.add_approval(a_card(f"a{number}", a_call(f"c{number}"), thread=thread))
    assert [r.approval.id for r in await store.approvals()] == ["a2", "a1", "a3"]
    assert [r.approval.id for r in await store.approvals(thread="t1")] == ["a2", "a3"]


async def test_a_card_put_up_twice_stays_as_it_was_first(store: Storage) -> None:
    await store.add_approval(a_card())
    await store.add_approval(a_card(why="another text"))
    assert (await store.approval("a-c1")).why == "pods crash since the last rollout"
    with pytest.raises(StoreError, match="already the card of another call"):
        await store.add_approval(a_card(call=a_call(deployment="db")))


async def test_an_undecided_card_expires_by_itself(store: Storage) -> None:
    await store.add_approval(a_card(expires_at=NOW))
    assert [r.status(NOW) for r in await store.approvals("expired")] == ["expired"]


@pytest.mark.parametrize(("first", "second"), [("approved", "refused"), ("refused", "approved")])
async def test_the_first_answer_wins(store: Storage, first: str, second: str) -> None:
    card = a_card()
    await store.add_approval(card)
    held = await store.decide(a_decision(card, first, by="kim"))
    again = await store.decide(a_decision(card, second, by="lee"))
    assert held == again == await store.decision("a-c1")
    assert (held.outcome, held.by) == (first, "kim")


@pytest.mark.parametrize("outcome", ["approved", "refused"])
async def test_an_answer_after_the_expiry_is_recorded_as_expired(store: Storage, outcome: str) -> None:
    card = a_card(minutes=10)
    await store.add_approval(card)
    held = await store.decide(a_decision(card, outcome, at=NOW + timedelta(minutes=10)))
    assert held.outcome == "expired"
    assert held.reason == f"{outcome} by kim after it had expired"


async def test_an_expiry_keeps_the_reason_it_was_recorded_with(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    late = a_decision(card, "expired", at=NOW + timedelta(minutes=11), reason="nobody answered")
    assert (await store.decide(late)).reason == "nobody answered"


async def test_a_yes_may_be_voided_until_its_call_is_claimed(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    await store.decide(a_decision(card))
    void = a_decision(card, "voided", by="opssquad", reason="resourceVersion 41 is 42 now")
    assert (await store.decide(void)).outcome == "voided"
    assert (await store.decide(a_decision(card))).outcome == "voided"
    assert [d.outcome for d in (await store.approval_record("a-c1")).decisions] == ["approved", "voided"]
    with pytest.raises(Refused, match="approval a-c1 is voided"):
        await store.claim("c1", card.call.digest)


async def test_a_yes_that_was_not_acted_on_in_time_expires(store: Storage) -> None:
    card = a_card(minutes=10)
    await store.add_approval(card)
    await store.decide(a_decision(card))
    early = a_decision(card, "expired", at=NOW + timedelta(minutes=9))
    assert (await store.decide(early)).outcome == "approved"
    late = a_decision(card, "expired", at=NOW + timedelta(minutes=10))
    assert (await store.decide(late)).outcome == "expired"
    with pytest.raises(Refused, match="approval a-c1 is expired"):
        await store.claim("c1", card.call.digest)


async def test_a_yes_whose_call_has_begun_cannot_be_voided(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    await store.decide(a_decision(card))
    assert await store.claim("c1", card.call.digest)
    assert (await store.decide(a_decision(card, "voided"))).outcome == "approved"


async def test_a_no_cannot_be_voided(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    await store.decide(a_decision(card, "refused"))
    assert (await store.decide(a_decision(card, "voided"))).outcome == "refused"


async def test_a_decision_on_no_card_or_another_call_is_refused(store: Storage) -> None:
    card = a_card()
    with pytest.raises(UsageError, match="no approval 'a-c1'; there are none yet"):
        await store.decide(a_decision(card))
    await store.add_approval(card)
    with pytest.raises(Refused, match="not about the call of approval a-c1"):
        await store.decide(a_decision(card).model_copy(update={"call_digest": "other"}))
    assert await store.decision("a-c1") is None


async def test_a_decision_has_its_line_in_the_audit_log(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    await store.decide(a_decision(card, "refused", reason="wrong cluster"))
    await store.decide(a_decision(card, "approved"))
    (line,) = await store.audit_records()
    assert (line.kind, line.status, line.why, line.tool) == (
        "decision",
        "refused",
        "wrong cluster",
        "rollback",
    )
    assert line.approval is not None
    assert (line.approval.id, line.approval.by) == ("a-c1", "kim")


async def test_a_call_is_claimed_once_ever(store: Storage) -> None:
    digest = a_call().digest
    assert await store.outcome("c1") == "new"
    assert [await store.claim("c1", digest) for _ in range(3)] == [True, False, False]
    assert await store.outcome("c1") == "claimed"


async def test_a_call_whose_card_waits_cannot_be_claimed(store: Storage) -> None:
    card = a_card()
    await store.add_approval(card)
    with pytest.raises(Refused, match="approval a-c1 is not decided"):
        await store.claim("c1", card.call.digest)
    await store.decide(a_decision(card))
    with pytest.raises(Refused, match="approval a-c1 is approved for another call"):
        await store.claim("c1", a_call(deployment="db").digest)
    assert await store.outcome("c1") == "new"


async def test_a_claimed_id_cannot_be_claimed_for_another_content(store: Storage) -> None:
    await store.claim("c1", a_call().digest)
    with pytest.raises(StoreError, match="claimed before with another content"):
        await store.claim("c1", a_call(deployment="db").digest)


async def test_the_first_end_of_a_call_stays(store: Storage) -> None:
    await store.claim("c1", a_call().digest)
    await store.done("c1", a_result(text="first"))
    await store.done("c1", a_result(text="second"))
    await store.keep(a_result(text="third"))
    assert await store.outcome("c1") == a_result(text="first") == await store.output("c1")


async def test_a_call_cannot_end_before_it_was_claimed(store: Storage) -> None:
    with pytest.raises(StoreError, match="c1 ended and was never claimed"):
        await store.done("c1", a_result())
    with pytest.raises(StoreError, match="no output of call c1"):
        await store.output("c1")


async def test_the_output_of_a_read_is_replaced_when_it_is_read_again(store: Storage) -> None:
    await store.keep(a_result(text="3 pods"))
    await store.keep(a_result(text="2 pods"))
    assert (await store.output("c1")).text == "2 pods"


async def test_any_text_can_be_kept(store: Storage) -> None:
    text = "\x00 \ud800 \u2028 é 日本 \x1b[31m"
    await store.keep(a_result(text="x", data={"line": text}))
    assert (await store.output("c1")).data == {"line": text}


async def test_events_come_back_in_order_and_streamed_pieces_do_not(store: Storage) -> None:
    asked = Asked(**STAMP, text="why?", squad="k8s", by="sam", target=TARGET)
    stopped = Stopped(**STAMP, status="answered")
    await store.append(asked, Streamed(**STAMP, text="bec"), stopped)
    await store.append(Streamed(**STAMP, text="ause"))
    await store.append(asked.model_copy(update={"thread": "t2"}))
    assert await store.events("t1") == [asked, stopped]


async def test_the_audit_log_is_a_chain(store: Storage) -> None:
    assert await store.verify_audit() is None
    first = await store.audit(a_draft())
    second = await store.audit(a_draft(thread="t2"))
    assert (first.seq, second.seq, second.prev_hash) == (1, 2, first.hash)
    assert await store.audit_records() == [first, second]
    assert await store.audit_records(thread="t2") == [second]
    assert await store.audit_records(last=1) == [second]
    assert await store.verify_audit() is None


async def test_events_of_calls_side_by_side_are_all_kept(store: Storage) -> None:
    await store.create_thread(a_thread())
    event = Stopped(**STAMP, status="answered")
    for _ in range(100):
        await asyncio.gather(*(store.append(event) for _ in range(8)))
    assert len(await store.events("t1")) == 800
