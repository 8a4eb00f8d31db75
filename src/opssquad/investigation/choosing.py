"""Which numbered choice an utterance means: a number, an ordinal, its words, or a bare yes. Nothing looser: a
sentence that merely holds a number is for the model."""

import re
from collections.abc import Sequence

from opssquad.findings import Choice

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
FILLER = re.compile(
    r"\b(?:yes|ok|okay|please|option|number|choice|the|one|take|do|go with|pick|choose)\b|[#.,!)(]"
)
YES = re.compile(r"^\s*(?:y|yes|yep|yeah|sure|ok|okay|please do|do it|go ahead|go on)[\s.!]*$", re.IGNORECASE)


def chosen(text: str, choices: Sequence[Choice]) -> Choice | None:
    """The choice meant, or None where the words mean something else."""
    if not choices:
        return None
    if YES.match(text):
        return choices[0]
    bare = " ".join(FILLER.sub(" ", text.lower()).split())
    if bare == "last" or bare in ORDINALS:
        index = len(choices) - 1 if bare == "last" else ORDINALS.index(bare)
    elif bare.isdecimal():
        index = int(bare) - 1
    else:
        wanted = _words(text)
        return next((c for c in choices if wanted and _words(c.label) == wanted), None)
    return choices[index] if 0 <= index < len(choices) else None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
