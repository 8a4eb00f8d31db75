"""The verdict of several layers: the strictest, what all of them need, and who may loosen."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.gate.policy import STRICTNESS, Policy
from opssquad.gate.rules.reading import Layer, Origin
from opssquad.types import Needs, ToolCall, Verdict
from tests.gate.rules.made import CALLS, EFFECTS, NOON, RULES, TIMES, call, layer, rule


def judged(rules: Policy, made: ToolCall | None = None, effect: Any = "mutate") -> Verdict:
    return rules.judge(made or call(), effect, NOON)


def layers(*rules: Any) -> Policy:
    """A layer a rule: bundled, the organisation's, the squad's."""
    origins: tuple[Origin, ...] = ("bundled", "organisation", "squad")
    return Policy([layer(each, origin=origin) for each, origin in zip(rules, origins, strict=False)])


@pytest.mark.parametrize("outcomes", [("allow", "ask"), ("refuse", "allow"), ("ask", "refuse")])
def test_of_several_layers_the_strictest_verdict_holds(outcomes: tuple[str, str]) -> None:
    strictest = max(outcomes, key=["allow", "ask", "refuse"].index)
    assert judged(layers(*(rule(each) for each in outcomes)), effect="read").outcome == strictest


def test_what_all_layers_need_is_needed_and_the_rules_that_need_it_are_named() -> None:
    verdict = judged(
        layers(
            rule("ask", "all"),
            rule("ask", "two", approvers=2, roles=["sre", "dba"], reason="production"),
            rule("ask", "other", roles=["dba", "lead"], requester_may_approve=False, reason="four eyes"),
        )
    )
    assert verdict.needs == Needs(approvers=2, roles=("dba",), requester_may_approve=False)
    assert (verdict.rule, verdict.reason) == ("two + other", "production; four eyes")


def test_a_layer_that_needs_all_that_the_others_do_is_the_one_that_is_named() -> None:
    assert judged(layers(rule("ask", "all"), rule("ask", "two", approvers=2))).rule == "two"
    assert judged(layers(rule("ask", "two", approvers=2), rule("ask", "all"))).rule == "two"
    assert judged(layers(rule("ask", "all"), rule("ask", "ours", reason="it is ours"))).rule == "ours"


def test_roles_that_no_layer_shares_with_another_are_refused_as_nobody_could_approve() -> None:
    sre, dba = rule("ask", "a", roles=["sre"]), rule("ask", "b", roles=["dba"])
    verdict = judged(layers(sre, dba, rule("ask", "c", roles=["dba"])))
    assert (verdict.outcome, verdict.rule) == ("refuse", "a + b + c")
    assert verdict.reason.startswith("nobody's yes would do: a wants sre and b wants dba")


def organisation(*rules: Any, loosens: bool = True) -> Policy:
    """Between a bundled layer that refuses scaling and asks otherwise, and a squad's that refuses web."""
    return Policy(
        [
            layer(rule("refuse", "bundled", tool="scale"), rule("ask", "bundled asks")),
            layer(*rules, origin="organisation", loosens=loosens),
            layer(rule("refuse", "squad", namespace="web"), origin="squad"),
        ]
    )


def test_an_organisation_that_may_loosen_stands_in_place_of_the_others_where_its_rules_match() -> None:
    rules = organisation(
        rule("ask", "ours", cluster="prod", approvers=2), rule("allow", "reads", effect="read")
    )
    verdict = judged(rules, call("scale"))
    assert (verdict.outcome, verdict.rule, verdict.needs.approvers) == ("ask", "ours", 2)
    assert judged(rules, call("scale", cluster="staging"), "read").outcome == "allow"
    assert judged(rules, call("scale", cluster="staging")).outcome == "refuse"
    tight = organisation(rule("ask", "ours", cluster="prod"), loosens=False)
    assert judged(tight, call("scale")).outcome == "refuse"


def test_a_rule_that_only_may_be_meant_loosens_nothing() -> None:
    rules = organisation(rule("ask", "ours", namespace="shop"))
    assert judged(rules, call("scale", namespace="")).outcome == "refuse"


def test_even_who_may_loosen_does_not_allow_a_mutation() -> None:
    assert judged(organisation(rule("allow", "ours"))).outcome == "ask"


def test_people_have_the_roles_of_every_layer_however_their_name_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("roles: {sre: [Kim  Lee, sam], dba: [kim lee]}")
    (tmp_path / "b.yaml").write_text("roles: {sre: [lou]}")
    rules = Policy.load(tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert rules.roles(" kim LEE") == ("dba", "sre")
    assert rules.roles("lou") == ("sre",)
    assert rules.roles("eve") == ()


LAYERS = st.builds(
    lambda rules, origin: layer(*rules, origin=origin),
    st.lists(RULES, max_size=4),
    st.sampled_from(["bundled", "organisation", "squad"]),
)
STACKS = st.lists(LAYERS, min_size=1, max_size=3)


@settings(max_examples=50)
@given(st.lists(LAYERS, max_size=3), st.booleans(), CALLS, TIMES)
def test_no_policy_allows_a_mutation_or_an_unknown_tool(
    stack: list[Layer], loosens: bool, each: ToolCall, at: Any
) -> None:
    if loosens and stack:
        stack[-1] = Layer("organisation", stack[-1].rules, loosens=True)
    assert Policy(stack).judge(each, "mutate", at).outcome != "allow"
    assert Policy(stack).judge(each, None, at).outcome == "refuse"


def tightens(stack: list[Layer], more: Layer, each: ToolCall, effect: Any, at: Any) -> None:
    """No further layer makes the verdict milder, or needs fewer people or others."""
    before = Policy(stack).judge(each, effect, at)
    after = Policy([*stack, more]).judge(each, effect, at)
    assert STRICTNESS[after.outcome] >= STRICTNESS[before.outcome]
    if after.outcome == before.outcome == "ask":
        old, new = before.needs, after.needs
        assert new.approvers >= old.approvers
        assert old.requester_may_approve or not new.requester_may_approve
        assert new.roles or not old.roles
        assert not old.roles or set(new.roles) <= set(old.roles)


@settings(max_examples=50)
@given(STACKS, LAYERS, CALLS, EFFECTS, TIMES)
def test_a_further_layer_only_tightens(
    stack: list[Layer], more: Layer, each: ToolCall, effect: Any, at: Any
) -> None:
    tightens(stack, more, each, effect, at)


@pytest.mark.long
@settings(max_examples=1_000)
@given(STACKS, LAYERS, CALLS, EFFECTS, TIMES)
def test_the_same_for_many_layers_and_calls(
    stack: list[Layer], more: Layer, each: ToolCall, effect: Any, at: Any
) -> None:
    tightens(stack, more, each, effect, at)


@settings(max_examples=50)
@given(STACKS, CALLS, TIMES)
def test_what_a_call_does_not_say_makes_the_verdict_no_milder(
    stack: list[Layer], each: ToolCall, at: Any
) -> None:
    vague = each.model_copy(update={"target": each.target.model_copy(update={"namespace": ""})})
    verdicts = [Policy(stack[:1]).judge(made, "read", at) for made in (each, vague)]
    if verdicts[0].rule != "no rule matches":
        assert STRICTNESS[verdicts[1].outcome] >= STRICTNESS[verdicts[0].outcome]
