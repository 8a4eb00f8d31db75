"""Calls that carry a secret, or the sign that stands for one: not made, and not on record."""

from pathlib import Path
from typing import Any

import pytest

from opssquad import Check, Preview, Quote, Result, Signal, Toolbox, ToolError, Undo, tool
from opssquad.gate.redact import Redactor
from opssquad.models.base import CONCLUDE, ModelCall, Reply
from opssquad.squad.vetting import vetted
from opssquad.testing import scripted, wants
from tests.squad.stage import COUNTER, Counter, bump, look, stage

BOX = Toolbox([look, bump])
SECRET = "hunter2-and-more"
LEAK = f"\x1b[2Jpassword={SECRET}"


def vet(tool: str, args: dict[str, Any]) -> ModelCall:
    return vetted(Redactor(), BOX, ModelCall(id="x", tool=tool, args=args))


@pytest.mark.parametrize(
    ("args", "secret"),
    [
        ({"env": "DB_URL=postgres://app:s3cr3t-pw@db/app"}, "s3cr3t-pw"),
        ({"env": f"PLAIN=ghp_{'a1B2' * 9}"}, "a1B2a1B2"),
        ({"body": {"env": [{"name": "API_KEY", "value": "zzTop-123"}]}}, "zzTop-123"),
        ({"body": {"kind": "Secret", "stringData": {"x": "plainest"}}}, "plainest"),
    ],
)
@pytest.mark.parametrize("name", ["look", "bump", "unheard_of"])
def test_a_secret_among_the_arguments_is_taken_out_and_the_call_not_made(
    name: str, args: dict[str, Any], secret: str
) -> None:
    kept = vet(name, args)
    assert "put the value into a Secret" in kept.problem
    assert secret not in kept.model_dump_json()


@pytest.mark.parametrize(
    "args",
    [
        {"env": "DB_POOL_SIZE=50"},
        {"env": "TOKEN_TTL=300"},
        {"name": "token-service", "namespace": "auth", "replicas": 3},
        {"grep": "password authentication failed"},
        {"image": f"registry/secret-store:1.2.3@sha256:{'ab' * 32}"},
        {
            "body": {
                "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "pw"}}}]
            }
        },
    ],
)
def test_what_only_speaks_of_secrets_passes_as_it_is(args: dict[str, Any]) -> None:
    assert vet("bump", args) == ModelCall(id="x", tool="bump", args=args)


def test_a_placeholder_is_never_written_but_may_be_looked_for() -> None:
    assert "taken out" in vet("bump", {"body": {"env": [{"name": "A", "value": "«redacted»"}]}}).problem
    assert not vet("look", {"grep": "password=«redacted»"}).problem
    assert not vet(CONCLUDE, {"summary": "password=«redacted»"}).problem


def test_a_problem_quotes_no_secret_either() -> None:
    broken = ModelCall(id="x", tool="bump", problem='not valid JSON: {"password": "hunter2-x"')
    assert "hunter2-x" not in vetted(Redactor(), BOX, broken).problem


async def test_nothing_that_is_kept_holds_the_secret_of_a_call(tmp_path: Path) -> None:
    secret = "s3cr3t-pw"
    asked = wants("look", text=f"postgres://app:{secret}@db/app")
    async with stage(tmp_path, scripted(asked, Reply(text="well"))) as s:
        kinds = await s.ask("how is it?")
        assert kinds.count("returned") == 1
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if secret.encode() in path.read_bytes()]


@tool(effect="mutate")
async def leak(counter: Counter) -> Result:
    """Change something beside a secret."""
    counter.add(1)
    return Result(text=LEAK)


@leak.preview
async def _() -> Preview:
    return Preview(command="leak", impact=LEAK, risk="low", risk_rule="none", diff=f"-note: {LEAK}")


@leak.undo
def _() -> Undo:
    return Undo(note=LEAK)


@leak.observe
async def _() -> dict[str, str]:
    return {}


@leak.verify
async def _() -> Check:
    quotes = (Quote(locator=str(COUNTER), text=LEAK),)
    found = Signal(id="counter.low", entity=COUNTER, owner=COUNTER, text=LEAK, quotes=quotes)
    return Check(outcome="better", text=LEAK, signals=(found,), quotes=quotes)


@tool(effect="mutate")
async def balk() -> Result:
    """Fail before its card is up."""
    return Result(text="")


@balk.preview
async def _() -> Preview:
    raise ToolError(f"invalid value: {LEAK}")


balk.undo(leak.roles["undo"].function)
balk.observe(leak.roles["observe"].function)
balk.verify(leak.roles["verify"].function)


async def test_no_card_check_or_error_keeps_a_secret_that_a_tool_read(tmp_path: Path) -> None:
    model = scripted([wants("balk"), wants("leak")], Reply(text="well"))
    async with stage(tmp_path, model, toolbox=Toolbox([leak, balk])) as s:
        await s.ask("change it")
        await s.decide("approved")
        await s.go_on()
        assert s.counter.value == 1
        shown = [e.model_dump_json() for e in s.events]
        assert sum("verified" in each for each in shown) == 1
        assert not [each for each in shown if SECRET in each or "\\u001b" in each]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


async def test_what_a_model_says_and_concludes_is_kept_without_a_secret(tmp_path: Path) -> None:
    said = f"The log says\npassword={SECRET} and then\n\n it stops."
    draft = wants(CONCLUDE, summary=f"token: {SECRET}", missing=[f"whether password={SECRET} holds"])
    model = scripted(Reply(text=said, calls=(wants("look", text="x"),)), draft)
    async with stage(tmp_path, model) as s:
        assert "concluded" in await s.ask("why?")
        shown = "".join(e.model_dump_json() for e in s.events)
        assert "The log says" in shown
        assert SECRET not in shown
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
