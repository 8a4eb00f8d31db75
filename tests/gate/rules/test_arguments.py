"""What a rule says of arguments: values, patterns, ranges, and what is not known."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from opssquad.gate.rules.fits import Fit
from tests.gate.rules.made import call, facts, rule

NO, MAYBE, YES = Fit.NO, Fit.MAYBE, Fit.YES


@pytest.mark.parametrize(
    ("wanted", "value", "fits"),
    [
        ({"max": 20}, 20, YES),
        ({"max": 20}, 20.5, NO),
        ({"max": 20}, -(10**400), YES),
        ({"min": 1}, 1, YES),
        ({"min": 1}, 0, NO),
        ({"min": 1, "max": 3}, 2, YES),
        ({"min": 1, "max": 3}, 4, NO),
        ({"max": 20}, "25", MAYBE),
        ({"max": 20}, True, MAYBE),
        ({"max": 20}, float("nan"), MAYBE),
        ({"max": 20}, float("inf"), MAYBE),
        (5, 5, YES),
        (5, 5.0, YES),
        (5, 6, NO),
        (5, "5", MAYBE),
        ("auto", "auto", YES),
        ("auto", "always", NO),
        ("registry.example.com/*", "registry.example.com/api:1", YES),
        ("registry.example.com/*", "registry.example.com.evil.io/api", NO),
        ("auto", 5, MAYBE),
        ("*", ["a"], MAYBE),
        (True, True, YES),
        (True, False, NO),
        (True, 1, MAYBE),
        (False, "false", MAYBE),
        ([1, "auto"], 1, YES),
        ([1, {"min": 7}], 3, NO),
        ([1, "auto"], 3, MAYBE),
        ("*", None, MAYBE),
    ],
)
def test_a_value_fits_or_does_not_or_cannot_be_told(wanted: Any, value: Any, fits: Fit) -> None:
    assert rule(args={"x": wanted}).fit(facts(call(x=value))) is fits


def test_an_argument_that_the_call_lacks_cannot_be_told() -> None:
    assert rule(args={"x": 1}).fit(facts(call(y=1))) is MAYBE
    assert rule(args={"x": 1, "y": 2}).fit(facts(call(y=1))) is NO


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"max": "many"}, "min and max are numbers"),
        ({"min": True}, "min and max are numbers"),
        ({"min": float("inf")}, "min and max are numbers"),
        ({"min": 3, "max": 2}, "min 3 is above max 2"),
        ({"most": 3}, "give a text, a number, true or false"),
        ({}, "give a text, a number, true or false"),
        (None, "give a text, a number, true or false"),
        (float("nan"), "give a text, a number, true or false"),
        ([[1]], "give a text, a number, true or false"),
        ([], "an empty list fits no value"),
        ("a[bc]", "only * and ? mean more"),
    ],
)
def test_what_cannot_be_meant_of_an_argument_is_refused(wanted: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        rule(args={"x": wanted})


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ({"max": 20}, {"max": 10}, True),
        ({"max": 20}, {"max": 21}, False),
        ({"max": 20}, 20, True),
        ({"max": 20}, {"min": 3}, False),
        ({"min": 1}, {"min": 1, "max": 3}, True),
        ([{"max": 3}, {"min": 7}], [{"max": 2}, 9], True),
        ([{"max": 3}, {"min": 7}], [5], False),
        ("a*", ["ab", "ac*"], True),
        ("a*", "b", False),
        ("*", 5, False),
        (True, True, True),
        (True, False, False),
        ([True, False], False, True),
    ],
)
def test_a_rule_covers_what_says_less_of_an_argument(wide: Any, narrow: Any, covered: bool) -> None:
    assert rule(args={"x": wide}).covers(rule(args={"x": narrow})) is covered


def test_a_rule_about_an_argument_covers_none_that_is_about_any() -> None:
    assert not rule(args={"x": {"max": 3}}).covers(rule())
    assert rule().covers(rule(args={"x": 3}))
    assert rule(args={"x": 3}).covers(rule(args={"x": 3, "y": 4}))


@pytest.mark.parametrize(
    ("wanted", "value", "said"),
    [
        ({"min": 21}, 30, "replicas 30 is at least 21"),
        ({"max": 0}, 0, "replicas 0 is at most 0"),
        ({"min": 3, "max": 4}, 3, "replicas 3 is at least 3 and at most 4"),
        (0, 0, "replicas 0 is 0"),
        ("al*", "all", "replicas is like 'al*'"),
        (True, True, "replicas is true"),
        ({"min": 21}, "30", "whether replicas is meant so cannot be told"),
        ({"min": 21}, None, "the call does not say replicas"),
    ],
)
def test_the_reason_says_what_of_an_argument_counted(wanted: Any, value: Any, said: str) -> None:
    verdict = rule("refuse", args={"replicas": wanted}, reason="too much").says(facts(call(replicas=value)))
    assert verdict.reason == f"too much; {said}"


def test_a_text_that_was_given_never_stands_in_the_reason() -> None:
    made = call(env="DB_PASSWORD=hunter2")
    assert "hunter2" not in rule("refuse", args={"env": "DB_*"}).says(facts(made)).reason
