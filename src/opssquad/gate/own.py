"""What an organisation adds to what we take for secrets: `redaction.yaml`, read and validated.

Values only; `names` and `redact` use them, `mask` what is to be masked.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, field_validator, model_validator

from opssquad.documents import read_yaml
from opssquad.types import Value


def _lower(text: object) -> object:
    return text.lower().split() if isinstance(text, str) else text


Words = Annotated[frozenset[str], BeforeValidator(_lower)]


class OwnNames(Value):
    """`secret`: last words of names whose values are secrets; `harmless`: whole names without any."""

    secret: Words = frozenset()
    harmless: Words = frozenset()

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, given: frozenset[str]) -> frozenset[str]:
        # A shorter one would stand inside ordinary words, and every log would be searched at each of them.
        if short := sorted(word for word in given if len(word) < 3 or not word.isalpha()):
            raise ValueError(f"{short[0]!r} is no word of a name; give letters, at least three")
        return given


class Pattern(Value):
    """A regular expression that only secrets meet; where it has a group `s`, only that is the secret.

    `example` is a text that it must meet: a pattern that never does would leak without a word.
    """

    name: str
    pattern: str
    example: str

    @model_validator(mode="after")
    def _works(self) -> "Pattern":
        try:
            compiled = re.compile(self.pattern, re.DOTALL)
        except re.error as error:
            raise ValueError(f"{self.pattern!r} is no regular expression: {error}") from None
        if compiled.search(""):
            raise ValueError(f"{self.pattern!r} meets the empty text, so it would meet everything")
        if not compiled.search(self.example):
            raise ValueError(f"{self.pattern!r} does not meet its own example {self.example!r}")
        return self


class Masking(Value):
    """What a model outside the house gets under another name. `inside` are hosts of model endpoints that
    get everything as it is."""

    addresses: bool = False
    names: bool = False
    words: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """What is masked, in words; empty where nothing is."""
        words = len(self.words)
        parts = ["addresses"] * self.addresses + ["names"] * self.names
        return ", ".join(parts + ([f"{words} word{'s' * (words != 1)}"] if words else []))

    def hides_from(self, host: str) -> bool:
        """Whether a model at that host gets anything under another name."""
        return bool(self.says) and host.lower() not in {each.lower() for each in self.inside}


class Own(Value):
    """The content of `redaction.yaml`."""

    names: OwnNames = OwnNames()
    patterns: tuple[Pattern, ...] = ()
    mask: Masking = Masking()


def load_own(path: Path | None) -> Own:
    """The organisation's file; nothing of its own without one. Raises UsageError with file and line."""
    return read_yaml(path, Own) if path else Own()
