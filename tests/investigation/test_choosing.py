"""Which offered choice an utterance means."""

import pytest

from opssquad.findings import Choice
from opssquad.investigation.choosing import beyond, chosen

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


@pytest.mark.parametrize("said", ["4", "99", "0", "the fourth one", "option 7, please"])
def test_a_number_that_is_not_offered_is_said_to_be_none_of_the_choices(said: str) -> None:
    assert beyond(said, CHOICES).startswith("there are 3 choices; take one by its number")
    assert beyond(said, CHOICES[:1]).startswith("there is 1 choice;")
    assert beyond(said, []).startswith("no numbered choice is offered now")


@pytest.mark.parametrize("said", ["3", "the last one", "yes", "no", "scale it to 7", "why?", ""])
def test_other_words_are_no_number_beyond_the_choices(said: str) -> None:
    assert beyond(said, CHOICES) == ""


def test_without_choices_nothing_is_chosen() -> None:
    assert chosen("1", []) is None
