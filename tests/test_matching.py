"""Patterns that a model gives: matched as one would guess, and never for longer than the text is long."""

import subprocess
import sys

import pytest

from opssquad import ToolError, matcher


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("timeout|refused", "connection refused", True),
        (r"\bpool\b.*size=\d+", "HikariPool pool size=20", True),
        ("^ERROR", "an ERROR", False),
        ("", "anything", True),
        (".", "\ud800", True),
    ],
)
def test_a_pattern_is_looked_for_anywhere(pattern: str, text: str, holds: bool) -> None:
    assert matcher(pattern)(text) is holds


def test_case_is_left_out_where_that_is_asked_for() -> None:
    assert matcher("größe", ignore_case=True)("GRÖSSE GRÖßE")
    assert not matcher("error")("ERROR")


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "(?=look)", r"(a)\1"])
def test_what_is_no_pattern_is_told(pattern: str) -> None:
    with pytest.raises(ToolError, match="is not a regular expression"):
        matcher(pattern)


def test_a_pattern_that_would_hold_the_run_for_hours_does_not() -> None:
    program = "from opssquad import matcher; print(matcher('(a+)+$')('a' * 100_000 + 'b'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
    assert done.stderr == ""
