"""What a typed line means: a slash command, an answer to the card that is up, or words for the squad. Pure.

Answers to a card are taken literally or not at all: a sentence that merely begins friendly approves nothing.
"""

import re
from dataclasses import dataclass

_YES = re.compile(r"(?:y|yes|approve|approved)(?:,? please)?[.!]?", re.IGNORECASE)
_SESSION = re.compile(r"(?:s|session|for (?:this|the) session)[.!]?", re.IGNORECASE)
_NO = re.compile(r"(?:n|no|nope|refuse|reject|deny)(?:[\s,:.!-]+(?P<why>.*))?", re.IGNORECASE | re.DOTALL)
_EDIT = re.compile(r"edit(?:[\s:]+(?P<what>.*))?", re.IGNORECASE | re.DOTALL)
_EXPLAIN = re.compile(r"(?:explain|why|\?)[?.!]?", re.IGNORECASE)
_LATER = re.compile(r"later[.!]?", re.IGNORECASE)


@dataclass(frozen=True)
class Say:
    """Words for the squad."""

    text: str


@dataclass(frozen=True)
class Slash:
    """A command to the chat itself, such as `/evidence e3`."""

    name: str
    argument: str


@dataclass(frozen=True)
class Approve:
    """Yes to the card."""


@dataclass(frozen=True)
class Remember:
    """Yes to the card and to reads like it, for the session."""


@dataclass(frozen=True)
class Refuse:
    """No to the card."""

    reason: str


@dataclass(frozen=True)
class Edit:
    """No to the card, and what to propose in its stead, judged anew. Empty: ask what."""

    what: str


@dataclass(frozen=True)
class Explain:
    """Show everything that the card rests on."""


@dataclass(frozen=True)
class Later:
    """Leave the card waiting."""


@dataclass(frozen=True)
class Unclear:
    """A card is up and this is no answer to it."""

    text: str


Meaning = Say | Slash | Approve | Remember | Refuse | Edit | Explain | Later | Unclear


def read(line: str, *, card: bool) -> Meaning | None:
    """What the line means, `card` telling whether one waits for its answer; None for an empty line."""
    text = line.strip()
    if not text:
        return None
    if text.startswith("/"):
        name, _, argument = text[1:].partition(" ")
        return Slash(name.lower(), argument.strip())
    return _answer(text) if card else Say(text)


def _answer(text: str) -> Meaning:
    if _YES.fullmatch(text):
        return Approve()
    if _SESSION.fullmatch(text):
        return Remember()
    if match := _NO.fullmatch(text):
        return Refuse((match["why"] or "").strip())
    if match := _EDIT.fullmatch(text):
        return Edit((match["what"] or "").strip())
    if _EXPLAIN.fullmatch(text):
        return Explain()
    return Later() if _LATER.fullmatch(text) else Unclear(text)
