"""What a run leaves in the audit log: each call, verdict, decision, act and check."""

from pathlib import Path

from opssquad import content
from opssquad.events import Requested, Returned
from opssquad.gate.redact import Redactor
from opssquad.investigation import Investigation, Options
from opssquad.investigation.auditing import WHY, Auditor
from opssquad.models.base import Reply
from opssquad.store.base import AuditRecord
from opssquad.store.checking import check
from opssquad.store.sqlite import Store
from opssquad.testing import scripted, wants
from opssquad.toolbox import Toolbox
from opssquad.types import digest
from tests.squad.stage import bump, look, stage

RECORDING = content.recordings()["auth-0308"]

DONE = Reply(text="done")


def auditor() -> Auditor:
    return Auditor(Toolbox([look, bump]), Redactor(), by="ada", squad="s", prompt="You count.")


async def lines(folder: Path) -> list[AuditRecord]:
    async with await Store.open(folder) as store:
        assert await store.verify_audit() is None
        return list(await store.audit_records())


def told(records: list[AuditRecord]) -> list[str]:
    return [f"{r.kind} {r.tool} {r.status}" for r in records]


async def test_a_fix_in_two_processes_leaves_every_step_with_its_fields(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=RECORDING, mode="chat")
    async with await Investigation.open(options) as run:
        _ = [e async for e in run.ask("why do logins fail?")]
        events = [e async for e in run.ask("1")]
        (card,) = [e.approval for e in events if isinstance(e, Requested)]
        await run.decide(card.id, "approved", by="kim")
    async with await Investigation.open(options, resume=run.thread) as again:
        events = [e async for e in again.resume()]
    (end,) = [e.result for e in events if isinstance(e, Returned) and e.call.id == card.call.id]
    about = [r for r in await lines(tmp_path) if r.output_ref == card.call.id or r.args == card.call.args]
    act = [r for r in about if r.tool == card.call.tool]
    assert told(act) == [
        "verdict rollback ask",
        "decision rollback approved",
        "call rollback started",
        "call rollback ok",
        "check rollback better",
    ]
    verdict, decision, started, ended, check = act
    assert decision.followed_by == card.call.id
    assert {r.policy_rule for r in act} == {card.rule}
    assert {r.thread for r in act} == {run.thread}
    assert {r.requested_by for r in act} == {"ada"}
    assert {r.effect for r in act} == {"mutate"}
    assert {r.model for r in act} == {""}, "the engineer chose it by number: no model asked for it"
    for line in (started, ended, check):
        assert line.approval is not None
        assert (line.approval.id, line.approval.by) == (card.id, "kim")
    assert started.why == ended.why == card.why
    assert started.output_ref == ended.output_ref == card.call.id
    assert (ended.output_sha256, ended.ms) == (digest(end.model_dump(mode="json")), end.ms)
    assert ended.followed_by == check.output_ref == f"{card.call.id}.check"
    assert len(verdict.prompt_hash) == 64


async def test_every_read_has_its_verdict_and_its_result(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=RECORDING, mode="ask")
    async with await Investigation.open(options) as run:
        events = [e async for e in run.ask("why do logins fail?")]
    records = await lines(tmp_path)
    returned = [e.call.id for e in events if isinstance(e, Returned)]
    results = [r for r in records if r.kind == "call"]
    assert [r.output_ref for r in results] == returned
    assert len([r for r in records if r.kind == "verdict"]) == len(returned)
    for line in results:
        assert (line.policy_rule, line.model, line.effect) == ("reads are free", "offline", "read")
        assert line.why


async def test_what_policy_refuses_and_what_is_no_tool_are_on_record(tmp_path: Path) -> None:
    model = scripted(wants("drop_everything", now=True), wants("look"), DONE)
    async with stage(tmp_path, model, audit=auditor()) as s:
        await s.ask("clean up")
    first, second = (await lines(tmp_path))[:2]
    assert told([first, second]) == ["verdict drop_everything refuse", "call drop_everything error"]
    assert (first.effect, first.args, first.why) == (None, {"now": True}, "None")


async def test_a_refused_card_leaves_the_refusal_and_no_start(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE), audit=auditor()) as s:
        await s.ask("raise it")
        await s.decide("refused", "not today")
        await s.go_on()
    records = await lines(tmp_path)
    assert told(records)[:3] == ["verdict bump ask", "decision bump refused", "call bump refused"]
    assert records[1].why == "not today"
    assert "started" not in {r.status for r in records}


async def test_a_secret_and_a_long_speech_do_not_get_into_the_log(tmp_path: Path) -> None:
    secret = "password=hunter2hunter2"
    reply = Reply(text=f"because {secret} " + "and so on " * 100, calls=(wants("look"),))
    async with stage(tmp_path, scripted(reply, DONE), audit=auditor()) as s:
        await s.ask("look")
    records = await lines(tmp_path)
    (line,) = [r for r in records if r.kind == "call" and r.tool == "look"]
    assert "hunter2" not in "".join(r.model_dump_json() for r in records)
    assert line.why.startswith("because password=«redacted")
    assert len(line.why) == WHY + 1


async def test_a_suggestion_is_audited_as_one(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE), audit=auditor()) as s:
        s.ctx.restraint = "suggest"
        await s.ask("raise it")
    assert told(await lines(tmp_path)) == [
        "verdict bump ask",
        "decision bump suggested",
        "call bump refused",
    ]
    assert [line for line in check(tmp_path) if line.state == "fail"] == []
