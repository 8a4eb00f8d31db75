"""The budgets of a question: at each of them the squad concludes with what it has, and says which it was."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opssquad import Toolbox, tool
from opssquad.events import Returned, Warned
from opssquad.executor import Executor
from opssquad.findings import ToolResult
from opssquad.gate.redact import Redactor
from opssquad.models.base import Listener, Reply, Request
from opssquad.squad import context, thinking
from opssquad.testing import scripted, wants
from opssquad.types import Cleared, Target, ToolCall, Usage, Verdict
from tests.squad.stage import Stage, conclude, stage


def warned(s: Stage) -> str:
    return " | ".join(e.text for e in s.events if isinstance(e, Warned))


@pytest.mark.parametrize("usage", [Usage(prompt=900, completion=200), Usage()], ids=["counted", "estimated"])
async def test_at_the_token_budget_the_squad_concludes(tmp_path: Path, usage: Usage) -> None:
    look = Reply(text="x" * 4000, calls=(wants("look"),), usage=usage)
    async with stage(tmp_path, scripted(look, look, conclude()), tokens=1000) as s:
        kinds = await s.ask("why?", mode="ask")
        assert kinds.count("returned") == 1
        assert "used up its tokens (" in warned(s)
        assert kinds[-1] == "concluded"


async def test_what_a_question_used_up_stays_used_up_in_the_process_that_goes_on_with_it(
    tmp_path: Path,
) -> None:
    usage = Usage(prompt=900, completion=200)
    change = Reply(calls=(wants("bump"),), usage=usage)
    async with stage(tmp_path, scripted(change), tokens=1000) as s:
        await s.ask("raise it", mode="ask")
        await s.decide("approved")
    async with stage(tmp_path, scripted(conclude()), tokens=1000) as s:
        s.ctx.recall(await s.store.events("t"))
        kinds = await s.go_on()
        assert "used up its tokens (1100 of 1000)" in warned(s)
        assert kinds[-1] == "concluded"


def test_calls_that_ran_side_by_side_use_up_their_time_once() -> None:
    def returned(end: int, ms: int) -> Returned:
        at = datetime(2026, 3, 8, 14, 0, end, tzinfo=UTC)
        result = ToolResult(call="c", status="ok", text="", ms=ms)
        made = ToolCall(id="c", tool="look", target=Target(cluster="c"))
        return Returned(thread="t", turn=1, at=at, recorded_at=at, call=made, result=result)

    # From 0 to 4, from 1 to 5 beside it, and from 9 to 10.
    events = [returned(4, 4000), returned(5, 4000), returned(10, 1000)]
    assert context._seconds(events) == 6


async def test_a_model_that_only_calls_what_is_not_there_is_left_after_three_rounds(tmp_path: Path) -> None:
    lost = scripted(*[wants("summon", n=n) for n in range(30)])
    lost.name = "lost"
    async with stage(tmp_path, lost, scripted(wants("look"), conclude())) as s:
        kinds = await s.ask("why?", mode="ask")
        assert len(lost.asked) == 3
        assert warned(s) == "model lost gave no usable answer; going on offline"
        assert kinds[-1] == "concluded"


async def test_one_call_that_can_be_made_starts_the_count_of_useless_rounds_anew(tmp_path: Path) -> None:
    bad, good = wants("summon"), wants("look")
    model = scripted(bad, bad, good, bad, bad, conclude())
    async with stage(tmp_path, model) as s:
        kinds = await s.ask("why?", mode="ask")
        assert (len(model.asked), warned(s), kinds[-1]) == (6, "", "concluded")


class Mute:
    """A model that never answers."""

    name = "mute"

    async def reply(self, request: Request, listener: Listener) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


async def test_a_model_that_outlasts_the_questions_time_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinking, "GRACE", 0.05)
    mute: Any = Mute()
    async with stage(tmp_path, mute, scripted(wants("look"), conclude()), seconds=0.1) as s:
        kinds = await s.ask("why?", mode="ask")
        assert "no whole answer in the" in warned(s)
        assert kinds[-1] == "concluded"


async def test_no_more_calls_run_at_one_time_than_the_squad_allows() -> None:
    running = [0, 0]

    @tool(effect="read", deadline=2.0)
    async def slow() -> str:
        """Wait."""
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.02)
        running[0] -= 1
        return "done"

    executor = Executor(Toolbox([slow]), {}, admit=lambda _: None, redact=Redactor(), parallel=3)
    allow = Verdict(outcome="allow", rule="r")
    wanted = [
        Cleared(call=ToolCall(id=f"c{n}", tool="slow", target=Target(cluster="c")), verdict=allow)
        for n in range(10)
    ]
    results = await asyncio.gather(*(executor.run(each) for each in wanted))
    assert [r.status for r in results] == ["ok"] * 10
    assert running == [0, 3]
