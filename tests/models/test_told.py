"""An answer that was cut off and is asked for again is heard once."""

import pytest

from opssquad.cli.render.speech import Speech
from opssquad.models.told import Told
from tests.models.test_chat import Ear


@pytest.mark.parametrize(
    ("first", "second", "drawn"),
    [
        ("The pool is", "The pool is too small.", ["The pool is too small."]),
        ("The pool is too small.", "The pool is too small.", ["The pool is too small."]),
        ("The pool", "A lock is held.", ["The pool", "A lock is held."]),
        ("The pool is too small, I", "The pool", ["The pool is too small, I", "The pool"]),
        ("", "A lock is held.", ["A lock is held."]),
    ],
)
def test_what_was_heard_before_the_cut_is_not_heard_again(first: str, second: str, drawn: list[str]) -> None:
    ear, lines = Ear(), []
    told = Told(ear)
    for answer in (first, second):
        told.begin()
        for letter in answer:
            told.text(letter)
    speech = Speech(lambda text, aside: lines.append(text))
    for piece in ear.pieces:
        speech.piece(piece)
    speech.thought(second)
    speech.answer(second)
    assert lines == drawn
