"""What every store must do with its audit log: lines with their events or not at all, one chain for all who
write, changes told once, the lines that are meant found.
"""

import asyncio
import json
from datetime import timedelta

import pytest

from opssquad.errors import Refused
from opssquad.events import Asked, Stopped
from opssquad.store import export
from opssquad.store.audit import EVERY
from opssquad.store.base import AuditDraft, AuditFilter, Storage
from opssquad.types import Needs
from tests.samples import NOW, TARGET, a_call, a_card, a_decision, a_draft, a_result, a_thread
from tests.store.stores import Opener

STAMP = {"thread": "t1", "turn": 1, "at": NOW, "recorded_at": NOW}
STOPPED = Stopped(**STAMP, status="answered")
ASKED = Asked(**STAMP, text="why?", squad="k8s", by="sam", target=TARGET)


def unwritable() -> AuditDraft:
    """A line that no store can spell."""
    return a_draft(args={"handle": object()})


async def test_events_and_their_lines_are_on_record_together(store: Storage) -> None:
    await store.append(ASKED, STOPPED, audit=[a_draft(status="started"), a_draft()])
    assert await store.events("t1") == [ASKED, STOPPED]
    assert [r.status for r in await store.audit_records()] == ["started", "ok"]
    await store.append(audit=[a_draft(status="error")])
    assert [r.status for r in await store.audit_records()] == ["started", "ok", "error"]
    assert await store.events("t1") == [ASKED, STOPPED]


async def test_a_line_that_cannot_be_written_takes_events_and_other_lines_with_it(store: Storage) -> None:
    await store.append(ASKED, audit=[a_draft()])
    with pytest.raises(ValueError, match="serialize"):
        await store.append(STOPPED, audit=[a_draft(status="error"), unwritable()])
    assert await store.events("t1") == [ASKED]
    assert [r.status for r in await store.audit_records()] == ["ok"]
    assert await store.verify_audit() is None
    await store.append(STOPPED, audit=[a_draft(status="error")])
    assert [r.seq for r in await store.audit_records()] == [1, 2]


async def test_each_yes_of_several_has_its_line_and_the_last_one_decides(store: Storage) -> None:
    card = a_card(needs=Needs(approvers=2))
    await store.add_approval(card)
    assert (await store.decide(a_decision(card, by="kim"))).outcome == "consented"
    assert await store.decision(card.id) is None
    with pytest.raises(Refused, match="not decided"):
        await store.claim(card.call.id, card.call.digest)
    assert (await store.decide(a_decision(card, by="Kim"))).outcome == "consented", "the same person"
    assert (await store.decide(a_decision(card, by="lee"))).outcome == "approved"
    assert [(r.status, r.approval.by) for r in await store.audit_records() if r.approval] == [
        ("consented", "kim"),
        ("consented", "lee"),
        ("approved", "kim and lee"),
    ]
    assert [each.by for each in (await store.approval_record(card.id)).consents] == ["kim", "lee"]


async def test_a_no_ends_a_card_that_one_of_two_agreed_to(store: Storage) -> None:
    card = a_card(needs=Needs(approvers=2))
    await store.add_approval(card)
    await store.decide(a_decision(card, by="kim"))
    assert (await store.decide(a_decision(card, "refused", by="lee"))).outcome == "refused"
    assert (await store.decide(a_decision(card, by="max"))).outcome == "refused"


async def test_a_yes_of_somebody_who_may_not_give_it_leaves_nothing(store: Storage) -> None:
    card = a_card(needs=Needs(roles=("sre",), requester_may_approve=False))
    await store.add_approval(card)
    for name, roles in (("sam", ("sre",)), ("kim", ())):
        with pytest.raises(Refused, match=f"cannot be approved by {name}"):
            await store.decide(a_decision(card, by=name).model_copy(update={"roles": roles}))
    assert (await store.approval_record(card.id)).consents == ()
    assert await store.audit_records() == []


def policy(content: str, tool: str = "policy", **args: str) -> AuditDraft:
    return a_draft(kind="policy", tool=tool, output_sha256=content, args=args, effect=None)


async def test_what_is_not_what_it_was_is_told_once_and_named(store: Storage, opener: Opener) -> None:
    assert (await store.audit_change(policy("1", file="a"))) is not None
    assert await store.audit_change(policy("1", file="a")) is None
    assert (await store.audit_change(policy("1", "another", file="a"))) is not None
    async with opener() as elsewhere:
        assert await elsewhere.audit_change(policy("1", file="a")) is None
        assert (await elsewhere.audit_change(policy("2", file="b", more="c"))) is not None
    assert await store.audit_change(policy("2", file="b", more="c")) is None
    assert [(r.tool, r.status, r.why) for r in await store.audit_records()] == [
        ("policy", "first", ""),
        ("another", "first", ""),
        ("policy", "changed", "changed: file, more"),
    ]


async def test_lines_are_found_by_incident_thread_actor_kind_and_time(store: Storage) -> None:
    for number, fields in enumerate(
        [
            {"thread": "t2", "incident": "i2"},
            {"requested_by": "lee", "agent": "k8s"},
            {"kind": "verdict"},
        ]
    ):
        await store.audit(a_draft(ts=NOW + timedelta(hours=number), **fields))
    card = a_card()
    await store.add_approval(card)
    await store.decide(a_decision(card, by="kim", at=NOW + timedelta(minutes=1)))

    async def found(**wanted: object) -> list[int]:
        return [r.seq for r in await store.audit_records(wanted=AuditFilter.model_validate(wanted))]

    assert await found(thread="t2") == await found(incident="i2") == [1]
    assert await found(actor="lee") == await found(actor="k8s") == [2]
    assert await found(actor="kim") == await found(kind="decision") == [4], "who decided is an actor too"
    assert await found(kind="verdict") == [3]
    assert await found(since=NOW + timedelta(hours=1)) == [2, 3]
    assert await found(since=NOW, until=NOW + timedelta(hours=1)) == [1, 4]
    assert await found(last=2) == [3, 4]
    assert await found(actor="nobody") == []


async def test_lines_come_with_their_exact_text_and_the_head_is_the_newest(store: Storage) -> None:
    assert (await store.audit_head(), list(await store.audit_lines(AuditFilter()))) == (None, [])
    for number in range(3):
        await store.audit(a_draft(ms=number, why="é \n \x1b"))
    lines = await store.audit_lines(AuditFilter())
    assert [record for record, _ in lines] == await store.audit_records()
    assert [json.loads(text)["ms"] for _, text in lines] == [0, 1, 2]
    head = await store.audit_head()
    assert head == lines[-1][0]
    proved = export.verify("".join(f"{text}\n" for _, text in lines).encode())
    assert (proved.misfit, proved.last, proved.hash) == (None, head.seq, head.hash)


async def test_an_anchor_fits_the_log_it_was_taken_of_and_no_other(store: Storage) -> None:
    records = [await store.audit(a_draft(ms=number)) for number in range(4)]
    assert await store.verify_audit({2: records[1].hash, 4: records[3].hash}) is None
    other = await store.verify_audit({2: "f" * 64})
    assert other is not None
    assert (other.seq, "anchor" in other.why) == (2, True)
    longer = await store.verify_audit({9: "f" * 64})
    assert longer is not None
    assert longer.seq == 5


async def test_checkpoints_stand_where_they_are_due_whoever_writes(store: Storage, opener: Opener) -> None:
    async with opener() as elsewhere:
        for number in range(EVERY // 2):
            await store.append(STOPPED, audit=[a_draft(ms=number), a_draft(ms=number)])
            if number % 50 == 0:
                await elsewhere.audit(a_draft())
    (line,) = await store.audit_records(wanted=AuditFilter(kind="checkpoint"))
    assert (line.seq, line.status) == (EVERY, "fits")
    assert await store.verify_audit() is None
    assert await store.verify_audit(quick=True) is None


async def test_of_two_that_claim_or_decide_at_once_exactly_one_wins(store: Storage, opener: Opener) -> None:
    async with opener() as elsewhere:
        for number in range(20):
            card = a_card(f"a{number}", a_call(f"c{number}"))
            await store.add_approval(card)
            said = await asyncio.gather(
                store.decide(a_decision(card, by="kim")), elsewhere.decide(a_decision(card, by="lee"))
            )
            assert said[0] == said[1], "both are told what holds"
            claims = await asyncio.gather(
                *(each.claim(card.call.id, card.call.digest) for each in (store, elsewhere))
            )
            assert sorted(claims) == [False, True]
    assert len(await store.audit_records()) == 20


async def test_what_one_wrote_another_that_opens_the_store_reads(store: Storage, opener: Opener) -> None:
    await store.create_thread(a_thread())
    await store.append(ASKED, audit=[a_draft()])
    await store.claim("c1", a_call().digest)
    await store.done("c1", a_result())
    async with opener() as elsewhere:
        assert (await elsewhere.thread("t1")).id == "t1"
        assert await elsewhere.events("t1") == [ASKED]
        assert await elsewhere.outcome("c1") == a_result()
        assert await elsewhere.audit_records() == await store.audit_records()
