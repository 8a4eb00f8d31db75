"""Text from outside: what is hidden becomes visible, what is long is folded and never cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.cli.text import fold_command, in_encoding, lines, visible, words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rm \u202egnp.x", "rm <U+202E>gnp.x"),
        ("a\x1b[2Kb", "a<U+001B>[2Kb"),
        ("a\nb", "a<U+000A>b"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("no\u00a0break", "no<U+00A0>break"),
        ("filler\u3164", "filler<U+3164>"),
        ("[bold]x[/bold] :boom:", "[bold]x[/bold] :boom:"),
        ("Grüße 東京", "Grüße 東京"),
    ],
)
def test_hidden_characters_are_shown_by_their_code(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_that_steers_a_terminal_passes(text: str) -> None:
    shown = visible(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert not set(shown) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def test_a_block_keeps_its_lines_and_loses_only_the_colours_of_loggers() -> None:
    assert lines("\x1b[31mERROR\x1b[0m lost\r\n\tat x\x07") == ["ERROR lost", "        at x<U+0007>"]


def test_a_long_command_is_folded_between_words_and_never_inside_quotes() -> None:
    command = "kubectl -n shop set env deployment/cart 'NOTE=one two three four five six' A=1 B=2"
    assert fold_command(command, 44) == [
        "kubectl -n shop set env deployment/cart \\",
        "    'NOTE=one two three four five six' A=1 \\",
        "    B=2",
    ]


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126)), min_size=1), st.integers(20, 90))
def test_folding_loses_nothing(parts: list[str], width: int) -> None:
    command = " ".join(parts)
    assert " ".join(words(command)) == command
    folded = fold_command(command, width)
    kept = [line.removesuffix(" \\").removeprefix("    ") for line in folded[:-1]]
    assert (
        " ".join([*kept, folded[-1].removeprefix("    ") if kept else folded[-1]]).split() == command.split()
    )


def test_a_word_wider_than_the_screen_stays_whole() -> None:
    word = "x" * 200
    assert fold_command(f"kubectl {word} end", 40) == ["kubectl \\", f"    {word} \\", "    end"]


def test_a_narrow_encoding_gets_ascii_marks_and_codes() -> None:
    assert in_encoding("a → b · ✓ 東", "ascii") == "a -> b - + <U+6771>"
    assert in_encoding("a · b → é", "latin-1") == "a · b -> é"
    assert in_encoding("a → b", "utf-8") == "a → b"
