"""Which names say that their value is a secret, and which values under such a name are none after all.

The words are data (`secrets.yaml`, and what an organisation adds in `own`); here is how they are read.
"""

import re
from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator

from opssquad.documents import read_yaml
from opssquad.gate.own import Own
from opssquad.types import Value

Words = Annotated[frozenset[str], BeforeValidator(lambda text: text.split())]


class Names(Value):
    """Words of names, each list in one text."""

    strong: Words
    endings: Words
    keys: Words
    weak: Words
    neutral: Words
    harmless: Words


class Shape(Value):
    """A pattern that only secrets have; where it has a group `s`, only that is the secret. A text that it is
    in holds one of `needs`, in small letters or not."""

    name: str
    pattern: str
    needs: Words = frozenset()


class Secrets(Value):
    """The content of `secrets.yaml`."""

    names: Names
    prose: Words
    shapes: tuple[Shape, ...]


@cache
def secrets() -> Secrets:
    """What gives a secret away, read once."""
    return read_yaml(Path(__file__).with_name("secrets.yaml"), Secrets)


PLACEHOLDER = re.compile(r"«redacted[^»\n]{0,40}»")

PATHS = frozenset({"pwd", "oldpwd"})
"""Names of a folder as well as of a password."""
KEYWORDS = (
    "pass|pwd|pw(?![a-z])|secret|token|key|cred|auth|cookie|bearer|jwt|sig"
    "|sess(?:ion)?id|(?<![a-z])sid(?![a-z])"
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_KEBAB = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)+")
_OBJECT = re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+")
_SCHEME = re.compile(r"(?i:basic|bearer|token|apikey|negotiate)\s+")
_HOLE = re.compile(
    r"\$\{[^}:]*\}|\$\([^)]*\)|\$\w+|[a-z_]\w*(?:\.\w+)+[\[(]|\{\{.*\}\}|%\(\w*\)s|%[sdvq]|<[^>]*>|\[?redacted\]?"
    r"|[*•.xX]{3,}|-+|null|none|nil|true|false|undefined|\([^)]*\)",
    re.IGNORECASE | re.DOTALL,
)


def is_hole(value: str) -> bool:
    """Whether a value only stands for one: `${PASSWORD}`, `<none>`, `***`, a parameter of a statement."""
    return _HOLE.fullmatch(value) is not None


def looks_random(value: str) -> bool:
    """Whether a value looks made up by a machine rather than written as a word."""
    if len(value) < 8 or not re.fullmatch(r"[\x21-\x7e]+", value):
        return False
    kinds = [bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]")]
    return sum(kinds) > 1 and (kinds[2] or len(value) >= 20)


def _small(text: str) -> str:
    """In small letters, every character at its place: a few grow in the change, and stay as they are."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


class Lexicon:
    """What gives a secret away: our own words and shapes, and those that an organisation adds."""

    def __init__(self, known: Secrets, own: Own | None = None) -> None:
        own = own or Own()
        names = known.names
        self._strong = names.strong | own.names.secret
        self._endings = tuple(names.endings | own.names.secret)
        self._keys, self._weak, self._neutral = names.keys, names.weak, names.neutral
        self._harmless, self._spared = names.harmless, own.names.harmless
        self.prose = known.prose
        """Words that follow a name in a sentence."""
        self._keyword = re.compile("|".join([KEYWORDS, *map(re.escape, sorted(own.names.secret))]))
        shapes = [(shape.needs, shape.pattern) for shape in known.shapes]
        shapes += [(frozenset(), more.pattern) for more in own.patterns]
        self._shapes = [(needs, re.compile(pattern, re.DOTALL)) for needs, pattern in shapes]
        # One look for all that any of them needs: hardly a text has any of it.
        needed = sorted({each for needs, _ in shapes for each in needs})
        self._needed = re.compile("|".join(map(re.escape, needed)) or r"(?!)")

    def keywords(self, text: str) -> Iterator[tuple[int, int]]:
        """Every secret name holds one of these: where to look closer."""
        return (found.span() for found in self._keyword.finditer(_small(text)))

    def shapes(self, text: str) -> Iterator[tuple[int, int]]:
        """Where something stands that only secrets look like."""
        small = _small(text)
        hinted = self._needed.search(small) is not None
        for needs, pattern in self._shapes:
            if needs and not (hinted and any(each in small for each in needs)):
                continue
            for found in pattern.finditer(text):
                group = "s" if "s" in pattern.groupindex else 0
                if found[group] and not is_hole(found[group]):
                    yield found.span(group)

    def words(self, name: str) -> list[str]:
        """The words of a name, however it is spelled, without those that change nothing."""
        found = [w.lower() for w in _WORD.findall(name)]
        while len(found) > 1 and (found[-1] in self._neutral or found[-1].isdigit()):
            found.pop()
        return found

    def strength(self, name: str) -> Literal["strong", "weak", ""]:
        """`strong` if the name says that its value is a secret, `weak` if only of one that looks random."""
        found = self.words(name)
        if not found or found[0] in self._harmless or name.lower() in self._spared:
            return ""
        last, before = found[-1], found[-2] if len(found) > 1 else ""
        if last in self._strong or last.endswith(self._endings):
            return "strong"
        if (last == "key" and before in self._keys) or (last == "pass" and before):
            return "strong"
        return "weak" if last in self._weak else ""

    def kind(self, name: str) -> Hashable:
        """The same for names under which the same values are secrets, unless they stand loose."""
        return self.strength(name), self.words(name)[-1:] == ["token"], name.lower() in PATHS

    def hides(self, name: str, value: str, *, loose: bool = False) -> bool:
        """Whether that value under that name is a secret.

        `loose`: it stands bare behind a colon in the middle of a line, as words of a sentence also do.
        """
        said, bare = self.strength(name), PLACEHOLDER.sub("", value).strip()
        if not said or is_hole(bare) or not re.search(r"\w", bare):
            return False
        if said == "weak":
            return looks_random(_SCHEME.sub("", bare, count=1))
        last = self.words(name)[-1]
        if last == "token" and re.fullmatch(r"\d{1,5}|.{1,2}", bare):
            return False
        if name.lower() in PATHS and bare.startswith("/"):
            return False
        if loose and name.lower() == "secret" and _OBJECT.fullmatch(bare):
            return False
        kebab = bool(_KEBAB.fullmatch(name)) and not last.startswith("pass") and not name.startswith("x-")
        if not loose or (len(self.words(name)) > 1 and not kebab):
            return True
        return looks_random(bare) if kebab else bare.split()[0].rstrip(".,;:!").lower() not in self.prose


@cache
def bundled() -> Lexicon:
    """Ours alone."""
    return Lexicon(secrets())
