"""`opssquad.testing.call`: one tool in a recorded world, judged, run and checked as in production."""

import shutil
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import SecretStr

from opssquad import Clock, Cluster, Quote, Ref, Result, Signal, ToolError, ToolSettings, UsageError, tool
from opssquad.extensions.starting import HERE
from opssquad.testing import async_call, call, own_tool

RECORDING = "haul-0914"
WEB = {"namespace": "haul", "deployment": "planner"}


class Registry(ToolSettings):
    """Where it is, and how one gets in."""

    url: str
    token: SecretStr


@tool(effect="read")
async def pods(cluster: Cluster, clock: Clock, namespace: Annotated[str, "where"]) -> str:
    """Count pods."""
    found = await cluster.list("Pod", namespace)
    return f"{len(found)} pods on {clock.now():%d %B}; password=hunter2-hunter2"


@tool(effect="read")
def known(registry: Registry) -> str:
    """Tell where the registry is."""
    return f"{registry.url} with {registry.token.get_secret_value()}"


@tool(effect="read")
def untrue() -> Result:
    """Say what was not read."""
    quote = Quote(locator="list of deploys", text="never read")
    web = Ref(kind="Deployment", namespace="haul", name="web")
    found = Signal(id="deploy.late", entity=web, text="late", quotes=(quote,))
    return Result(text="late", sources=(Quote(locator="list of deploys", text="read"),), signals=(found,))


@tool(effect="mutate")
async def note(cluster: Cluster, namespace: str, deployment: str, text: str) -> str:
    """Write a note on a Deployment."""
    patch = {"metadata": {"annotations": {"example.com/note": text}}}
    await cluster.patch("Deployment", deployment, namespace, patch, how="merge")
    return f"noted on {deployment}"


@note.preview
async def _(cluster: Cluster, namespace: str, deployment: str, text: str) -> str:
    await cluster.get("Deployment", deployment, namespace)
    return f"{deployment} says {text!r}"


@note.undo
def _(deployment: str) -> str:
    return f"write another on {deployment}"


@note.verify
async def _(cluster: Cluster, namespace: str, deployment: str, text: str) -> bool:
    found = await cluster.get("Deployment", deployment, namespace)
    return bool(found["metadata"]["annotations"]["example.com/note"] == text)


def test_a_read_is_answered_by_the_recording_at_its_time_and_without_secrets() -> None:
    result = call(pods, {"namespace": "haul"}, recording=RECORDING)
    assert result.status == "ok"
    assert "pods on 14 September" in result.text
    assert ("hunter2" in result.text, result.redactions > 0) == (False, True)


async def test_the_form_for_coroutines_gives_the_same() -> None:
    assert (await async_call("health", {"namespace": "haul"}, recording=RECORDING)).signals


def test_settings_of_a_test_stand_for_the_file_and_their_secret_stays_inside() -> None:
    given = {"url": "https://registry.example", "token": "abc-the-secret"}
    said = "https://registry.example with (a secret of its settings)"
    assert call(known, recording=RECORDING, settings=given).text == said
    assert call(known, recording=RECORDING, handles=[Registry.model_validate(given)]).text == said
    without = call(known, recording=RECORDING)
    assert (without.status, "tools.yaml" in without.text) == ("error", True)
    with pytest.raises(UsageError, match="settings: tokn: unknown key; did you mean 'token'"):
        call(known, recording=RECORDING, settings={"url": "x", "tokn": "y"})


def test_a_quote_that_does_not_stand_in_what_was_read_is_an_error() -> None:
    result = call(untrue, recording=RECORDING)
    assert result.status == "error"
    assert "that text does not stand there" in result.text


@pytest.mark.parametrize("args", [{}, {"namespace": "haul", "more": 1}, {"namespace": 7}])
def test_arguments_that_do_not_fit_are_an_error_in_words(args: dict[str, object]) -> None:
    result = call(pods, args, recording=RECORDING)
    assert (result.status, "It takes: namespace" in result.text) == ("error", True)


def test_a_change_is_refused_at_its_card_unless_the_test_approves() -> None:
    args = {**WEB, "text": "hands off"}
    assert call(note, args, recording=RECORDING).status == "refused"
    change = call(note, args, recording=RECORDING, approve=True)
    assert (change.preview.impact, change.undo.note) == (
        "planner says 'hands off'",
        "write another on planner",
    )
    assert (change.result.status, change.result.text) == ("ok", "noted on planner")
    assert change.check is not None
    assert change.check.outcome == "better"


def test_the_policy_of_a_test_is_heard(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules:\n- {name: no notes, tool: note, verdict: refuse, reason: not today}\n")
    result = call(note, {**WEB, "text": "x"}, recording=RECORDING, policy=policy)
    assert (result.status, "no notes" in result.text) == ("refused", True)
    with pytest.raises(UsageError, match="no card was put up: refused by no notes"):
        call(note, {**WEB, "text": "x"}, recording=RECORDING, approve=True, policy=policy)


def test_a_preview_that_fails_is_told_and_nothing_is_done() -> None:
    args = {**WEB, "deployment": "plan", "text": "x"}
    assert "no deployment 'plan'" in call(note, args, recording=RECORDING).text


def test_what_is_no_tool_no_recording_and_nothing_to_approve_is_one_line() -> None:
    with pytest.raises(UsageError, match="no tool 'helth'; there is: health"):
        call("helth", recording=RECORDING)
    with pytest.raises(UsageError, match="no recording 'haul-9999'; there is: haul-"):
        call("health", recording="haul-9999")
    with pytest.raises(UsageError, match="pods only reads"):
        call(pods, {"namespace": "haul"}, recording=RECORDING, approve=True)  # type: ignore[call-overload]


def test_a_tool_is_found_beside_its_test_with_its_settings(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "greet.py").write_text(
        "from opssquad import ToolSettings, tool\n\n"
        "class Manners(ToolSettings):\n    word: str\n\n"
        '@tool(effect="read")\ndef greet(manners: Manners, who: str) -> str:\n    """Greet."""\n'
        '    return f"{manners.word} {who}"\n'
    )
    (tmp_path / "tools.yaml").write_text("greet: {word: hello}\n")
    (tmp_path / "tools" / "broken.py").write_text("import no_such\n")
    test = tmp_path / "tests" / "test_greet.py"
    greet = own_tool("greet", test)
    assert call(greet, {"who": "ada"}, recording=RECORDING).text == "hello ada"
    with pytest.raises(UsageError, match=r"broken\.py:1: it needs the package 'no_such'"):
        own_tool("broken", test)
    with pytest.raises(UsageError, match="no tool 'gret'; there is: greet"):
        own_tool("gret", test)


def test_a_tool_of_a_test_may_fail_as_any_from_outside() -> None:
    @tool(effect="read")
    def wrong(why: str) -> str:
        """Fail."""
        if why == "said":
            raise ToolError("say another")
        return str(1 // 0)

    said = call(wrong, {"why": "said"}, recording=RECORDING)
    assert (said.status, said.text) == ("error", "say another")
    failed = call(wrong, {"why": ""}, recording=RECORDING)
    assert failed.status == "error"
    assert "wrong failed: ZeroDivisionError" in failed.text
    assert "test_calling.py:" in failed.text


def test_a_declared_tool_gets_its_secret_from_the_test_too(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "pager.yaml").write_text(
        "name: pages\nkind: http\neffect: read\ndescription: Open pages.\nurl: https://pager.example/open\n"
        "destinations: [pager.example]\nheaders: {authorization: {secret: token}}\n"
    )
    recording = tmp_path / "quiet"
    shutil.copytree(HERE / "recording", recording)
    (recording / "http").mkdir()
    told = "- {url: 'https://pager.example/open', body: {open: 2}}\n"
    (recording / "http" / "exchanges.yaml").write_text(told)
    pages = own_tool("pages", tmp_path / "tests" / "test_pages.py")
    assert call(pages, recording=recording, settings={"token": "any"}).text == "open: 2"
    without = call(pages, recording=recording, settings={})
    assert (without.status, without.text) == ("error", "the test gives no secret token in its settings")
    assert "there is no secret token; write it into" in call(pages, recording=recording).text


def test_settings_for_a_tool_that_takes_none_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="pods takes no settings"):
        call(pods, {"namespace": "haul"}, recording=RECORDING, settings={"token": "x"})
