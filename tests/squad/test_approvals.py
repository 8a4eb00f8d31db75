"""Cards on a small stage: who may answer, what a yes still holds for at the act, what a no keeps away."""

from pathlib import Path

import pytest

from opssquad.errors import Refused, ToolError
from opssquad.events import Decided, Judged, Requested, Returned
from opssquad.models.base import ModelCall, Reply
from opssquad.squad.context import Judge
from opssquad.squad.judging import names
from opssquad.testing import scripted, wants
from opssquad.toolbox import Tool
from opssquad.types import Approval, Effect, Needs, Outcome, Restraint, ToolCall, Verdict
from tests.squad.stage import Counter, Stage, judge, stage

DONE = Reply(text="done")


def said(outcome: Outcome, rule: str = "test", **fields: object) -> Judge:
    """A policy with one word for whatever changes something."""

    async def judged(call: ToolCall, effect: Effect | None) -> Verdict:
        verdict = {"outcome": outcome, "rule": rule, **fields}
        return Verdict.model_validate(verdict) if effect == "mutate" else await judge(call, effect)

    return judged


def cards(s: Stage) -> list[Approval]:
    return [e.approval for e in s.events if isinstance(e, Requested)]


def results(s: Stage) -> list[str]:
    return [e.result.text for e in s.events if isinstance(e, Returned)]


def void(s: Stage) -> str:
    """Why the card became void."""
    decision = [e.decision for e in s.events if isinstance(e, Decided)][-1]
    assert decision.outcome == "voided"
    return decision.reason


async def test_a_card_carries_what_policy_needs_and_the_act_waits_for_all_of_it(tmp_path: Path) -> None:
    needs = Needs(approvers=2, roles=("sre",), requester_may_approve=False)
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        s.ctx.judge, s.ctx.roles = said("ask", needs=needs), lambda person: ("sre",)
        await s.ask("raise it")
        assert cards(s)[0].needs == needs
        with pytest.raises(Refused, match="ada asked for it"):
            await s.decide("approved", roles=("sre",))
        assert (await s.decide("approved", by="kim", roles=("sre",))).outcome == "consented"
        assert (await s.decide("approved", by="lee", roles=("sre",))).outcome == "approved"
        await s.go_on()
        assert s.counter.value == 1


async def test_an_approval_is_void_when_policy_refuses_by_the_time_of_the_act(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("approved")
        s.ctx.judge = said("refuse", "freeze", reason="the sale is on")
        await s.go_on()
        assert s.counter.value == 0
        assert void(s) == "it is refused now by freeze: the sale is on"
        assert "the card is void" in results(s)[-1]


@pytest.mark.parametrize(
    ("needs", "short"),
    [
        (Needs(approvers=2), "1 more approver, and not ada"),
        (Needs(roles=("sre",)), "1 approver of role sre"),
        (Needs(requester_may_approve=False), "1 approver, and not ada"),
    ],
)
async def test_an_approval_is_void_when_policy_wants_more_than_was_given(
    tmp_path: Path, needs: Needs, short: str
) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("approved")
        s.ctx.judge = said("ask", "stricter", needs=needs)
        await s.go_on()
        assert s.counter.value == 0
        assert void(s) == f"policy has become stricter: rule stricter wants {short} now"


async def test_an_approval_is_void_when_policy_has_taken_the_role_from_who_gave_it(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        s.ctx.judge = said("ask", needs=Needs(roles=("sre",)))
        await s.ask("raise it")
        await s.decide("approved", by="kim", roles=("sre",))
        s.ctx.roles = lambda person: ("sre",) if person == "lee" else ()
        await s.go_on()
        assert s.counter.value == 0
        assert void(s) == "policy has become stricter: rule test wants 1 approver of role sre now"


async def test_a_freeze_that_begins_while_the_world_is_looked_at_again_voids_the_card(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("approved")

        async def slow(tool: Tool) -> str:
            s.ctx.judge = said("refuse", "freeze")
            return ""

        s.ctx.identity = slow
        await s.go_on()
        assert s.counter.value == 0
        assert void(s) == "it is refused now by freeze"


async def test_an_approval_holds_when_policy_has_become_milder(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        s.ctx.judge = said("ask", needs=Needs(approvers=2, roles=("sre",)))
        s.ctx.roles = lambda person: ("sre", "dba")
        await s.ask("raise it")
        for name in ("kim", "lee"):
            await s.decide("approved", by=name, roles=("sre", "dba"))
        s.ctx.judge = said("ask", needs=Needs(approvers=2, roles=("dba",)))
        await s.go_on()
        assert s.counter.value == 1


async def test_an_approval_given_on_one_cluster_is_void_on_another(tmp_path: Path) -> None:
    async def here(tool: Tool) -> str:
        return "uid=1"

    async def elsewhere(tool: Tool) -> str:
        return "uid=2"

    counter = Counter()
    async with stage(tmp_path, scripted(wants("bump")), counter=counter) as s:
        s.ctx.identity = here
        await s.ask("raise it")
        assert cards(s)[0].cluster_id == "uid=1"
        await s.decide("approved")
    async with stage(tmp_path, scripted(DONE), counter=counter) as s:
        s.ctx.identity = elsewhere
        await s.go_on()
        assert counter.value == 0
        assert void(s) == "this is another system than the card's: uid 1 -> 2"


async def test_a_cluster_that_cannot_be_told_at_the_act_voids_the_approval(tmp_path: Path) -> None:
    async def silent(tool: Tool) -> str:
        raise ToolError("no answer")

    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("approved")
        s.ctx.identity = silent
        await s.go_on()
        assert s.counter.value == 0
        assert void(s) == "the world cannot be looked at again: no answer"


@pytest.mark.parametrize(
    "again", [wants("bump"), wants("bump", by=1)], ids=["the same", "defaults spelled out"]
)
async def test_what_was_refused_is_not_put_up_again_in_the_same_turn(
    tmp_path: Path, again: ModelCall
) -> None:
    model = scripted(wants("bump"), again, again, wants("bump", by=2))
    async with stage(tmp_path, model) as s:
        await s.ask("please bump it")
        await s.decide("refused", "not on a Friday")
        await s.go_on()
        assert results(s)[1] == (
            "refused by an earlier no: ada refused this before: not on a Friday;"
            " propose something else, or ask"
        )
        assert results(s)[2] == results(s)[1], "however often it is tried"
        assert [c.call.args for c in cards(s)] == [{}, {"by": 2}], "another call is another matter"


@pytest.mark.parametrize(
    ("words", "put_up"),
    [("how is it?", False), ("bump it after all", True), ("then bump the counter by one", True)],
)
async def test_in_a_later_turn_only_the_engineers_words_bring_a_refused_call_back(
    tmp_path: Path, words: str, put_up: bool
) -> None:
    model = scripted(wants("bump"), DONE, wants("bump", by=1), DONE)
    async with stage(tmp_path, model) as s:
        await s.ask("raise it")
        await s.decide("refused")
        await s.go_on()
        kinds = await s.ask(words)
        assert (kinds[-1] == "requested") is put_up
        if not put_up:
            assert "the engineer brings it back by asking for bump by name" in results(s)[-1]


async def test_a_choice_of_the_engineer_brings_a_refused_call_back(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("refused")
        await s.go_on()
        chosen = [ModelCall(id="chosen", tool="bump", chosen=True)]
        assert (await s.ask("the first one", chosen=chosen))[-1] == "requested"


async def test_after_a_yes_an_older_no_is_forgotten(tmp_path: Path) -> None:
    model = scripted(wants("bump"), DONE, wants("bump"), DONE, wants("bump"), DONE)
    async with stage(tmp_path, model) as s:
        await s.ask("raise it")
        await s.decide("refused")
        await s.go_on()
        await s.ask("bump it")
        await s.decide("approved")
        await s.go_on()
        assert (await s.ask("once more"))[-1] == "requested"


async def test_an_edited_call_is_judged_anew_with_a_card_of_its_own(tmp_path: Path) -> None:
    model = scripted(wants("bump"), DONE, wants("bump", by=3), DONE)
    async with stage(tmp_path, model) as s:
        await s.ask("raise it")
        await s.decide("refused", "edit: by three")
        await s.go_on()
        await s.ask("by three")
        first, second = cards(s)
        assert first.id != second.id
        assert first.call.digest != second.call.digest
        assert [e.call.args for e in s.events if isinstance(e, Judged)] == [{}, {"by": 3}]
        await s.decide("approved")
        await s.go_on()
        assert s.counter.value == 3


@pytest.mark.parametrize(
    ("said_", "tool", "named"),
    [
        ("roll it back", "rollback", True),
        ("Rolling auth-service back, please", "rollback", True),
        ("do the rollback", "rollback", True),
        ("set the new image", "set_image", True),
        ("set_image it is", "set_image", True),
        ("restart it", "restart", True),
        ("is it back?", "rollback", False),
        ("look at the rest of the chart", "scale", False),
        ("", "scale", False),
    ],
)
def test_words_name_a_tool_in_its_usual_spellings(said_: str, tool: str, named: bool) -> None:
    assert names(said_, tool) is named


async def test_in_a_thread_that_only_reads_a_change_is_refused_by_rule_and_no_card_is_made(
    tmp_path: Path,
) -> None:
    model = scripted([wants("bump"), wants("look")], DONE)
    async with stage(tmp_path, model) as s:
        s.ctx.restraint = "read"
        await s.ask("raise it")
        judged = {e.call.tool: e.verdict for e in s.events if isinstance(e, Judged)}
        assert (judged["bump"].outcome, judged["bump"].rule) == ("refuse", "read-only")
        assert cards(s) == []
        assert await s.store.approvals() == []
        assert results(s)[0].startswith("refused by read-only: this conversation only reads")
        assert results(s)[1] == "The counter stands at 0."
        assert s.counter.value == 0
        assert any("refused by read-only" in m.text for m in model.asked[-1].messages)


async def test_in_a_thread_that_only_suggests_the_run_goes_on_and_nothing_is_ever_run(tmp_path: Path) -> None:
    model = scripted(wants("bump"), wants("bump"), DONE)
    async with stage(tmp_path, model) as s:
        s.ctx.restraint = "suggest"
        kinds = await s.ask("raise it")
        assert kinds[-1] == "answered"
        assert await s.engine.waiting() == []
        (card,) = cards(s)
        assert card.suggestion
        assert results(s)[0].startswith("suggested, not done: ")
        assert results(s)[0].endswith("on screen now: count bump --by 1")
        assert "it was suggested already" in results(s)[1]
        (record,) = await s.store.approvals("suggested")
        assert record.approval == card
        assert s.counter.value == 0


@pytest.mark.parametrize(("restraint", "why"), [("suggest", "only suggests"), ("read", "read-only")])
async def test_an_approval_is_void_in_a_thread_that_was_restrained_since(
    tmp_path: Path, restraint: Restraint, why: str
) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE)) as s:
        await s.ask("raise it")
        await s.decide("approved")
        s.ctx.restraint = restraint
        await s.go_on()
        assert s.counter.value == 0
        assert why in void(s)
