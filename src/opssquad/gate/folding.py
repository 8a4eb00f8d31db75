"""A line of text as it reads, whatever signs it is written with: lower case, look-alike letters plain, what
is not seen left out; and what is written in a code (base64, percent, escapes, letters apart) in plain words.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from opssquad.gate.visible import BLANK

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)
_ENDS = re.compile(r"\\[nrt]")
_ODD = re.compile(r"[^\x09\x20-\x7e]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}[^%]{0,40}){2}")
_UNICODE = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#x?[0-9a-fA-F]{2,6};)")
_APART = re.compile(r"(?<![^\W_])(?:[^\W_][\W_]{1,3}){11,}[^\W_](?![^\W_])")
_TAGS = range(0xE0020, 0xE007F)
CODED = 40_000
"""Characters of a line that are looked at for what is written in a code."""


@dataclass(frozen=True)
class Folded:
    """The folded line, and where each of its characters stands in the line itself."""

    text: str
    places: tuple[int, ...] = ()

    def place(self, index: int) -> int:
        """The place in the line of the character at that index of the folded text."""
        return self.places[index] if self.places and index < len(self.places) else index


class Folder:
    """Folds lines. `letters` are signs that read like a Latin letter, by that letter."""

    def __init__(self, letters: Mapping[str, str]) -> None:
        self._known = {sign: letter for letter, signs in letters.items() for sign in signs}

    def fold(self, line: str) -> Folded:
        """The line as it reads. It has no line ends, and the folded text has none."""
        line = _ENDS.sub("  ", line)
        if not _ODD.search(line):
            return Folded(line.lower())
        places: list[int] = []
        signs: list[str] = []
        start = 0
        for escape in [*_ESCAPES.finditer(line), None]:
            for index in range(start, escape.start() if escape else len(line)):
                plain = self._plain(line[index])
                signs.append(plain)
                places += [index] * len(plain)
            start = escape.end() if escape else len(line)
        return Folded("".join(signs), tuple(places))

    def _plain(self, sign: str) -> str:
        known = self._known.get(sign)
        if known is None:
            known = self._known[sign] = self._folded(sign)
        return known

    def _folded(self, sign: str) -> str:
        if ord(sign) in _TAGS:
            return chr(ord(sign) - 0xE0000).lower()
        kind = unicodedata.category(sign)
        if kind in {"Cf", "Mn", "Me"} or sign in BLANK:
            return ""
        if kind[0] in "ZC":
            return " "
        # A letter with marks, or in another shape, reads like the letter.
        parts = [p for p in unicodedata.normalize("NFKD", sign) if unicodedata.category(p) != "Mn"]
        plain = "".join(self._known.get(p) or self._known.get(p.lower()) or p.lower() for p in parts)
        return " ".join(plain.splitlines())


def decoded(line: str) -> Iterator[tuple[int, str]]:
    """What the line says in a code: where it begins, and each text that comes out of it, in one line."""
    line = line[:CODED]
    for found in _BASE64.finditer(line):
        text = _plain(found[0])
        if text:
            yield found.start(), " ".join(text.splitlines())
    if percent := _PERCENT.search(line):
        yield percent.start(), " ".join(unquote(line.replace("+", " ")).splitlines())
    if escape := _UNICODE.search(line):
        yield escape.start(), " ".join(unescape(_UNICODE.sub(_sign, line)).splitlines())


def apart(text: str) -> Iterator[tuple[int, str]]:
    """Words of a folded text whose letters stand apart (`i g n o r e`), drawn together, with their place."""
    for found in _APART.finditer(text):
        yield found.start(), re.sub(r"[\W_]+", "", found[0])


def _sign(found: re.Match[str]) -> str:
    if found[0].startswith("&"):
        return unescape(found[0])
    return chr(int(found[0][2:], 16))


def _plain(encoded: str) -> str:
    """The words that a run of base64 stands for; empty where it stands for none."""
    whole = encoded.rstrip("=")
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    try:
        text = base64.b64decode(whole + "=" * (-len(whole) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if " " in text and sum(c.isprintable() or c in "\n\t" for c in text) == len(text) else ""
