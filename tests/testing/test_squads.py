"""`opssquad.testing.run_squad`: a whole run in a recorded world, with tools and a model of the test's own."""

import subprocess
import sys

import pytest

from opssquad import Cluster, Quote, Ref, Result, Signal, tool
from opssquad.errors import ModelBadReply, ModelUnreachable
from opssquad.testing import async_run_squad, concludes, run_squad, scripted, wants

AUTH = Ref(kind="Deployment", namespace="authentication", name="auth-service")


@tool(effect="read", signals=["deploy.frozen"])
async def freezes(cluster: Cluster, namespace: str) -> Result:
    """What may not be deployed now."""
    await cluster.get("Namespace", namespace)
    source = Quote(locator="freezes of production", text="auth-service until monday")
    found = Signal(id="deploy.frozen", entity=AUTH, text="auth-service is frozen", quotes=(source,))
    return Result(text="auth-service is frozen", sources=(source,), signals=(found,))


def test_a_squad_finds_what_is_wrong_without_a_model() -> None:
    outcome = run_squad("why do logins fail?", recording="auth-0308")
    assert outcome.conclusion
    assert outcome.conclusion.causes[0].component == AUTH
    assert {"health", "logs"} <= set(outcome.tools)
    assert len({each.model_dump_json() for each in outcome.signals}) == len(outcome.signals)
    assert outcome.cards == ()


def test_a_scripted_model_calls_a_tool_of_ones_own_and_concludes_from_what_it_found() -> None:
    model = scripted(
        wants("freezes", namespace="authentication"),
        concludes(str(AUTH), "nobody could deploy", evidence=["e1"]),
    )
    outcome = run_squad("why is it old?", recording="auth-0308", tools=[freezes], model=model)
    assert outcome.tools == ("freezes",)
    assert outcome.of("freezes").args == {"namespace": "authentication"}
    assert outcome.conclusion
    assert outcome.conclusion.causes[0].root_cause == "nobody could deploy"
    assert "freezes" in {each.name for each in model.asked[0].tools}
    assert "health" in {each.name for each in model.asked[0].tools}


def test_a_choice_is_taken_by_its_number_and_its_card_is_approved_or_not() -> None:
    said = ("why do logins fail?", "1")
    refused = run_squad(*said, recording="auth-0308")
    assert [card.call.tool for card in refused.cards] == ["rollback"]
    assert refused.of("rollback").result.status == "refused"
    approved = run_squad(*said, recording="auth-0308", approve=True).of("rollback")
    assert approved.check
    assert (approved.result.status, approved.check.outcome) == ("ok", "better")


async def test_calls_at_once_words_and_failures_are_told_as_one_would_write_them() -> None:
    model = scripted([wants("find", query="auth"), wants("health", namespace="authentication")], "so")
    outcome = await async_run_squad("and?", recording="auth-0308", model=model, mode="chat")
    assert outcome.tools == ("find", "health")
    assert "so" in outcome.text
    with pytest.raises(ModelBadReply, match="the script of scripted is over after 1 replies"):
        await async_run_squad("and?", recording="auth-0308", model=scripted(wants("health")))
    with pytest.raises(ModelUnreachable, match="gone"):
        await async_run_squad("and?", recording="auth-0308", model=scripted(ModelUnreachable("gone")))


def test_a_call_that_was_not_made_is_missed_in_words() -> None:
    model = scripted(wants("find", query="auth"), "so")
    outcome = run_squad("and?", recording="auth-0308", model=model, mode="chat")
    with pytest.raises(LookupError, match="health was not called; called: find"):
        outcome.of("health")


def test_the_kit_is_imported_where_pytest_is_not() -> None:
    code = "import sys; sys.modules['pytest'] = None; import opssquad.testing"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
