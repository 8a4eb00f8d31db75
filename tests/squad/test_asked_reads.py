"""Reads that policy asks about: their cards, the grant they run with, a yes that holds for the session."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opssquad import Result, Tool, Toolbox, tool
from opssquad.errors import Refused
from opssquad.events import Judged, Requested, Returned
from opssquad.executor import Executor
from opssquad.gate.grant import Signer
from opssquad.gate.redact import Redactor
from opssquad.models.base import ModelCall, Reply
from opssquad.squad.cards import written
from opssquad.testing import scripted, wants
from opssquad.types import Cleared, Decision, Effect, Needs, Target, ToolCall, Verdict
from tests.squad.stage import Counter, Stage, bump, look, stage

DONE = Reply(text="done")


@tool(effect="read")
async def peek(counter: Counter, namespace: str = "ns", deep: bool = False) -> Result:
    """Look at the counter of a namespace."""
    return Result(text=f"{namespace}: {counter.value}")


@tool(effect="read")
async def stare(counter: Counter, namespace: str = "ns") -> Result:
    """Look at it longer."""
    return Result(text=f"stared at {namespace}")


HERE = Target(cluster="c", namespace="ns")
TOOLS = Toolbox([look, peek, stare, bump])


async def asks(call: ToolCall, effect: Effect | None) -> Verdict:
    """A policy that asks about everything; deep looks by a rule of their own."""
    rule = "deep" if call.args.get("deep") else "ask first"
    return Verdict(outcome="ask", rule=rule, reason="private data")


def ran(s: Stage) -> list[str]:
    return [e.result.text for e in s.events if isinstance(e, Returned) and e.result.status == "ok"]


async def test_a_read_that_policy_asks_about_gets_a_card_and_runs_after_a_yes(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("peek", namespace="web"), DONE), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        assert (await s.ask("look"))[-1] == "requested"
        assert ran(s) == []
        (card,) = [e.approval for e in s.events if isinstance(e, Requested)]
        assert (card.effect, card.preview.risk, dict(card.preview.binding)) == ("read", "low", {})
        assert card.preview.command == 'peek(namespace="web")'
        assert card.preview.impact == "reads only; nothing is changed"
        assert card.undo.note == "nothing to take back"
        await s.decide("approved")
        kinds = await s.go_on()
        assert ran(s) == ["web: 0"]
        assert "verified" not in kinds, "there is nothing to check after a read"
        decided = [line for line in await s.store.audit_records() if line.kind == "decision"]
        assert [(line.effect, line.status) for line in decided] == [("read", "approved")]


def test_a_line_of_kubectl_stands_on_its_card_as_it_is_typed() -> None:
    line = ToolCall(id="c", tool="kubectl", args={"line": "kubectl get cm -n web "}, target=HERE)
    assert written(line) == "kubectl get cm -n web"


async def test_a_no_keeps_a_read_away(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("peek"), DONE), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        await s.ask("look")
        await s.decide("refused", "private")
        await s.go_on()
        assert ran(s) == []
        assert [e.result.text for e in s.events if isinstance(e, Returned)] == ["refused by ada: private"]


async def remembered(folder: Path) -> None:
    """A thread in which a yes to `peek` in the namespace `web` holds for the session."""
    async with stage(folder, scripted(wants("peek", namespace="web"), DONE), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        await s.ask("look")
        await s.decide("approved", by="kim", session=True)
        await s.go_on()
        assert ran(s) == ["web: 0"]


async def test_a_yes_for_the_session_frees_alike_reads_and_is_told_by_name_in_another_process_too(
    tmp_path: Path,
) -> None:
    await remembered(tmp_path)
    async with stage(tmp_path, scripted(wants("peek", namespace="web"), DONE), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        assert (await s.ask("look again"))[-1] == "answered"
        assert ran(s) == ["web: 0"]
        (verdict,) = [e.verdict for e in s.events if isinstance(e, Judged)]
        assert (verdict.outcome, verdict.rule) == ("allow", "ask first")
        assert verdict.reason == "kim said yes to reads like this for the session (a-t-0.1)"


@pytest.mark.parametrize(
    "other",
    [
        wants("stare", namespace="web"),
        wants("peek", namespace="db"),
        wants("peek"),
        wants("peek", namespace="web", deep=True),
        wants("bump"),
    ],
    ids=["another tool", "another namespace", "the usual namespace", "another rule", "a change"],
)
async def test_a_yes_for_the_session_frees_nothing_else(tmp_path: Path, other: ModelCall) -> None:
    await remembered(tmp_path)
    async with stage(tmp_path, scripted(other), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        assert (await s.ask("and this?"))[-1] == "requested"
        assert ran(s) == []


async def test_a_plain_yes_frees_only_the_one_read(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("peek"), wants("peek")), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        await s.ask("look")
        await s.decide("approved")
        assert (await s.go_on())[-1] == "requested"
        assert len(ran(s)) == 1


@pytest.mark.parametrize(
    ("now", "last"),
    [({"needs": Needs(roles=("dba",))}, "requested"), ({"outcome": "refuse"}, "answered")],
    ids=["more is wanted", "it is refused"],
)
async def test_a_yes_for_the_session_ends_where_policy_has_become_stricter(
    tmp_path: Path, now: dict[str, object], last: str
) -> None:
    await remembered(tmp_path)
    again = wants("peek", namespace="web")
    async with stage(tmp_path, scripted(again, DONE), toolbox=TOOLS) as s:

        async def stricter(call: ToolCall, effect: Effect | None) -> Verdict:
            return (await asks(call, effect)).model_copy(update=now)

        s.ctx.judge = stricter
        assert (await s.ask("look again"))[-1] == last
        assert ran(s) == []


async def test_the_own_yes_for_the_session_of_who_asks_now_is_not_enough_where_policy_wants_another(
    tmp_path: Path,
) -> None:
    async def another(call: ToolCall, effect: Effect | None) -> Verdict:
        needs = Needs(requester_may_approve=False)
        return (await asks(call, effect)).model_copy(update={"needs": needs})

    look = wants("peek", namespace="web")
    async with stage(tmp_path, scripted(look, DONE), toolbox=TOOLS) as s:
        s.ctx.judge = another
        await s.ask("look")
        await s.decide("approved", by="kim", session=True)
        await s.go_on()
    async with stage(tmp_path, scripted(look, DONE, look), toolbox=TOOLS) as s:
        s.ctx.judge = another
        assert (await s.ask("look again"))[-1] == "answered"
        s.ctx.by = "kim"
        assert (await s.ask("look again"))[-1] == "requested"


async def test_a_free_read_that_policy_asks_about_by_the_time_of_the_act_is_not_made(tmp_path: Path) -> None:
    both = [wants("peek", namespace="web"), wants("bump")]
    async with stage(tmp_path, scripted(both, DONE), toolbox=TOOLS) as s:
        await s.ask("look, and raise it")
        await s.decide("refused")
        s.ctx.judge = asks
        await s.go_on()
        assert ran(s) == []
        told = [e.result.text for e in s.events if isinstance(e, Returned) and e.call.tool == "peek"]
        assert told == ["not made: rule ask first asks about it now; ask for it again to put up its card"]


async def test_a_yes_for_the_session_ends_where_the_cluster_is_another(tmp_path: Path) -> None:
    await remembered(tmp_path)

    async def elsewhere(tool: Tool) -> str:
        return "uid=2"

    async with stage(tmp_path, scripted(wants("peek", namespace="web")), toolbox=TOOLS) as s:
        s.ctx.judge, s.ctx.identity = asks, elsewhere
        assert (await s.ask("look again"))[-1] == "requested"


async def test_a_change_is_never_remembered(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("bump"), DONE), toolbox=TOOLS) as s:
        await s.ask("raise it")
        with pytest.raises(Refused, match="a change is never remembered; say yes to this one alone"):
            await s.decide("approved", session=True)
        (waiting,) = await s.engine.waiting()
        assert (await s.store.approval_record(waiting)).decision is None


async def test_a_read_begun_by_a_process_that_died_is_not_repeated_on_its_yes(tmp_path: Path) -> None:
    async with stage(tmp_path, scripted(wants("peek"), DONE), toolbox=TOOLS) as s:
        s.ctx.judge = asks
        await s.ask("look")
        await s.decide("approved")
        (card,) = [e.approval for e in s.events if isinstance(e, Requested)]
        assert await s.store.claim(card.call.id, card.call.digest)
        await s.go_on()
        assert ran(s) == []
        assert "Ask for it anew" in [e.result.text for e in s.events if isinstance(e, Returned)][-1]


async def test_the_executor_wants_a_fitting_unused_grant_for_a_read_that_policy_asks_about(
    tmp_path: Path,
) -> None:
    signer, read = Signer.open(tmp_path), ToolCall(id="c", tool="peek", target=HERE)
    executor = Executor(TOOLS, {Counter: Counter()}, admit=signer.admit, redact=Redactor())
    verdict, now = await asks(read, "read"), datetime.now(UTC)
    yes = Decision(approval="a", call_digest=read.digest, outcome="approved", by="kim", at=now)
    grant = signer.grant(read, yes, now + timedelta(minutes=1))
    other = read.model_copy(update={"args": {"namespace": "db"}})
    forged = grant.model_copy(update={"by": "lee"})
    tries = [
        Cleared(call=read, verdict=verdict),
        Cleared(call=other, verdict=verdict, grant=grant),
        Cleared(call=read, verdict=verdict, grant=forged),
        Cleared(call=read, verdict=verdict, grant=grant),
        Cleared(call=read, verdict=verdict, grant=grant),
    ]
    ended = [await executor.run(each) for each in tries]
    assert [each.text for each in ended] == [
        "peek: it carries no grant; it needs an approval first",
        "peek: the grant is for another call; ask for a new approval",
        "peek: the grant was not signed by this installation, or was changed",
        "ns: 0",
        "peek: the grant was used before; ask for a new approval",
    ]
