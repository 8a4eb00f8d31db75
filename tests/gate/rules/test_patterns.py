"""Patterns of names: what they match, and whether one covers others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.patterns import covers, fit, includes, matches
from tests.gate.rules.made import rule

PATTERN = st.text(alphabet="ab*?", max_size=6)
TEXT = st.text(alphabet="abc", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("web-*", "web-", True),
        ("web-*", "web", False),
        ("*-web", "a-web-web", True),
        ("?", "", False),
        ("w?b", "web", True),
        ("Web", "web", False),
        ("a*b*c", "aXbXc", True),
        ("a*b*c", "acb", False),
        ("*a", "*", False),
        (".*", "x", False),
        ("a\n*", "a\nb", True),
    ],
)
def test_a_pattern_matches_the_whole_text(pattern: str, text: str, matched: bool) -> None:
    assert matches(pattern, text) is matched


@given(PATTERN, TEXT)
def test_a_pattern_matches_what_its_regular_expression_does(pattern: str, text: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert matches(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


def test_many_stars_take_no_time() -> None:
    assert not matches("*a" * 40 + "b", "a" * 4000)


def test_what_is_not_known_fits_perhaps_and_surely_only_a_star() -> None:
    assert fit(["web", "?*"], "") is Fit.MAYBE
    assert fit(["web", "**"], "") is Fit.YES
    assert fit([""], "") is Fit.MAYBE
    assert fit(["web"], "shop") is Fit.NO


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        (["*"], ["web", "a*"], True),
        (["web-*"], ["web-?"], True),
        (["web-*"], ["web*"], False),
        (["a*", "b*"], ["a*b", "b"], True),
        (["a*"], ["a*", "b"], False),
        (["?*", ""], ["*"], False),
        (["*"], ["**"], True),
        (["*a*"], ["?a", "a?", "aa"], True),
        (["?"], ["a"], True),
        (["a", "b"], ["?"], False),
        (["?", "??*"], ["?*"], True),
        ([], ["a"], False),
    ],
)
def test_patterns_cover_what_they_all_match(wide: list[str], narrow: list[str], covered: bool) -> None:
    assert covers(wide, narrow) is covered


@given(st.lists(PATTERN, max_size=3), PATTERN, TEXT)
def test_a_text_of_a_pattern_that_is_included_matches_one_of_the_others(
    wide: list[str], narrow: str, text: str
) -> None:
    if includes(wide, narrow) and matches(narrow, text):
        assert any(matches(each, text) for each in wide)


def test_what_takes_too_long_is_not_said_to_be_covered() -> None:
    wide, narrow = "*a" + "?" * 16 + "b" + "?" * 3, "*a" + "?" * 16 + "b" + "?" * 3
    assert includes([wide], "x") is False
    assert includes([wide], narrow) is False


def test_a_set_of_characters_is_refused_as_it_would_match_nothing() -> None:
    with pytest.raises(ValidationError, match=r"'web-\[12\]': only \* and \? mean more than themselves"):
        rule(namespace=["web-[12]"])
