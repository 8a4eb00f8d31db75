"""A thread that may change nothing: what its model is offered, what handles can do, what is taken back."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import Refused, UsageError
from opssquad.events import Called, Event, Judged, Requested
from opssquad.executor import Status
from opssquad.findings import ToolResult
from opssquad.investigation import Investigation, Options
from opssquad.investigation.assemble import options_of
from opssquad.store.sqlite import Store
from opssquad.testing import scripted, wants
from opssquad.types import Effect, Restraint, ToolCall, Verdict
from tests.samples import a_thread

RECORDING = content.recordings()["auth-0308"]


def options(state: Path, restraint: Restraint = "none") -> Options:
    return Options(state=state, by="ada", recording=RECORDING, mode="chat", restraint=restraint)


async def said(run: Investigation, text: str) -> list[Event]:
    return [e async for e in run.ask(text)]


@pytest.mark.parametrize(
    ("kept", "given", "holds"),
    [
        ("none", "suggest", "suggest"),
        ("suggest", "none", "suggest"),
        ("read", "suggest", "read"),
        ("suggest", "read", "read"),
        ("none", "none", "none"),
    ],
)
def test_a_thread_that_is_taken_up_again_is_tightened_and_never_loosened(
    tmp_path: Path, kept: Restraint, given: Restraint, holds: Restraint
) -> None:
    record = a_thread(restraint=kept, recording=str(RECORDING))
    assert options_of(record, options(tmp_path, given)).restraint == holds


async def test_what_a_thread_was_tightened_to_is_on_its_record(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path)) as run:
        thread = run.thread
    async with await Investigation.open(options(tmp_path, "suggest"), resume=thread):
        pass
    async with await Store.open(tmp_path) as store:
        assert (await store.thread(thread)).restraint == "suggest"


async def test_a_model_that_may_only_read_is_offered_no_tool_that_changes_anything(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path, "read")) as run:
        ctx = run._ctx
        changing = {tool.name for tool in ctx.toolbox if tool.effect == "mutate"}
        assert changing
        assert not changing & {spec.name for spec in ctx.member("k8s").specs}


@pytest.mark.parametrize("restraint", ["read", "suggest"])
async def test_where_nothing_may_change_no_call_gets_a_handle_that_writes(
    tmp_path: Path, restraint: Restraint
) -> None:
    async with await Investigation.open(options(tmp_path, restraint)) as run:
        ctx = run._ctx
        args = {"deployment": "auth-service", "namespace": "authentication", "revision": 2}
        with pytest.raises(Refused, match="a read may not change deployments"):
            await ctx.toolbox.get("rollback").run(args, ctx.handles)


async def test_a_choice_of_the_conclusion_that_changes_something_is_refused_in_a_thread_that_only_reads(
    tmp_path: Path,
) -> None:
    async with await Investigation.open(options(tmp_path, "read")) as run:
        await said(run, "why do logins fail?")
        events = await said(run, "1")
        assert [e.verdict.rule for e in events if isinstance(e, Judged)][0] == "read-only"
        assert not [e for e in events if isinstance(e, Requested)]


async def test_a_read_that_was_approved_is_nothing_to_take_back(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path)) as run:
        judge = run._ctx.judge

        async def asks(call: ToolCall, effect: Effect | None) -> Verdict:
            return (await judge(call, effect)).model_copy(update={"outcome": "ask"})

        run._ctx.judge = asks
        events = await said(run, "what are the revisions of auth-service?")
        while cards := [e.approval for e in events if isinstance(e, Requested)]:
            await run.decide(cards[0].id, "approved", by="ada")
            events = [e async for e in run.resume()]
        with pytest.raises(UsageError, match="nothing was changed in this conversation"):
            [e async for e in run.undo()]


@pytest.mark.parametrize(("status", "offered"), [("error", False), ("unknown", True), ("ok", True)])
async def test_only_a_change_that_may_have_been_made_can_be_taken_back(
    tmp_path: Path, status: Status, offered: bool
) -> None:
    async with await Investigation.open(options(tmp_path)) as run:
        await said(run, "why do logins fail?")
        events = await said(run, "1")
        (card,) = [e.approval for e in events if isinstance(e, Requested)]
        await run.decide(card.id, "approved", by="ada")
        # As a process leaves it that died once the change had its end.
        await run._store.claim(card.call.id, card.call.digest)
        await run._store.done(card.call.id, ToolResult(call=card.call.id, status=status, text=status))
        _ = [e async for e in run.resume()]
        if offered:
            undone = [e async for e in run.undo()]
            assert [e.call.tool for e in undone if isinstance(e, Called)] == ["rollback"]
        else:
            with pytest.raises(UsageError, match="nothing was changed in this conversation"):
                _ = [e async for e in run.undo()]


async def test_a_yes_for_the_session_counts_for_alike_reads_that_are_up_already(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path)) as run:
        judge = run._ctx.judge

        async def asks(call: ToolCall, effect: Effect | None) -> Verdict:
            return (await judge(call, effect)).model_copy(
                update={"outcome": "ask" if call.tool == "logs" else "allow"}
            )

        run._ctx.judge = asks
        run._ctx.model = scripted(
            [
                *(wants("logs", pod=pod, namespace="authentication") for pod in ("auth-service", "login-ui")),
                wants("logs", pod="api", namespace="default"),
            ]
        )
        first, alike, other = [e.approval for e in await said(run, "look") if isinstance(e, Requested)]
        await run.decide(first.id, "approved", by="kim", session=True)
        assert [card.id for card in await run.pending()] == [other.id]
        answered = await run.record(alike.id)
        assert answered.decision
        assert (answered.decision.by, answered.decision.session) == ("kim", True)
        assert answered.decision.reason == f"yes for the session to {first.id}"
