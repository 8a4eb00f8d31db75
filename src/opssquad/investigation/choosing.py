"""Which numbered choice an utterance means: a number, an ordinal, its words, or a bare yes. Nothing looser: a
sentence that merely holds a number is for the model."""

import re
from collections.abc import Sequence

from opssquad.errors import UsageError
from opssquad.findings import Choice, ToolResult
from opssquad.models.base import ModelCall
from opssquad.store.sqlite import Store
from opssquad.types import Json, Undo

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
    index = _index(text, len(choices))
    if index is None:
        wanted = _words(text)
        return next((c for c in choices if wanted and _words(c.label) == wanted), None)
    return choices[index] if 0 <= index < len(choices) else None


def beyond(text: str, choices: Sequence[Choice]) -> str:
    """What to tell somebody who asks by number for a choice that is not offered; empty for anything else."""
    index = _index(text, len(choices))
    if index is None or 0 <= index < len(choices):
        return ""
    if not choices:
        return "no numbered choice is offered now; say in words what to look at"
    offered = "is 1 choice" if len(choices) == 1 else f"are {len(choices)} choices"
    return f"there {offered}; take one by its number, or say in words what to look at"


def _index(text: str, count: int) -> int | None:
    """The place that a bare number or ordinal means, from 0; None where the words mean something else."""
    bare = " ".join(FILLER.sub(" ", text.lower()).split())
    if bare == "last":
        return count - 1
    if bare in ORDINALS:
        return ORDINALS.index(bare)
    return int(bare) - 1 if bare.isdecimal() else None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


async def last_undo(store: Store, thread: str) -> Undo:
    """How the last change of a thread is taken back. Raises UsageError where nothing was changed."""
    for record in reversed(await store.approvals("approved", thread)):
        card = record.approval
        if card.effect != "read" and _may_have_happened(await store.outcome(card.call.id)):
            return card.undo
    raise UsageError("nothing was changed in this conversation, so there is nothing to undo")


def _may_have_happened(outcome: ToolResult | str) -> bool:
    return outcome.status in ("ok", "unknown") if isinstance(outcome, ToolResult) else outcome != "new"


def picked_call(id: str, tool: str, args: Json) -> ModelCall:
    """A call that the engineer asked for, and no model."""
    return ModelCall(id=id, tool=tool, args=args, chosen=True)
