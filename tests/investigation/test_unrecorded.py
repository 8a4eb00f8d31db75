"""What cannot be put on record does not happen: a disk that really takes no more, at each write of an act."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opssquad.errors import StoreError
from opssquad.events import Event
from opssquad.gate.redact import Redactor
from opssquad.investigation.auditing import Auditor
from opssquad.models.base import Reply
from opssquad.store.base import AuditDraft
from opssquad.store.sqlite import Store
from opssquad.testing import scripted, wants
from opssquad.toolbox import Toolbox
from tests.squad.stage import Counter, Stage, bump, look, stage


@contextmanager
def no_room() -> Iterator[None]:
    """The system lets no file of this process grow: a write ends as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


DONE = Reply(text="done")


def auditor() -> Auditor:
    return Auditor(Toolbox([look, bump]), Redactor(), by="ada", squad="s", prompt="You count.")


def full_at(stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let that write of the store meet a full disk; the list that is returned counts the writes."""
    write, made = stage.store._db.write, list[int]()

    async def limited(work: Any, *, durable: bool = False) -> Any:
        made.append(len(made) + 1)
        if made[-1] != number:
            return await write(work, durable=durable)
        with no_room():
            return await write(work, durable=durable)

    monkeypatch.setattr(stage.store._db, "write", limited)
    return made


async def approved(s: Stage) -> None:
    await s.ask("raise it")
    await s.decide("approved")


async def on_record(store: Store, status: str) -> int:
    return sum((r.tool, r.status) == ("bump", status) for r in await store.audit_records())


# The fourth finds that the end of the act is kept already, and writes nothing.
@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7])
async def test_wherever_the_disk_is_full_no_act_is_without_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump"), DONE), counter=counter, audit=auditor()) as s:
        await approved(s)
        writes = full_at(s, number, monkeypatch)
        with pytest.raises(StoreError, match="nothing was half-written"):
            await s.go_on()
        assert len(writes) == number, "nothing is written after what could not be"
        assert await on_record(s.store, "started") == counter.value
    async with stage(tmp_path, scripted(DONE), counter=counter, audit=auditor()) as s:
        await s.go_on()
        assert await s.store.verify_audit() is None
        assert await on_record(s.store, "started") == counter.value <= 1, "and it is never done twice"


async def test_an_act_whose_start_cannot_be_put_on_record_is_not_even_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump"), DONE), counter=counter, audit=auditor()) as s:
        await approved(s)
        claim = s.store.claim

        async def full(call: str, digest: str, *events: Event, audit: Sequence[AuditDraft] = ()) -> bool:
            with no_room():
                return await claim(call, digest, *events, audit=audit)

        monkeypatch.setattr(s.store, "claim", full)
        with pytest.raises(StoreError, match="nothing was half-written"):
            await s.go_on()
        assert (counter.value, counter.version) == (0, 1)
        assert "started" not in {e.kind for e in await s.store.events("t")}, "both are on record, or none"
        assert await s.store.outcome("t-0.1") == "new"
    async with stage(tmp_path, scripted(DONE), counter=counter, audit=auditor()) as s:
        await s.go_on()
        assert counter.value == await on_record(s.store, "started") == 1, "the yes still holds"


async def test_an_audit_log_that_may_not_be_written_stops_the_act(
    tmp_path: Path,
) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump"), DONE), counter=counter, audit=auditor()) as s:
        await approved(s)
        await s.store._db.read(lambda c: c.execute("pragma query_only = on"))
        with pytest.raises(StoreError, match="readonly database; check the permissions"):
            await s.go_on()
        assert counter.value == 0


def full_for_the_log(s: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events alone can be written, with a line of the audit log they cannot."""
    append = s.store.append

    async def full(*events: Event, audit: Sequence[AuditDraft] = ()) -> None:
        if not audit:
            return await append(*events)
        with no_room():
            return await append(*events, audit=audit)

    monkeypatch.setattr(s.store, "append", full)


async def test_a_read_whose_verdict_cannot_be_put_on_record_does_not_happen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, scripted(wants("look"), DONE), audit=auditor()) as s:
        full_for_the_log(s, monkeypatch)
        with pytest.raises(StoreError):
            await s.ask("look")
        kinds = {e.kind for e in await s.store.events("t")}
        assert not kinds & {"judged", "started", "returned"}


async def test_no_card_is_put_up_for_a_change_whose_verdict_cannot_be_put_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump"), DONE), counter=counter, audit=auditor()) as s:
        full_for_the_log(s, monkeypatch)
        with pytest.raises(StoreError, match="nothing was half-written"):
            await s.ask("raise it")
        assert await s.store.approvals() == []
        assert not {e.kind for e in await s.store.events("t")} & {"judged", "requested", "started"}
        assert counter.value == 0


async def test_a_decision_that_cannot_be_put_on_record_is_none(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE), audit=auditor()) as s:
        await s.ask("raise it")
        with no_room(), pytest.raises(StoreError):
            await s.decide("approved")
        (card,) = await s.engine.waiting()
        assert await s.store.decision(card) is None
        await s.decide("approved")
        assert await s.store.verify_audit() is None
