"""Who may say yes: several people, roles, the requester; and what the store keeps of each yes."""

from typing import Any

import pytest

from opssquad.errors import Refused
from opssquad.store.base import Storage
from opssquad.store.consent import missing, short_of
from opssquad.types import Approval, Decision, Needs
from tests.samples import a_call, a_card, a_decision


def two(**needs: Any) -> Approval:
    return a_card(needs=Needs(approvers=2, **needs))


def a_yes(card: Approval, by: str, *roles: str) -> Decision:
    return a_decision(card, by=by).model_copy(update={"roles": roles})


async def test_one_yes_of_two_leaves_the_card_waiting_and_says_who_is_missing(store: Storage) -> None:
    card = two(requester_may_approve=False)
    await store.add_approval(card)
    assert (await store.decide(a_yes(card, "kim"))).outcome == "consented"
    record = await store.approval_record(card.id)
    assert record.status(card.requested_at) == "pending"
    assert missing(card, record.consents) == "1 more approver, and not sam or kim"
    with pytest.raises(Refused, match="is not decided; its call is not carried out"):
        await store.claim(card.call.id, card.call.digest)


async def test_the_second_yes_of_somebody_else_approves_in_the_name_of_both(store: Storage) -> None:
    card = two()
    await store.add_approval(card)
    await store.decide(a_yes(card, "kim"))
    stands = await store.decide(a_yes(card, "lee"))
    assert (stands.outcome, stands.by) == ("approved", "kim and lee")
    lines = [(line.status, line.approval.by) for line in await store.audit_records() if line.approval]
    assert lines == [("consented", "kim"), ("consented", "lee"), ("approved", "kim and lee")]
    assert await store.verify_audit() is None
    assert await store.claim(card.call.id, card.call.digest)


@pytest.mark.parametrize("again", ["kim", "Kim", " kim "])
async def test_the_same_person_twice_is_one_yes(store: Storage, again: str) -> None:
    card = two()
    await store.add_approval(card)
    first = await store.decide(a_yes(card, "kim"))
    assert await store.decide(a_yes(card, again)) == first
    assert await store.decision(card.id) is None
    assert len(await store.audit_records()) == 1


async def test_one_no_is_enough_even_after_a_yes(store: Storage) -> None:
    card = two()
    await store.add_approval(card)
    await store.decide(a_yes(card, "kim"))
    await store.decide(a_decision(card, "refused", by="lee"))
    assert (await store.decide(a_yes(card, "max"))).outcome == "refused"
    with pytest.raises(Refused, match="is refused"):
        await store.claim(card.call.id, card.call.digest)


@pytest.mark.parametrize(
    ("needs", "by", "roles", "why"),
    [
        (Needs(requester_may_approve=False), "sam", (), "sam asked for it"),
        (Needs(requester_may_approve=False), "SAM", (), "sam asked for it"),
        (Needs(roles=("sre", "dba")), "kim", (), "wants the role sre or dba; roles of kim: none"),
        (Needs(roles=("sre",)), "kim", ("dev",), "wants the role sre; roles of kim: dev"),
    ],
)
async def test_a_yes_of_somebody_who_may_not_give_it_is_refused_and_the_card_waits(
    store: Storage, needs: Needs, by: str, roles: tuple[str, ...], why: str
) -> None:
    card = a_card(needs=needs)
    await store.add_approval(card)
    with pytest.raises(Refused, match=why):
        await store.decide(a_yes(card, by, *roles))
    assert (await store.approval_record(card.id)).status(card.requested_at) == "pending"


async def test_a_role_that_the_card_names_may_approve_and_anyone_may_refuse(store: Storage) -> None:
    card = a_card(needs=Needs(roles=("sre", "dba"), requester_may_approve=False))
    await store.add_approval(card)
    assert (await store.decide(a_yes(card, "kim", "dba"))).outcome == "approved"
    other = a_card("a2", needs=card.needs)
    await store.add_approval(other)
    assert (await store.decide(a_decision(other, "refused", by="sam"))).outcome == "refused"


async def test_a_suggestion_cannot_be_approved_or_carried_out(store: Storage) -> None:
    card = a_card(suggestion=True)
    await store.add_approval(card)
    with pytest.raises(Refused, match="copy its command to run it yourself"):
        await store.decide(a_decision(card))
    with pytest.raises(Refused):
        await store.claim(card.call.id, card.call.digest)
    assert await store.approvals("pending") == []


async def test_a_suggestion_cannot_be_refused_either(store: Storage) -> None:
    card = a_card(suggestion=True)
    await store.add_approval(card)
    with pytest.raises(Refused, match="there is nothing to decide"):
        await store.decide(a_decision(card, "refused"))
    assert await store.audit_records() == []


async def test_a_yes_for_the_session_is_for_reads_only(store: Storage) -> None:
    change, read = a_card(), a_card("a2", a_call("c2", "logs"), effect="read")
    for card in (change, read):
        await store.add_approval(card)
    with pytest.raises(Refused, match="a change is never remembered"):
        await store.decide(a_decision(change).model_copy(update={"session": True}))
    assert (await store.approval_record(change.id)).decisions == ()
    assert (await store.decide(a_decision(read).model_copy(update={"session": True}))).session
    (line,) = await store.audit_records()
    assert (line.effect, line.why) == ("read", "for this session: pods crash since the last rollout")


@pytest.mark.parametrize("last", [True, False])
async def test_of_several_all_must_say_yes_for_the_session(store: Storage, last: bool) -> None:
    card = a_card(needs=Needs(approvers=2), effect="read")
    await store.add_approval(card)
    await store.decide(a_yes(card, "kim").model_copy(update={"session": True}))
    stands = await store.decide(a_yes(card, "lee").model_copy(update={"session": last}))
    assert (stands.outcome, stands.session) == ("approved", last)


@pytest.mark.parametrize(
    ("needs", "short"),
    [
        (Needs(), ""),
        (Needs(approvers=2), ""),
        (Needs(approvers=3), "1 more approver, and not kim or sam"),
        (Needs(roles=("dba",)), ""),
        (Needs(approvers=2, roles=("dba",)), "1 more approver of role dba, and not kim"),
        (Needs(approvers=2, requester_may_approve=False), "1 more approver, and not sam or kim"),
        (Needs(roles=("net",)), "1 approver of role net"),
    ],
)
def test_what_is_short_of_other_needs_counts_only_the_yeses_that_they_take(needs: Needs, short: str) -> None:
    card = two()
    assert short_of(card, needs, [a_yes(card, "kim", "dba"), a_yes(card, "sam", "dev")]) == short
