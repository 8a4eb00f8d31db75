"""Which offered choice an utterance means."""

import pytest

from opssquad.findings import Choice
from opssquad.investigation.choosing import chosen

CHOICES = [Choice(label="Read the logs"), Choice(label="Check recent deployments"), Choice(label="Roll back")]


@pytest.mark.parametrize(
    ("said", "index"),
    [
        ("2", 1),
        ("#3", 2),
        ("option 1 please", 0),
        ("the second one", 1),
        ("Yes, the third.", 2),
        ("last", 2),
        ("check recent deployments", 1),
        ("yes", 0),
        ("ok", 0),
        ("go ahead", 0),
    ],
)
def test_a_number_an_ordinal_the_words_or_a_bare_yes_choose(said: str, index: int) -> None:
    assert chosen(said, CHOICES) == CHOICES[index]


@pytest.mark.parametrize(
    "said",
    [
        "Yes, get the last 50 lines of logs from the first pod.",
        "Yes, please roll back to revision 2",
        "scale it to 3",
        "4",
        "no",
        "why?",
    ],
)
def test_a_sentence_with_more_in_it_is_left_to_the_model(said: str) -> None:
    assert chosen(said, CHOICES) is None


def test_without_choices_nothing_is_chosen() -> None:
    assert chosen("1", []) is None
