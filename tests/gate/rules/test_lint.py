"""What is found to be odd about rules, and that nothing is found that is not so."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.gate.rules.alone import House, KnownTool
from opssquad.gate.rules.facts import Facts
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.lint import lint, shadows
from opssquad.gate.rules.reading import Layer
from opssquad.gate.rules.rule import Rule
from tests.gate.rules.made import FACTS, RULES, layer, rule

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
HOUSE = House(
    tools={
        "scale": KnownTool("mutate", {"name": TEXT, "replicas": NUMBER, "force": {"type": "boolean"}}),
        "restart": KnownTool("mutate", {"name": TEXT}),
        "health": KnownTool("read", {"namespace": TEXT}),
        "patch": KnownTool("mutate", {"body": {"anyOf": []}}),
    },
    squads=("k8s", "db"),
    people={"sre": ("kim",)},
)


def found(*layers: Layer) -> list[str]:
    return [each.text for each in lint(layers, HOUSE)]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ({}, {}),
        ({"namespace": "w*"}, {"namespace": ["web", "w-?"]}),
        ({"tool": "s*", "effect": "any"}, {"tool": "scale", "effect": "mutate"}),
        ({"args": {"replicas": {"max": 20}}}, {"args": {"replicas": {"min": 1, "max": 5}}, "tool": "scale"}),
        ({"when": {"weekdays": "sat-sun"}}, {"when": {"weekdays": "sun", "from": "10:00"}}),
        ({"kind": "deployments"}, {"kind": "deploy", "object": "api"}),
        ({"cluster": ["a*", "b*"]}, {"cluster": "b1"}),
    ],
)
def test_a_rule_behind_one_that_matches_all_that_it_does_is_shadowed(
    first: dict[str, Any], later: dict[str, Any]
) -> None:
    said = found(layer(rule("ask", "wide", **first), rule("ask", "narrow", **later)))
    before = "rule 'wide' (rules:1), which comes first and matches every call that it matches"
    assert f"rule 'narrow' is shadowed by {before}" in said
    if first != later:
        turned = found(layer(rule("ask", "narrow", **later), rule("ask", "wide", **first)))
        assert not [each for each in turned if "shadowed" in each]


def test_the_same_calls_with_another_verdict_are_a_contradiction() -> None:
    keys: dict[str, Any] = {"tool": "scale", "args": {"replicas": {"max": 3}}}
    said = found(layer(rule("ask", "one", **keys), rule("refuse", "two", **keys)))
    assert said == [
        "rule 'two' contradicts rule 'one' (rules:1), which comes first: the same calls, "
        "ask there and refuse here"
    ]


def test_two_rules_of_one_name_would_not_be_told_apart() -> None:
    said = found(layer(rule("ask", "a", tool="scale"), rule("ask", "a", tool="restart")))
    assert said == ["rule 'a' has the name of another one (rules:1); give it its own"]


REFUSED = layer(rule("refuse", "keep off", tool="scale"), rule("ask", "else"))


def test_a_rule_that_a_stricter_layer_always_overrules_is_void() -> None:
    ours = layer(rule("ask", "ours", tool="scale", namespace="web"), origin="organisation")
    assert found(REFUSED, ours) == [
        "rule 'ours' is void: rule 'keep off' (rules:1) matches every such call and says refuse"
    ]


def test_a_rule_is_not_void_where_the_stricter_one_may_not_come_to_its_turn() -> None:
    ours = layer(rule("ask", "ours", tool="scale"), origin="organisation")
    assert found(layer(rule("ask", "first", namespace="web"), *[p.rule for p in REFUSED.rules]), ours) == []
    assert found(layer(rule("refuse", "some", tool="scale", namespace="web")), ours) == []


def test_a_rule_that_loosens_is_not_void_and_what_is_bundled_is_left_out() -> None:
    assert found(REFUSED, layer(rule("ask", "ours", tool="scale"), origin="organisation", loosens=True)) == []
    assert found(layer(rule("ask", "bundled")), layer(rule("refuse", "ours"), origin="organisation")) == []


def test_roles_of_two_layers_that_nobody_can_meet_are_told() -> None:
    house = layer(rule("ask", "a", roles=["sre"]))
    ours = layer(rule("ask", "b", tool="scale", roles=["sre2"]), origin="squad")
    assert found(house, ours)[-1] == (
        "rule 'b' wants the role 'sre2', which nobody has; say who under `roles:`"
    )
    assert found(house, ours)[0] == (
        "rule 'b' is void: it wants the role sre2, rule 'a' (rules:1) wants sre, so nobody can approve"
    )


@pytest.mark.parametrize(
    ("verdict", "keys", "said"),
    [
        ("ask", {"tool": "scael"}, "names tool 'scael', which is none; nearest: scale"),
        ("ask", {"tool": ["scale", "zz*"]}, "names tool 'zz*', which is none"),
        ("ask", {"squad": "k9s"}, "names squad 'k9s', which is none; nearest: k8s"),
        (
            "ask",
            {"tool": "s*", "effect": "read"},
            "can match nothing: it is about effect read, and scale changes",
        ),
        (
            "ask",
            {"tool": "health", "effect": "mutate"},
            "can match nothing: it is about effect mutate, and health",
        ),
        ("allow", {"effect": "mutate"}, "allows changes, and those are always asked about; say ask"),
        ("allow", {"tool": "scale"}, "allows changes, and those are always asked about; say ask"),
        ("ask", {"tool": "scale", "args": {"replica": 3}}, "none of scale has one; nearest: replicas"),
        ("ask", {"args": {"zzz": 3}}, "none of health, patch, restart, scale has one"),
        (
            "refuse",
            {"args": {"replicas": 3}},
            "matches every call of health, patch, restart: they have no argument",
        ),
        ("ask", {"tool": "scale", "args": {"replicas": "3"}}, "cannot be told: for scale it is a number"),
        ("ask", {"tool": "scale", "args": {"name": 3}}, "cannot be told: for scale it is a text"),
        (
            "ask",
            {"tool": "scale", "args": {"force": "true"}},
            "cannot be told: for scale it is true or false",
        ),
        (
            "ask",
            {"when": {"weekdays": "mon", "dates": "2026-12-24"}},
            "none of its dates is one of its weekdays",
        ),
        ("ask", {"roles": ["lead"]}, "wants the role 'lead', which nobody has"),
        ("ask", {"roles": ["sre"], "approvers": 2}, "wants 2 approvers, and 1 person has the role sre: kim"),
    ],
)
def test_a_rule_about_nothing_that_there_is_is_told(verdict: str, keys: dict[str, Any], said: str) -> None:
    (only,) = found(layer(rule(verdict, **keys)))
    assert only.startswith("rule 'r' ")
    assert said in only


@pytest.mark.parametrize(
    ("verdict", "keys"),
    [
        ("allow", {}),
        ("allow", {"effect": "read"}),
        ("allow", {"args": {"namespace": "web"}}),
        ("ask", {"tool": ["scale", "restart"], "args": {"name": "a*"}}),
        ("ask", {"tool": "patch", "args": {"body": "x"}}),
        ("ask", {"tool": "scale", "args": {"replicas": ["all", {"max": 3}]}}),
        ("ask", {"roles": ["sre"]}),
        ("ask", {"approvers": 5}),
        ("ask", {"when": {"weekdays": "thu", "dates": "2026-12-24"}}),
        ("ask", {"when": {"weekdays": "mon", "dates": {"first": "2026-12-24", "last": "2027-12-24"}}}),
    ],
)
def test_nothing_is_odd_about_a_rule_that_can_be_meant(verdict: str, keys: dict[str, Any]) -> None:
    assert found(layer(rule(verdict, **keys))) == []


def test_people_are_those_of_all_layers(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("roles: {sre: [lou], lead: [ann]}")
    two = layer(rule("ask", roles=["sre"], approvers=2))
    assert found(Layer.read(tmp_path / "p.yaml"), two) == []
    three = layer(rule("ask", roles=["sre", "lead"], approvers=4))
    (said,) = found(Layer.read(tmp_path / "p.yaml"), three)
    assert said.endswith("wants 4 approvers, and 3 people have the role sre or lead: ann, kim, lou")


def never_decides(rules: list[Rule], made: Facts) -> None:
    """What lint says is shadowed is so for this call; and any two of the rules are as `covers` says."""
    whole = layer(*rules)
    surely = [placed for placed in whole.rules if placed.rule.fit(made) is Fit.YES]
    for _, later in shadows(whole):
        assert not surely or surely[0] is not later
    for first, other in permutations(rules, 2):
        assert not first.covers(other) or first.fit(made) >= other.fit(made)


SEVERAL = st.lists(RULES, min_size=2, max_size=4)


@settings(max_examples=40)
@given(SEVERAL, FACTS)
def test_a_rule_before_a_shadowed_one_matches_all_that_it_matches(rules: list[Rule], made: Facts) -> None:
    never_decides(rules, made)


@pytest.mark.long
@settings(max_examples=2_000)
@given(SEVERAL, FACTS)
def test_the_same_for_many_rules_and_calls(rules: list[Rule], made: Facts) -> None:
    never_decides(rules, made)
