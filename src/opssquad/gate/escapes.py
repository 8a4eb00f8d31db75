"""Texts within texts: a file in a JSON string, a line that YAML folded. Each is shown as its author wrote it,
in place: every character keeps its index, so that what is found in the view stands there in the text, too.
"""

import re
from collections.abc import Iterator

DEPTH = 3
"""Strings within strings that are looked into."""

_ESCAPE = re.compile(r'\\(u00[0-7][0-9a-fA-F]|.)|"', re.DOTALL)
_INNER = ("\\n", "\\u00")
"""What a text has in it if there is a text within it that reads otherwise."""
_MEANS = {"n": " \n", "t": " \t", "r": "  ", '"': '" ', "\\": " \\", "/": " /", "\n": "  ", " ": "  "}


def views(text: str) -> Iterator[tuple[int, str]]:
    """The text itself, then those lines of it that hold strings with lines in them: each string's lines as
    lines of their own, and so on with the strings in those. With where in the text each begins."""
    yield 0, text
    if not any(sign in text for sign in _INNER):
        return
    for start, end in _lines(text):
        view = text[start:end]
        for _ in range(DEPTH):
            if not any(sign in view for sign in _INNER):
                break
            view = _ESCAPE.sub(_unescaped, view)
            yield start, view


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """The lines that have an escape, each with those that YAML folded it into."""
    end = 0
    while (at := text.find("\\", end)) >= 0:
        start, end = text.rfind("\n", 0, at) + 1, at
        while (end := _stop(text, end)) < len(text) and text[end - 1] == "\\":
            end += 1
        yield start, end


def _stop(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _unescaped(found: re.Match[str]) -> str:
    if found[1] is None:
        # Where a string begins or ends, a line does.
        return "\n"
    if len(found[1]) > 1:
        return f"     {chr(int(found[1][1:], 16))}"
    return _MEANS.get(found[1], found[0])
