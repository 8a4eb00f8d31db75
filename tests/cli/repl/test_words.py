"""What a typed line means, above all: what approves a card, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.cli.repl.words import (
    Approve,
    Edit,
    Explain,
    Later,
    Meaning,
    Refuse,
    Remember,
    Say,
    Slash,
    Unclear,
    read,
)


@pytest.mark.parametrize("line", ["y", "yes", "Yes.", "approve", "APPROVED", " yes, please ", "y please!"])
def test_plain_words_of_consent_approve(line: str) -> None:
    assert read(line, card=True) == Approve()


@pytest.mark.parametrize(
    "line",
    [
        "sure",
        "ok",
        "yes but only in staging",
        "yes?",
        "yes, no",
        "yesterday it worked",
        "approve the other one",
        "don't approve",
        "1",
        "why not yes",
        "\u0443",  # Cyrillic, drawn like a Latin y
    ],
)
def test_anything_else_approves_nothing(line: str) -> None:
    assert isinstance(read(line, card=True), Unclear)


@given(st.text(min_size=1))
def test_only_the_listed_words_ever_approve(line: str) -> None:
    meant = read(line, card=True)
    if meant == Approve():
        bare = line.strip().lower().rstrip(".!").removesuffix("please").strip().rstrip(",")
        assert bare in {"y", "yes", "approve", "approved"}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("s", Remember()),
        ("Session.", Remember()),
        ("for this session", Remember()),
        ("n", Refuse("")),
        ("no, the database is down anyway", Refuse("the database is down anyway")),
        ("refuse wrong cluster", Refuse("wrong cluster")),
        ("No.", Refuse("")),
        ("edit to revision 5", Edit("to revision 5")),
        ("edit", Edit("")),
        ("explain", Explain()),
        ("why?", Explain()),
        ("later", Later()),
        ("/evidence e3", Slash("evidence", "e3")),
        ("nothing yet", Unclear("nothing yet")),
        ("not now", Unclear("not now")),
    ],
)
def test_a_card_has_other_answers_too(line: str, meaning: Meaning) -> None:
    assert read(line, card=True) == meaning


@pytest.mark.parametrize("line", ["y", "no", "explain", "edit it", "2", "the second one"])
def test_without_a_card_every_word_is_for_the_squad(line: str) -> None:
    assert read(line, card=False) == Say(line)


def test_an_empty_line_means_nothing() -> None:
    assert read("  ", card=True) is None
    assert read("", card=False) is None
