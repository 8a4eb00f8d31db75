"""A run that was recorded over HTTP is played back without its endpoint; a changed prompt stops it."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from opssquad import content
from opssquad.events import Called, Concluded, Event, Returned, Thought, Verified, Warned
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation, Options
from opssquad.models.base import Listener, Model, Request
from opssquad.models.base import Reply as Answer
from opssquad.models.cassette import OtherQuestion, Player, recording_model
from opssquad.models.chat import Chat
from tests.stub_model import Json, Reply, call, calls, serving

RECORDING = content.recordings()["auth-0308"]
HERE = {"namespace": "authentication"}
QUESTION = "why do logins fail?"
SECRET = "AKIAIOSFODNN7QQQQQQQ"
POD = "session-store-0"


def conclude(asked: Json) -> Json:
    """Conclude with evidence of the ledger, as a model would cite it."""
    cause = {
        "component": "Deployment/authentication/auth-service",
        "root_cause": "v2.4.1 halved the pool of connections",
        "evidence": re.findall(r"\be\d+\b", asked["messages"][-1]["content"])[:3],
    }
    return call("conclude", summary="The release broke it.", causes=[cause])


LOOKS: list[Reply] = [
    calls(("health", HERE), ("changes", HERE), said="I look."),
    calls(("logs", {**HERE, "pod": POD}), ("kubectl", {"line": "kubectl get pods -n authentication"})),
    conclude,
]
MENDS = [*LOOKS[:-1], call("rollback", deployment="auth-service", **HERE), conclude]
SPEED = 10.0
"""How fast the world's clock runs: a slow model then shows in every age."""


class Slow:
    """A model that takes its time, in which the world's clock goes on."""

    def __init__(self, model: Model, seconds: float) -> None:
        self.name, self._model, self._seconds = model.name, model, seconds

    async def reply(self, request: Request, listener: Listener) -> Answer:
        await asyncio.sleep(self._seconds)
        return await self._model.reply(request, listener)


async def ran(
    state: Path, model: Model, question: str = QUESTION, recording: Path = RECORDING
) -> list[Event]:
    options = Options(state=state, by="ada", recording=recording, mode="ask", approve="all", speed=SPEED)
    async with await Investigation.open(options) as run:
        run._ctx.model = model
        return [event async for event in run.ask(question)]


async def recorded(folder: Path, replies: Sequence[Reply] = LOOKS, seconds: float = 0.0) -> list[Event]:
    """The events of a run against the endpoint, with its cassette at `c` in the folder."""
    async with serving(replies) as stub:
        chat = Chat("stub", stub.url)
        model = Slow(recording_model(chat, folder / "c"), seconds)
        events = await ran(folder / "recorded", model)
        await chat.close()
    assert len(stub.asked) == len(replies)
    return events


def concluded(events: list[Event]) -> Conclusion:
    return next(event.conclusion for event in reversed(events) if isinstance(event, Concluded))


def scored(events: list[Event]) -> list[object]:
    """What a score is made of: words, tokens, calls and how they ended, and the conclusion."""
    told: list[object] = []
    for event in events:
        match event:
            case Thought():
                told.append((event.model, event.text, event.usage))
            case Called():
                told.append((event.call.tool, event.call.args))
            case Returned():
                told.append((event.result.status, event.result.redactions))
            case Verified():
                told.append(event.check.outcome)
            case Concluded():
                causes = [
                    (str(c.component), c.fault, c.root_cause, c.confidence) for c in event.conclusion.causes
                ]
                told.append((causes, [(o.action, o.target) for o in event.conclusion.options]))
            case Warned():
                told.append(event.text)
    return told


async def test_a_recorded_run_is_played_back_without_its_endpoint(tmp_path: Path) -> None:
    first = await recorded(tmp_path, MENDS, seconds=0.5)
    player = Player.open(tmp_path / "c", "stub")
    again = await ran(tmp_path / "played", player)
    assert player.left == 0
    assert scored(again) == scored(first)
    tokens = sum(e.usage.prompt + e.usage.completion for e in again if isinstance(e, Thought))
    assert tokens == 110 * len(MENDS)
    assert [str(cause.component) for cause in concluded(again).causes] == [
        "Deployment/authentication/auth-service"
    ]
    assert any(isinstance(event, Verified) for event in again), "a change was made and looked at"


async def test_a_changed_prompt_stops_the_run_at_its_first_exchange_and_nothing_goes_on_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(tmp_path)
    root = content.root()
    copy = tmp_path / "root"
    copy.mkdir()
    for name in ("squads", "tools", "evals"):
        (copy / name).symlink_to(root / name)
    shutil.copytree(root / "prompts", copy / "prompts")
    with (copy / "prompts" / "k8s.md").open("a", encoding="utf-8") as prompt:
        prompt.write("\n- Be brief.\n")
    monkeypatch.setattr(content, "root", lambda: copy)
    player = Player.open(tmp_path / "c")
    with pytest.raises(
        OtherQuestion, match="exchange 1 was recorded for another question: the system prompt"
    ):
        await ran(tmp_path / "played", player)
    assert player.left == len(LOOKS)


async def test_another_question_of_the_engineer_is_another_first_message(tmp_path: Path) -> None:
    await recorded(tmp_path)
    with pytest.raises(OtherQuestion, match=r"exchange 1 .*: message 1 \(user\) differs"):
        await ran(tmp_path / "played", Player.open(tmp_path / "c"), question="why is it slow?")


async def test_a_world_that_shows_something_else_is_refused_where_it_shows(tmp_path: Path) -> None:
    await recorded(tmp_path)
    world = copied(tmp_path, "2026-03-08T14:36:59.9Z maxclients reached")
    with pytest.raises(OtherQuestion, match=r"exchange 3 .*: message \d+ \(tool\) differs"):
        await ran(tmp_path / "played", Player.open(tmp_path / "c"), recording=world)


async def test_a_cassette_holds_no_secret_of_the_question_or_of_what_was_read(tmp_path: Path) -> None:
    world = copied(tmp_path, f"2026-03-08T14:36:59.9Z refused aws_access_key_id={SECRET}")
    async with serving(LOOKS) as stub:
        chat = Chat("stub", stub.url)
        model = recording_model(chat, tmp_path / "c")
        events = await ran(tmp_path / "state", model, f"{QUESTION} I use {SECRET}", world)
        await chat.close()
    assert sum(event.result.redactions for event in events if isinstance(event, Returned)) > 0
    text = (tmp_path / "c").read_text(encoding="utf-8")
    assert "refused aws_access_key_id" in text
    assert SECRET not in text


def copied(folder: Path, line: str) -> Path:
    """The recording with one more line in a log."""
    world = folder / RECORDING.name
    shutil.copytree(RECORDING, world)
    log = world / "logs" / HERE["namespace"] / POD / "session-store.log"
    with log.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")
    return world
