"""What a cleared call comes to: refused, late, cut, redacted, checked; with real tools and a real gate."""

import asyncio
import time
from datetime import timedelta

import pytest

from opssquad.errors import NodeError, Refused, StoreError, ToolError, ToolUnsure, UsageError
from opssquad.executor import Executor, cited, shorten
from opssquad.findings import Check, Quote, Result, Signal
from opssquad.gate.grant import Signer
from opssquad.gate.redact import Redactor
from opssquad.toolbox import Handle, Tool, Toolbox, tool
from opssquad.types import Cleared, Json, Outcome, Preview, Ref, ToolCall, Undo, Verdict
from tests.samples import NOW, TARGET, a_card, a_decision

POD = Ref(kind="Pod", namespace="web", name="api-1")
SIGNER = Signer(b"k" * 32, now=lambda: NOW)


class World(Handle):
    """Counts what was done to it and hands out what a test put in."""

    def __init__(self, answer: object = "fine") -> None:
        self.answer = answer
        self.acts = 0

    def act(self) -> Result:
        self.acts += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer if isinstance(self.answer, Result) else Result(text=str(self.answer))


def a_read(function: object = None, deadline: float = 5) -> Tool:
    async def look(world: World) -> Result:
        """Look."""
        return world.act()

    return tool(effect="read", name="look", deadline=deadline)(function or look)


def a_change(function: object = None, deadline: float = 5) -> Tool:
    async def change(world: World, name: str = "") -> Result:
        """Change."""
        return world.act()

    made = tool(effect="mutate", name="change", deadline=deadline)(function or change)
    made.preview(lambda: Preview(command="c", impact="i", risk="low", risk_rule="r"))
    made.undo(lambda: Undo(note="n"))
    made.verify(lambda: Check(outcome="better", text="t"))
    made.observe(lambda: {})
    return made


def cleared(name: str, outcome: Outcome = "allow", *, granted: bool = False) -> Cleared:
    call = ToolCall(id="c1", tool=name, target=TARGET)
    card = a_card(call=call)
    grant = SIGNER.grant(call, a_decision(card), card.expires_at) if granted else None
    return Cleared(call=call, verdict=Verdict(outcome=outcome, rule="reads are free"), grant=grant)


def an_executor(tools: list[Tool], world: World, cap: int = 6000) -> Executor:
    signer = Signer(b"k" * 32, now=lambda: NOW)
    return Executor(Toolbox(tools), {World: world}, admit=signer.admit, redact=Redactor(), cap=cap)


async def test_a_read_that_is_allowed_runs() -> None:
    world = World("3 pods")
    result = await an_executor([a_read()], world).run(cleared("look"))
    assert (result.call, result.status, result.text, world.acts) == ("c1", "ok", "3 pods", 1)


@pytest.mark.parametrize("outcome", ["ask", "refuse"])
async def test_a_read_that_is_not_allowed_does_not_run(outcome: Outcome) -> None:
    world = World()
    result = await an_executor([a_read()], world).run(cleared("look", outcome))
    assert (result.status, world.acts) == ("refused", 0)


@pytest.mark.parametrize("outcome", ["allow", "ask", "refuse"])
async def test_a_mutation_without_a_grant_never_runs(outcome: Outcome) -> None:
    world = World()
    result = await an_executor([a_change()], world).run(cleared("change", outcome))
    assert (result.status, world.acts) == ("refused", 0)


async def test_a_granted_mutation_runs_once() -> None:
    world = World("done")
    executor = an_executor([a_change()], world)
    assert (await executor.run(cleared("change", "ask", granted=True))).status == "ok"
    again = await executor.run(cleared("change", "ask", granted=True))
    assert (again.status, world.acts) == ("refused", 1)
    assert "used before" in again.text


async def test_a_grant_does_not_overrule_a_refusal() -> None:
    world = World()
    result = await an_executor([a_change()], world).run(cleared("change", "refuse", granted=True))
    assert (result.status, world.acts) == ("refused", 0)


async def test_a_grant_for_other_arguments_does_not_fit() -> None:
    world = World()
    good = cleared("change", "ask", granted=True)
    bad = good.model_copy(update={"call": good.call.model_copy(update={"args": {"name": "db"}})})
    result = await an_executor([a_change()], world).run(bad)
    assert (result.status, world.acts) == ("refused", 0)


async def test_an_unknown_tool_is_an_error_that_names_the_nearest() -> None:
    result = await an_executor([a_read()], World()).run(cleared("lok"))
    assert (result.status, result.text) == ("error", "no tool 'lok'; nearest: look")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ToolError("no pod"), "error"),
        (NodeError("node is gone"), "error"),
        (UsageError("no context"), "error"),
        (Refused("reads do not write"), "refused"),
        (ToolUnsure("the answer was lost"), "unknown"),
    ],
)
async def test_what_a_tool_raises_is_told(error: Exception, status: str) -> None:
    result = await an_executor([a_read()], World(error)).run(cleared("look"))
    assert (result.status, result.text) == (status, str(error))


@pytest.mark.parametrize("error", [KeyError("bug"), StoreError("disk"), TimeoutError("own")])
async def test_what_is_not_the_tools_to_say_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)):
        await an_executor([a_read()], World(error)).run(cleared("look"))


async def test_a_secret_in_an_error_is_taken_out() -> None:
    result = await an_executor([a_read()], World(ToolError("DB_PASSWORD=hunter2"))).run(cleared("look"))
    assert (result.text, result.redactions) == ("DB_PASSWORD=«redacted»", 1)


async def slow() -> Result:
    """Never ends."""
    await asyncio.sleep(60)
    raise AssertionError("unreachable")


async def test_a_read_past_its_deadline_is_an_error() -> None:
    began = time.monotonic()
    result = await an_executor([a_read(slow, deadline=0.05)], World()).run(cleared("look"))
    assert result.status == "error"
    assert result.text.startswith("look did not answer within 0.05 s and was stopped; narrow it down")
    assert time.monotonic() - began < 10


async def test_a_mutation_past_its_deadline_may_have_happened() -> None:
    executor = an_executor([a_change(slow, deadline=0.05)], World())
    result = await executor.run(cleared("change", "ask", granted=True))
    assert result.status == "unknown"
    assert "it may have happened" in result.text
    assert result.ms >= 50


async def test_cancelling_stops_the_tool_and_is_passed_on() -> None:
    task = asyncio.create_task(an_executor([a_read(slow)], World()).run(cleared("look")))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def a_signal(*quotes: Quote, **data: Json) -> Signal:
    return Signal(id="x.y", entity=POD, owner=POD, text="PASSWORD=hunter2", quotes=quotes, data=data)


SOURCE = Quote(locator="Pod/web/api-1", text='{"env":[{"name":"DB_PASSWORD","value":"hunter2"}],"n":1}')


async def test_nothing_that_leaves_holds_the_secret_and_quotes_still_stand() -> None:
    quotes = (
        Quote(locator="Pod/web/api-1", text='"value":"hunter2"'),
        Quote(locator="Pod/web/api-1 spec", text="hunter2"),
        Quote(locator="Pod/web/api-1", text="hunt"),
    )
    answer = Result(
        text="password: hunter2",
        sources=(SOURCE, Quote(locator="log web/api-1/app", text="\x1b[31mfine\x1b[0m")),
        data={"env": {"DB_PASSWORD": "hunter2"}},
        signals=(a_signal(*quotes, token="hunter2"),),
        commands=("curl --token hunter2",),
    )
    result = await an_executor([a_read()], World(answer)).run(cleared("look"))
    assert "hunt" not in result.model_dump_json()
    assert result.redactions == 3
    assert result.sources[1].text == "fine"
    assert all(quote.text in result.sources[0].text for quote in result.signals[0].quotes)
    assert result.signals[0].quotes[0].text == '"value":"«redacted»"'


@pytest.mark.parametrize(
    "quote",
    [
        Quote(locator="Pod/web/api-1", text="not there"),
        Quote(locator="Pod/web/api-2", text='"n":1'),
        Quote(locator="Pod/web/api-12", text='"n":1'),
        Quote(locator="Pod/web/api-1", text=" "),
    ],
)
async def test_a_quote_that_does_not_stand_in_its_source_is_an_error_naming_the_tool(quote: Quote) -> None:
    answer = Result(text="x", sources=(SOURCE,), signals=(a_signal(quote),))
    result = await an_executor([a_read()], World(answer)).run(cleared("look"))
    assert (result.status, result.signals) == ("error", ())
    assert result.text.startswith("look: x.y quotes 'Pod/web/api-")


async def test_a_mutation_that_misquotes_has_happened_all_the_same() -> None:
    good = a_signal(Quote(locator="Pod/web/api-1", text='"n":1'))
    bad = a_signal(Quote(locator="Pod/web/api-1", text="not there"))
    answer = Result(text="scaled", sources=(SOURCE,), signals=(good, bad))
    result = await an_executor([a_change()], World(answer)).run(cleared("change", "ask", granted=True))
    assert (result.status, len(result.signals)) == ("ok", 1)
    assert result.text.startswith("scaled\n(left out: change: x.y quotes")


def test_a_result_without_misquotes_is_left_alone() -> None:
    answer = Result(text="x", sources=(SOURCE,))
    assert cited(a_read(), answer) is answer


async def test_a_long_text_is_cut_explicitly_and_kept_whole() -> None:
    text = "\n".join(f"line {n}" for n in range(1000))
    result = await an_executor([a_read()], World(text), cap=300).run(cleared("look"))
    assert result.cut
    assert len(result.text) < 400
    assert result.text.startswith("line 0\n")
    assert result.text.endswith("line 999")
    assert result.sources[-1] == Quote(locator="output c1", text=text)


def test_a_cut_counts_what_is_left_out() -> None:
    assert shorten("short", 100) == "short"
    assert shorten("x" * 30, 9) == "xxxxxx\n… 1 line, 21 characters left out; all of it is kept …\nxxx"
    lines = shorten("\n".join("abcdefghij"), 12)
    assert lines == "a\nb\nc\nd\n… 4 lines, 9 characters left out; all of it is kept …\ni\nj"


async def test_the_duration_is_measured() -> None:
    times = iter([NOW, NOW + timedelta(milliseconds=42)])
    executor = Executor(
        Toolbox([a_read()]), {World: World()}, admit=SIGNER.admit, redact=Redactor(), now=lambda: next(times)
    )
    assert (await executor.run(cleared("look"))).ms == 42
