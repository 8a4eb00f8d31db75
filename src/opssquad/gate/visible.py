"""Which signs of a text nobody would see as themselves, and the text with those made visible."""

import re
import unicodedata

# Drawn as nothing or as a blank although Unicode calls them letters or symbols.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")

_MARK = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_PILED = re.compile(f"({_MARK}{{2}})({_MARK}+)")


def hidden(char: str) -> bool:
    """Whether a character would not be seen as itself: controls, bidi marks, zero widths, odd spaces."""
    if char == " ":
        return False
    return char in BLANK or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def visible(text: str) -> str:
    """One line as it can be trusted to look: every hidden character, also a line end, becomes `<U+202E>`; so
    do marks that are piled on a letter and would be drawn over the lines around it."""
    piled = _PILED.sub(lambda found: found[1] + "".join(map(_code, found[2])), text)
    return "".join(_code(c) if hidden(c) else c for c in piled)


def _code(char: str) -> str:
    return f"<U+{ord(char):04X}>"
