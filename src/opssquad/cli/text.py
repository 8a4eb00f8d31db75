"""Text from outside, made safe to show: invisible characters become visible, nothing is interpreted, commands
are folded but never cut, and what a narrow encoding cannot say is said in ASCII. Strings in, strings out.
"""

import re
from collections.abc import Iterator

from opssquad.gate.visible import hidden, visible

__all__ = ["fold_command", "hidden", "in_encoding", "lines", "visible", "words"]

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_ASCII = str.maketrans(
    {
        "·": "-",
        "→": "->",
        "←": "<-",
        "↺": "~",
        "✓": "+",
        "✗": "x",
        "•": "*",
        "…": "...",
        "—": "-",
        "–": "-",
        "─": "-",
        "━": "=",
        "│": "|",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "«": "<",
        "»": ">",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "°": "deg",
        "µ": "u",
    }
)


def lines(text: str) -> list[str]:
    """A block of text line by line: tabs spread, colour codes of loggers dropped, the rest made visible."""
    plain = _COLOUR.sub("", text).replace("\r\n", "\n")
    return [visible(line.expandtabs(8)).rstrip() for line in plain.split("\n")]


def words(command: str) -> Iterator[str]:
    """A command's words as written, quotes kept, parted at single blanks outside quotes; joining the words
    with a blank gives the command again."""
    start, quote, escaped = 0, "", False
    for index, char in enumerate(command):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == " ":
            yield command[start:index]
            start = index + 1
    yield command[start:]


def fold_command(command: str, width: int) -> list[str]:
    """The whole command in lines of at most `width` columns, continued with a backslash as one would type it.

    A word longer than that stays on a line of its own and is left to the terminal: nothing is ever cut.
    """
    folded = [""]
    for word in words(visible(command)):
        last = folded[-1]
        # Two columns are kept for the backslash that a continued line ends with.
        if last and len(last) + 1 + len(word) > width - 2:
            folded[-1] = f"{last} \\"
            folded.append(f"    {word}")
        else:
            folded[-1] = f"{last} {word}" if last else word
    return folded


def in_encoding(text: str, encoding: str) -> str:
    """The text as that encoding can write it: marks get an ASCII form, other characters their code."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_encodable(char, encoding) for char in text)
    return text


def _encodable(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        said = char.translate(_ASCII)
        return said if said != char else f"<U+{ord(char):04X}>"
    return char
