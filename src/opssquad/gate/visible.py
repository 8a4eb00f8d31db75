"""Which signs of a text nobody would see as themselves, and the text with those made visible."""

import unicodedata

# Drawn as nothing or as a blank although Unicode calls them letters or symbols.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")


def hidden(char: str) -> bool:
    """Whether a character would not be seen as itself: controls, bidi marks, zero widths, odd spaces."""
    if char == " ":
        return False
    return char in BLANK or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def visible(text: str) -> str:
    """One line as it can be trusted to look: every hidden character, also a line end, becomes `<U+202E>`."""
    return "".join(f"<U+{ord(c):04X}>" if hidden(c) else c for c in text)
