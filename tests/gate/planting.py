"""Makes up the secrets of `corpora/planted.yaml`: each unique, always the same, and nobody's."""

import json
import random
import re
import string
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import yaml

CORPORA = Path(__file__).with_name("corpora")
LETTERS, ALNUM = string.ascii_letters, string.ascii_letters + string.digits
HEX, B64 = "0123456789abcdef", ALNUM + "+/"
URLSAFE = ALNUM + "-_"
_HOLE = re.compile("‹([a-z0-9-]+)›")
BETWEEN = {"words": " ", "lines": "\n", "paragraphs": "\n\n", "sentences": "\n  and: "}
"""What stands between the words of a value that is of several."""


@dataclass(frozen=True)
class Planted:
    """A carrier with its secret in it; `secrets` are the strings of which none may be left: the secret, or
    each line of it, or what it says when it is decoded."""

    number: int
    place: str
    kind: str
    text: str
    secrets: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, str]:
        """Name and value where the text is `name=value`."""
        name, _, value = self.text.partition("=")
        return name, value

    @property
    def id(self) -> str:
        return f"{self.place}-{self.number:03}"


class _Maker:
    """The makers of values, one for each name that may stand between the marks."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        made = "".join(self._random.choices(alphabet, k=length))
        # A value of letters alone would be no value that a machine made.
        return made if length < 8 or re.search(r"\d", made) or alphabet == LETTERS else f"7{made[1:]}"

    def word(self) -> str:
        return "".join(self._random.choice("bdfgklmnprstvz") + self._random.choice("aeiou") for _ in range(5))

    def make(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The value, and what must not be left of it."""
        if name == "-":
            return "", ()
        if name in {"pem", "pemflat"}:
            lines = tuple(self.of(B64, 64) for _ in range(3))
            return ("\n" if name == "pem" else "\\n").join(lines), lines
        if name == "jwt":
            head, body, tail = (self.of(URLSAFE, n) for n in (24, 40, 43))
            return f"eyJ{head}.eyJ{body}.{tail}", (head, body, tail)
        if name == "secretb64":
            word = self.word()
            encoded = b64encode(word.encode()).decode()
            return encoded, (encoded, word)
        if between := BETWEEN.get(name):
            words = tuple(self.word() for _ in range(3))
            return between.join(words), words
        value = self._simple(name)
        return value, (value.strip("'\""),)

    def _simple(self, name: str) -> str:
        if prefix := PREFIXED.get(name):
            return prefix(self)
        if found := re.fullmatch(r"(hex|alnum|odd)(\d+)", name):
            return self.of({"hex": HEX, "alnum": ALNUM, "odd": ALNUM + "!#%*^-_"}[found[1]], int(found[2]))
        raise KeyError(name)


def _pass(make: _Maker) -> str:
    return f"{make.word().title()}-{make.of(string.digits, 3)}!{make.word()}"


PREFIXED: dict[str, Callable[[_Maker], str]] = {
    "word": _Maker.word,
    "pass": _pass,
    "hikari": lambda m: m.word(),
    "odd": lambda m: f"{m.word()}#{m.of(ALNUM, 5)}%{m.word()}",
    "odd2": lambda m: f"{m.word()}/{m.of(ALNUM, 4)}:{m.word()}@{m.of(ALNUM, 3)}",
    "odd3": lambda m: f"{m.word()}+{m.of(ALNUM, 6)}={m.word()}",
    "urlpass": lambda m: f"{m.word()}%40{m.of(ALNUM, 6)}",
    "atpass": lambda m: f"{m.word()}@{m.of(ALNUM, 4)}/{m.word()}",
    "uuid": lambda m: "-".join(m.of(HEX, n) for n in (8, 4, 4, 4, 12)),
    "num": lambda m: m.of(string.digits, 12),
    "base32": lambda m: m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
    "b64": lambda m: b64encode(f"{m.word()}:{m.of(ALNUM, 18)}".encode()).decode(),
    "b64long": lambda m: m.of(B64, 160) + "==",
    "b64url": lambda m: m.of(URLSAFE, 43),
    "sas": lambda m: quote(m.of(B64, 43) + "=", safe=""),
    "aws40": lambda m: m.of(B64, 40),
    "azure": lambda m: m.of(B64, 86) + "==",
    "azuread": lambda m: f"{m.of(ALNUM, 3)}8Q~{m.of(ALNUM, 34)}",
    "apr": lambda m: f"{m.of(ALNUM, 8)}${m.of(ALNUM, 22)}",
    "awsid": lambda m: "AKIA" + m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "google": lambda m: "AIza" + m.of(URLSAFE, 35),
    "ya29": lambda m: "ya29." + m.of(URLSAFE, 60),
    "github": lambda m: "ghp_" + m.of(ALNUM, 36),
    "gitlab": lambda m: "glpat-" + m.of(URLSAFE, 20),
    "slack": lambda m: f"xoxb-{m.of(string.digits, 12)}-{m.of(ALNUM, 24)}",
    "slackhook": lambda m: f"T{m.of(ALNUM, 10)}/B{m.of(ALNUM, 10)}/{m.of(ALNUM, 24)}",
    "discord": lambda m: f"{m.of(string.digits, 18)}/{m.of(URLSAFE, 68)}",
    "telegram": lambda m: f"{m.of(string.digits, 10)}:{m.of(URLSAFE, 35)}",
    "stripe": lambda m: "sk_live_" + m.of(ALNUM, 24),
    "openai": lambda m: "sk-proj-" + m.of(ALNUM, 48),
    "anthropic": lambda m: "sk-ant-api03-" + m.of(URLSAFE, 80),
    "npm": lambda m: "npm_" + m.of(ALNUM, 36),
    "pypi": lambda m: "pypi-" + m.of(URLSAFE, 80),
    "hf": lambda m: "hf_" + m.of(ALNUM, 34),
    "docker": lambda m: "dckr_pat_" + m.of(URLSAFE, 27),
    "do": lambda m: "dop_v1_" + m.of(HEX, 64),
    "hvs": lambda m: "hvs." + m.of(URLSAFE, 40),
    "sendgrid": lambda m: f"SG.{m.of(URLSAFE, 22)}.{m.of(URLSAFE, 43)}",
    "age": lambda m: "AGE-SECRET-KEY-1" + m.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
}


@cache
def planted() -> tuple[Planted, ...]:
    """The whole corpus with its secrets put in."""
    entries = yaml.safe_load((CORPORA / "planted.yaml").read_text(encoding="utf-8"))
    flat = [(place, kind, text) for place, found in entries.items() for kind, text in found]
    return tuple(_filled(number, *each) for number, each in enumerate(flat, 1))


def _filled(number: int, place: str, kind: str, text: str) -> Planted:
    make, secrets = _Maker(number), []

    def put(hole: re.Match[str]) -> str:
        value, gone = make.make(hole[1])
        secrets.extend(gone)
        return value

    return Planted(number, place, kind, _HOLE.sub(put, text), tuple(secrets))


def forms(secret: str) -> Iterator[str]:
    """How a secret may stand in a file: as it is, base64 (by itself), URL-encoded, escaped for JSON."""
    yield secret
    yield b64encode(secret.encode()).decode().rstrip("=")
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]


@cache
def lookalikes() -> tuple[str, ...]:
    """Harmless lines that look as if they held something."""
    lines = (CORPORA / "lookalikes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("# "))
