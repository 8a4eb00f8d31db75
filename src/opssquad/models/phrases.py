"""The phrase book of the offline model (`prompts/offline.yaml`): intents, steps, and what follows what."""

import re
from functools import cache
from typing import Self

from pydantic import Field, model_validator

from opssquad.documents import parse_yaml
from opssquad.types import Json, Value


class Intent(Value):
    """Something an engineer may want. `needs` are the slots without which it cannot be done; an `imperative`
    one changes the world and must be said as a command when only one utterance is given."""

    id: str
    words: list[str] = Field(min_length=1)
    steps: list[str] = Field(default_factory=list)
    needs: list[str] = Field(default_factory=list)
    imperative: bool = False
    answer: str = ""

    def matches(self, utterance: str) -> bool:
        """Whether the lower-cased utterance means it."""
        return any(re.search(pattern, utterance, re.IGNORECASE) for pattern in self.words)


class Symptom(Value):
    """Words of a complaint that call for other first looks, the `steps`, beside those of `begin`."""

    words: list[str] = Field(min_length=1)
    steps: list[str] = Field(min_length=1)

    def told(self, utterance: str) -> bool:
        """Whether the lower-cased utterance complains of it."""
        return any(re.search(pattern, utterance, re.IGNORECASE) for pattern in self.words)


class Step(Value):
    """A call that may be made or offered; `say` instead of a tool repeats words to the squad."""

    label: str
    tool: str = ""
    args: Json = Field(default_factory=dict)
    say: str = ""


class PhraseBook(Value):
    """All of it. `follow` is keyed by tool, and by how it ended where that matters more: its card was
    `refused`, `expired`, `voided` or `suggested`, it was `unhelped`; `by_hand`: the engineer does it.
    `look_again`, by such an end, is looked at at once, before an answer. An investigation makes the steps of
    `begin` and of the `symptoms` told first, then the calls of `survey` (tools that take a namespace) for
    each namespace that is named, and the steps of `further` where nothing seen so far settles it. After
    `calls` it concludes with what it has. Names used must exist."""

    intents: list[Intent]
    steps: dict[str, Step]
    follow: dict[str, list[str]]
    begin: list[str] = Field(default_factory=list)
    symptoms: list[Symptom] = Field(default_factory=list)
    survey: list[str] = Field(default_factory=list)
    calls: int = Field(default=12, gt=0)
    further: list[str] = Field(default_factory=list)
    look_again: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        used = {s for i in self.intents for s in i.steps} | {s for f in self.follow.values() for s in f}
        used |= {*self.look_again.values(), *self.begin, *self.further}
        used |= {step for each in self.symptoms for step in each.steps}
        if unknown := sorted(used - set(self.steps)):
            raise ValueError(f"no such step: {', '.join(unknown)}")
        return self


@cache
def load_book(text: str) -> PhraseBook:
    """Read a phrase book from YAML; the same text is read once a process. Raises UsageError."""
    return parse_yaml(text, PhraseBook, "the phrase book of the offline model")
