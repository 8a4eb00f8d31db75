"""Takes secrets and terminal control out of text and JSON values, and leaves a placeholder of fixed shape.

What gives a secret away is in `names`, `pairs` and `secrets.yaml`. A placeholder carries a short tag, keyed
by the installation: two mentions of one secret read as one, and without the key no guess can be tried on it.
"""

import binascii
import hmac
import re
from base64 import b32encode, b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from opssquad.gate.again import again
from opssquad.gate.edits import Edit, Span, merge
from opssquad.gate.escapes import views
from opssquad.gate.keys import load_key
from opssquad.gate.manifests import withheld
from opssquad.gate.names import PLACEHOLDER, Lexicon, bundled, is_hole, looks_random, secrets
from opssquad.gate.own import Own
from opssquad.gate.pairs import find

HIDDEN = "«redacted»"
KEY_FILE = "redact.key"
ROUNDS = 16
"""How often a text is looked through again because something was found. A line that still has more, as
`mysql -pa -pb -pc` may go on for ever, is hidden to its end; after as many rounds again, so is the text."""
TAG = 5
"""Letters of a tag: 25 bits, so that two secrets of one incident hardly ever read as one."""

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)|\r(?=\n)"
    r"|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
    r"|(?P<shown>[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff])"
)
"""What a terminal or a reader's eye would obey instead of showing: taken out, or shown as one odd sign."""

_SPOKEN = re.compile(
    r"[\r\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
    r"|(?P<shown>[\x00-\x08\x0b-\x1f\x7f-\x9f])"
)
"""The same sign by sign, for text that comes in pieces."""


def spoken(text: str) -> str:
    """What a model says, without signs that a terminal or a reader's eye would obey. Sign by sign: the pieces
    of a stream read as the whole does."""
    return _SPOKEN.sub(lambda found: "\ufffd" if found["shown"] else "", text)


_SIBLINGS = ("value", "from", "to", "old", "new", "before", "after", "default")
_HOLDERS = ("name", "key", "field")


class Redacted:
    """A text without its secrets; `count` says how many there were."""

    def __init__(self, original: str, redactor: "Redactor") -> None:
        odd = (Span(*m.span(), "\ufffd" if m["shown"] else "") for m in _CONTROL.finditer(original))
        self._edits = [Edit(original, odd)]
        self.text = self._edits[0].text
        self.count = 0
        # A placeholder can bring a name and a value together that stood apart: until nothing is found.
        while spans := redactor.secrets(self.text):
            if len(self._edits) > ROUNDS:
                spans = redactor.rests(self.text, spans, whole=len(self._edits) > 2 * ROUNDS)
            self._edits.append(Edit(self.text, spans))
            self.text = self._edits[-1].text
            self.count += len(self._edits[-1].spans)

    def fragment(self, original: str) -> str:
        """A passage of the original as it reads in `text`, which contains it literally."""
        first = self._edits[0].original.find(original)
        return self._passage(first, first + len(original))

    def lines(self) -> list[str]:
        """Each line of the original as it reads now, as many as there were: a line in the middle of a secret
        of several lines reads as that secret's placeholder."""
        lines = self.text.split("\n")
        originals = self._edits[0].original.split("\n")
        if len(lines) == len(originals):
            return lines
        at = 0
        lines = []
        for original in originals:
            lines.append(self._passage(at, at + len(original)))
            at += len(original) + 1
        return lines

    def _passage(self, first: int, last: int) -> str:
        for edit in self._edits:
            first, last = edit.begin(first), edit.end(last)
        return self.text[first:last]


class Redactor:
    """Text in, text without secrets out; the same again changes nothing.

    Without a key its placeholders carry no tag.
    """

    def __init__(self, key: bytes = b"", lexicon: Lexicon | None = None) -> None:
        self._key = key
        self._lexicon = lexicon or bundled()

    @classmethod
    def open(cls, folder: Path, own: Own | None = None) -> Self:
        """With the key in `redact.key` of the state folder, and what the organisation adds.

        Raises StoreError if the key cannot be read, is not a key, or may be read by others.
        """
        return cls(load_key(folder / KEY_FILE), Lexicon(secrets(), own) if own else bundled())

    def __call__(self, text: str) -> tuple[str, int]:
        """The text without its secrets, and how many there were."""
        redacted = self.read(text)
        return redacted.text, redacted.count

    def read(self, text: str) -> Redacted:
        """The text without its secrets, in which passages of the original can be found again."""
        return Redacted(text, self)

    def clean(self, text: str) -> str:
        """Only the text."""
        return Redacted(text, self).text

    def value(self, value: Any) -> tuple[Any, int]:
        """The same for a JSON value: names are its keys, the `name` beside a `value`, flags of a command."""
        match value:
            case str():
                return self(value)
            case dict():
                return self._mapping(value)
            case list() | tuple():
                return self._items(list(value))
            case _:
                return value, 0

    def _mapping(self, mapping: dict[str, Any]) -> tuple[dict[str, Any], int]:
        holder = next(
            (str(mapping[h]) for h in _HOLDERS if self._lexicon.strength(str(mapping.get(h, "")))), ""
        )
        secret = mapping.get("kind") == "Secret"
        total = 0
        clean: dict[str, Any] = {}
        for key, inner in mapping.items():
            name = holder if holder and key in _SIBLINGS else str(key)
            if secret and key in ("data", "stringData") and isinstance(inner, dict):
                clean[key], count = self._withheld(inner)
            elif key == "rows" and isinstance(inner, list) and (columns := _columns(mapping)):
                clean[key], count = self._rows(columns, inner)
            else:
                clean[key], count = self._under(name, inner)
            total += count
        return clean, total

    def _under(self, name: str, value: Any) -> tuple[Any, int]:
        leaf = isinstance(value, str | int | float) and not isinstance(value, bool)
        if leaf and self._lexicon.hides(name, str(value)):
            return self._placeholder(str(value)), 1
        return self.value(value)

    def _items(self, items: list[Any]) -> tuple[list[Any], int]:
        total, clean, flag = 0, [], ""
        for item in self._line(items):
            cleaned, count = self._under(flag, item)
            flag = item.lstrip("-") if isinstance(item, str) and item.startswith("-") else ""
            clean.append(cleaned)
            total += count
        return clean, total

    def _rows(self, columns: list[str], rows: list[Any]) -> tuple[list[Any], int]:
        """Rows of a table whose columns are named beside them."""
        total, clean = 0, []
        for row in rows:
            if isinstance(row, list | tuple) and len(row) == len(columns):
                cells = [self._under(name, cell) for name, cell in zip(columns, row, strict=True)]
                clean.append([cell for cell, _ in cells])
                total += sum(count for _, count in cells)
            else:
                cleaned, count = self.value(row)
                clean.append(cleaned)
                total += count
        return clean, total

    def _line(self, items: list[Any]) -> list[Any]:
        """The words of a command without what only the whole line gives away: `mysql -h db -pX`."""
        if not items or not all(isinstance(item, str) for item in items):
            return items
        line = " ".join(items)
        gone = {line[start:end] for start, end in self._lexicon.shapes(line)}
        spans = merge(Span(*place, "") for place in again(line, (each for each in gone if " " not in each)))
        clean, at, index = [], 0, 0
        for item in items:
            inside = []
            while index < len(spans) and spans[index].start < at + len(item):
                span = spans[index]
                secret = self._placeholder(line[span.start : span.end])
                inside.append(Span(span.start - at, span.end - at, secret))
                index += 1
            clean.append(Edit(item, inside).text)
            at += len(item) + 1
        return clean

    def _withheld(self, data: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The keys of a Secret, whatever they are called."""
        kept = {key for key, value in data.items() if PLACEHOLDER.fullmatch(str(value))}
        clean = {k: v if k in kept else self._placeholder(_plain(str(v))) for k, v in data.items()}
        return clean, len(data) - len(kept)

    def secrets(self, text: str) -> list[Span]:
        """Where secrets stand, and what is to stand there."""
        kept = {m.span() for m in PLACEHOLDER.finditer(text)}
        places: set[tuple[int, int]] = set()
        for at, view in views(text):
            found = {*self._lexicon.shapes(view), *find(view, self._lexicon), *self._manifests(view)}
            places |= {(at + start, at + end) for start, end in found}
        # A secret that was recognised once is one wherever it stands.
        known = {text[start:end] for start, end in places}
        places.update(again(text, filter(looks_random, known)))
        spans = merge(Span(start, end, "") for start, end in places - kept)
        return [Span(s.start, s.end, self._placeholder(text[s.start : s.end])) for s in spans]

    def rests(self, text: str, spans: Iterable[Span], *, whole: bool) -> list[Span]:
        """Each span to the end of its line, or the first to the end of the whole text."""
        ends = [(s.start, len(text) if whole else text.find("\n", s.end)) for s in spans]
        wide = merge(Span(start, end if end >= 0 else len(text), "") for start, end in ends)
        return [Span(s.start, s.end, self._placeholder(text[s.start : s.end])) for s in wide]

    def _manifests(self, text: str) -> Iterator[tuple[int, int]]:
        """The values of Secrets that are written out in the text."""
        for start, end in withheld(text):
            if not PLACEHOLDER.fullmatch(text, start, end) and not is_hole(text[start:end]):
                yield start, end

    def _placeholder(self, secret: str) -> str:
        if not self._key:
            return HIDDEN
        # Quoted here and bare there, it is the same one.
        text = secret.strip("\"'\\ \n").encode("utf-8", "surrogatepass")
        tag = b32encode(hmac.digest(self._key, text, "sha256")).decode().lower()[:TAG]
        return f"«redacted {tag}»"


def _columns(mapping: dict[str, Any]) -> list[str]:
    """The names of a table's columns, where the mapping is one."""
    columns = mapping.get("columns")
    if not isinstance(columns, list):
        return []
    return [str(c.get("name", "")) if isinstance(c, dict) else str(c) for c in columns]


def _plain(encoded: str) -> str:
    """What the data of a Secret says, where it is text."""
    try:
        return b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return encoded
