"""Gives what is of the house other names for a model outside it, `host-3` or `name-7`, and takes them back.

One thing keeps one mask, and whatever is hidden comes back exactly as it was: a text that looks like a mask
and is none is masked itself. What is to be masked is `own.Masking`; what names there are, `learn` is told.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from opssquad.documents import read_yaml
from opssquad.gate.names import Words
from opssquad.gate.own import Masking
from opssquad.types import Value

Kind = Literal["addr", "host", "mail", "name", "word"]

_ESCAPED = r"(?<=\\[nrtbf])"
"""Behind a line break that is written as two characters, as in JSON."""
MASK = re.compile(
    rf"(?:{_ESCAPED}|(?<![A-Za-z0-9]))(?:addr|host|mail|name|word)-[0-9]+(?![A-Za-z0-9])", re.IGNORECASE
)
"""What a mask looks like."""
_BEGIN = rf"(?:{_ESCAPED}|(?<![A-Za-z0-9_\\])|(?<=\\)(?![nrtbf]))"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?!-*[A-Za-z0-9_])"
"""As long as DNS has them: from every place of a longer word the search would go to its end. A part of a
longer one is none: what is left of it would stand at the mask's end, and read as if it were of the mask."""
_BARE = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_SIX = r"(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]+(?:\.[0-9]+){0,3}"
_FOUR = re.compile(r"(?<![A-Za-z0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![A-Za-z0-9]|\.[0-9])")
_ADDRESS = re.compile(
    rf"{_BEGIN}(?:(?P<mail>[A-Za-z0-9._%+-]{{1,128}}+@{_LABEL}(?:\.{_LABEL})+)"
    rf"|(?P<addr>{_SIX}|ip(?:-[0-9]{{1,3}}){{4}})(?![A-Za-z0-9])"
    rf"|(?P<host>{_LABEL}(?:\.{_LABEL})+)"
    rf"|(?:(?<=://)|(?<=»@)|(?<=\bhost=)|(?<=\blookup\s))(?P<bare>{_BARE}))"
)
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*")
_PART = re.compile(r"[A-Za-z0-9]+")
_GENERATED = re.compile(
    r"-(?:[0-9]+|[bcdfghjklmnpqrstvwxz2456789]{5,10}(?:-[bcdfghjklmnpqrstvwxz2456789]{5})?)"
)
"""What controllers append to a name: a hash, a number."""


LONGEST_NAME = 253
"""Characters of the longest name that an object can have."""


class Known(Value):
    """The content of `mask.yaml`."""

    endings: Words
    public_domains: Words
    public_names: Words


@cache
def known() -> Known:
    """What is the name of a host, and what everybody knows; read once."""
    return read_yaml(Path(__file__).with_name("mask.yaml"), Known)


class Mask:
    """The masks of one conversation. `hide` before anything is sent, `show` on whatever comes back."""

    def __init__(self, wanted: Masking) -> None:
        self.wanted = wanted
        self._names: dict[str, Kind] = {}
        self._begins: set[str] = set()
        self._masks: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._count: dict[Kind, int] = {}
        words = "|".join(re.escape(word) for word in sorted(wanted.words, key=len, reverse=True))
        alike = rf"(?:{_ESCAPED}|(?<![A-Za-z0-9\\])|(?<=\\)(?={words}))[A-Za-z0-9]*?(?:{words})[A-Za-z0-9]*"
        self._words = re.compile(alike, re.IGNORECASE) if words else None

    def learn(self, names: Iterable[str], kind: Kind = "name") -> None:
        """Names of objects and namespaces (or of hosts) that are masked from now on."""
        for name in names:
            if 1 < len(name) <= LONGEST_NAME and name not in known().public_names and not name.isdecimal():
                low = name.lower()
                self._names.setdefault(low, kind)
                self._begins |= {low[: part.end()] for part in _PART.finditer(low)}

    def hide(self, text: str) -> str:
        """The text with masks in it."""
        return "".join(self._hidden(text))

    def show(self, text: str) -> str:
        """The text as it is in the house; a mask that was never given stays."""
        return MASK.sub(lambda found: self._real.get(found[0].lower(), found[0]), text)

    def hide_value(self, value: Any) -> Any:
        """The same for a JSON value, its keys too."""
        return walked(value, self.hide)

    def show_value(self, value: Any) -> Any:
        """Likewise."""
        return walked(value, self.show)

    def unknown(self, value: Any) -> list[str]:
        """What looks like a mask in a JSON value and was never given."""
        found: dict[str, None] = {}

        def look(text: str) -> str:
            found.update(dict.fromkeys(m for m in MASK.findall(text) if m.lower() not in self._real))
            return text

        walked(value, look)
        return list(found)

    def _mask(self, real: str, kind: Kind) -> str:
        if real not in self._masks:
            self._count[kind] = self._count.get(kind, 0) + 1
            self._masks[real] = f"{kind}-{self._count[kind]}"
            self._real[self._masks[real]] = real
        return self._masks[real]

    def _hidden(self, text: str) -> Iterator[str]:
        at = 0
        for found in _ADDRESS.finditer(text) if self.wanted.addresses else ():
            kind = _kind(found)
            if kind is None:
                continue
            yield from self._numbers(text[at : found.start()])
            yield self._tokens(found[0], spared=True) if kind == "public" else self._mask(found[0], kind)
            at = found.end()
        yield from self._numbers(text[at:])

    def _numbers(self, text: str) -> Iterator[str]:
        """Addresses that stand amid digits and colons which are none."""
        at = 0
        for found in _FOUR.finditer(text) if self.wanted.addresses else ():
            if _is_address(found[0]):
                yield from self._worded(text[at : found.start()])
                yield self._mask(found[0], "addr")
                at = found.end()
        yield from self._worded(text[at:])

    def _worded(self, text: str) -> Iterator[str]:
        at = 0
        for found in self._words.finditer(text) if self._words else ():
            yield self._tokens(text[at : found.start()])
            yield self._mask(found[0], "word")
            at = found.end()
        yield self._tokens(text[at:])

    def _tokens(self, text: str, *, spared: bool = False) -> str:
        def masked(found: re.Match[str]) -> str:
            token = found[0]
            made, begins = self._parts(token, spared)
            if begins or token[0] not in "nrtbf" or text[found.start() - 1 : found.start()] != "\\":
                return made
            # The first letter is that of a line break, written as two characters.
            return token[0] + self._parts(token[1:], spared)[0]

        return _TOKEN.sub(masked, text)

    def _parts(self, token: str, spared: bool) -> tuple[str, bool]:
        """A token with every name in it masked, the longest first, as `auth-service` in `auth-service-x2x4z`;
        and whether it begins with one."""
        parts = list(_PART.finditer(token))
        made: list[str] = []
        at, index, begins = 0, 0, False
        while index < len(parts):
            start = parts[index].start()
            for last in range(self._reach(token, parts, index), index, -1):
                name = token[start : parts[last - 1].end()]
                if kind := self._named(name, spared):
                    made += [token[at:start], self._mask(name, kind)]
                    at, begins, index = parts[last - 1].end(), begins or not index, last - 1
                    break
            index += 1
        return "".join([*made, token[at:]]), begins

    def _reach(self, token: str, parts: list[re.Match[str]], index: int) -> int:
        """Up to which part a name may go that begins with the part `index`."""
        start, last = parts[index].start(), index + 1
        while last < len(parts) and token[start : parts[last - 1].end()].lower() in self._begins:
            last += 1
        # What looks like a mask has two parts.
        return min(max(last, index + 2), len(parts))

    def _named(self, name: str, spared: bool) -> Kind | None:
        if MASK.fullmatch(name):
            return "name"
        kind = None if spared else self._names.get(name.lower())
        if kind and name not in self._masks and self._generated(name):
            return None
        return kind

    def _generated(self, name: str) -> bool:
        """Whether another name and what controllers append make up this one: whose pod it is may show."""
        low = name.lower()
        return any(
            low[: dash.start()] in self._names and _GENERATED.fullmatch(low, dash.start())
            for dash in re.finditer("-", low)
        )


def _kind(found: re.Match[str]) -> Literal["addr", "host", "mail", "public"] | None:
    """What an address is; `public` for what everybody knows, None if it is no address at all."""
    text, group = found[0], found.lastgroup
    if group == "mail":
        return "mail"
    if group == "bare":
        return None if text in known().public_names else "host"
    if group == "addr":
        return "addr" if text.startswith("ip-") or _is_address(text) else None
    if _is_address(text):
        return "addr"
    low = text.lower()
    if any(low == each or low.endswith(f".{each}") for each in known().public_domains):
        return "public"
    return "host" if low.rpartition(".")[2] in known().endings else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    # `a::b` is more often code than an address.
    return any(sign.isdecimal() for sign in text)


def walked(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every string in it changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): walked(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [walked(each, change) for each in value]
    return value
