"""Long texts on the page: every cited span is marked exactly, the rest cut, and what is cut is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.evals.report.marking import Piece, pieces, shown, spans, weight

ROOM = 10_000


def kinds(those: list[Piece]) -> list[tuple[str, str | int]]:
    return [(piece.kind, piece.cut or piece.text) for piece in those]


def test_a_quote_is_marked_where_it_stands() -> None:
    assert kinds(pieces("one two three", ["two"], ROOM)) == [
        ("plain", "one "),
        ("cited", "two"),
        ("plain", " three"),
    ]


def test_quotes_that_overlap_are_one_mark() -> None:
    assert kinds(pieces("abcdef", ["abc", "cde"], ROOM)) == [("cited", "abcde"), ("plain", "f")]


def test_a_quote_that_does_not_stand_there_marks_nothing() -> None:
    assert kinds(pieces("abc", ["x", ""], ROOM)) == [("plain", "abc")]
    assert spans("abc", ["x"]) == []


def test_what_is_too_long_is_cut_at_a_line_with_its_length() -> None:
    text = "".join(f"line {n:03}\n" for n in range(100))
    assert kinds(pieces(text, [], 35)) == [("plain", "line 000\nline 001\nline 002\n"), ("cut", 900 - 27)]


def test_a_quote_far_down_is_kept_with_its_whole_line() -> None:
    text = "".join(f"line {n:03} of many\n" for n in range(100))
    assert kinds(pieces(text, ["070 of"], 0)) == [
        ("cut", 70 * 17),
        ("plain", "line "),
        ("cited", "070 of"),
        ("plain", " many"),
        ("cut", 1700 - 70 * 17 - 16),
    ]


def test_a_quote_in_one_endless_line_keeps_what_is_around_it() -> None:
    told = pieces("a" * 5000 + "QUOTE" + "b" * 5000, ["QUOTE"], 0)
    assert kinds(told) == [
        ("cut", 4840),
        ("plain", "a" * 160),
        ("cited", "QUOTE"),
        ("plain", "b" * 160),
        ("cut", 4840),
    ]


def test_a_gap_that_is_shorter_than_its_notice_is_not_cut() -> None:
    text = "a" * 30 + "QUOTE" + "b" * 30
    assert kinds(pieces(text, ["QUOTE"], 0, context=5)) == [
        ("plain", "a" * 30),
        ("cited", "QUOTE"),
        ("plain", "b" * 30),
    ]


@given(
    st.text("ab\n<é", max_size=300),
    st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
    st.integers(0, 400),
)
def test_pieces_and_what_is_cut_make_up_the_text(text: str, quotes: list[str], room: int) -> None:
    told = pieces(text, quotes, room)
    at = 0
    for piece in told:
        assert piece.cut or text[at : at + len(piece.text)] == piece.text
        at += piece.cut or len(piece.text)
    assert at == len(text)
    marked = "".join(piece.text for piece in told if piece.kind == "cited")
    assert all(quote in marked for quote in quotes if quote in text)


@given(st.text(max_size=2000), st.integers(0, 500))
def test_without_quotes_no_more_is_kept_than_there_is_room_for(text: str, room: int) -> None:
    assert sum(weight(piece.text) for piece in pieces(text, [], room) if piece.kind == "plain") <= room


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb", "a<U+202E>b"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("a\tb\r\nc\rd", "a    b\nc<U+000D>d"),
        ("zero\u200bwidth", "zero<U+200B>width"),
    ],
)
def test_what_cannot_be_seen_is_made_visible_and_lines_stay(text: str, seen: str) -> None:
    assert shown(text) == seen
