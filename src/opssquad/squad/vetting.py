"""The last look at calls, cards and checks before they are on record: a secret goes no further than here.

Arguments are kept in checkpoints, events and the audit log, and stand on cards; so a call that carries a
secret is kept without it, and not made.
"""

import json
from collections.abc import Sequence
from typing import Any

from opssquad.findings import Check, Quote
from opssquad.gate.names import PLACEHOLDER
from opssquad.gate.redact import HIDDEN, Redactor, spoken
from opssquad.models.base import CONCLUDE, HAND_OVER, ModelCall
from opssquad.toolbox import Toolbox
from opssquad.types import Preview, Undo


def clean_card(redact: Redactor, preview: Preview, undo: Undo) -> tuple[Preview, Undo]:
    """The words of a card likewise. Its command and arguments are what will be done: they stay. An undo that
    would carry a secret is left to the engineer."""
    words = {
        "diff": redact.clean(preview.diff),
        "impact": redact.clean(preview.impact),
        "before": redact.value(preview.before)[0],
    }
    if redact.value(undo.args)[1] or redact(undo.command)[1]:
        undo = Undo(note=f"by hand, as it takes a value that looks like a secret: {undo.note}")
    return preview.model_copy(update=words), undo.model_copy(update={"note": redact.clean(undo.note)})


def clean_check(redact: Redactor, check: Check) -> Check:
    """A check likewise, with what it quotes and found."""
    signals = tuple(
        s.model_copy(
            update={
                "text": redact.clean(s.text),
                "quotes": _quotes(redact, s.quotes),
                "data": redact.value(s.data)[0],
            }
        )
        for s in check.signals
    )
    quoted = {"quotes": _quotes(redact, check.quotes), "sources": _quotes(redact, check.sources)}
    return check.model_copy(update={"text": redact.clean(check.text), "signals": signals, **quoted})


def _quotes(redact: Redactor, quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    return tuple(q.model_copy(update={"text": redact.clean(q.text)}) for q in quotes)


def vetted(redact: Redactor, toolbox: Toolbox, call: ModelCall) -> ModelCall:
    """The call as it may be kept, with the problem for which it is not made."""
    call = call.model_copy(update={"tool": spoken(call.tool), "problem": redact.clean(call.problem)})
    plain = _spoken(call.args)
    args, found = redact.value(plain)
    if call.problem or call.tool in (CONCLUDE, HAND_OVER):
        return call.model_copy(update={"args": args})
    if found:
        problem = (
            "an argument looks like a secret, and would be on record: it was taken out and nothing was done;"
            " put the value into a Secret and refer to that"
        )
        return call.model_copy(update={"args": args, "problem": problem})
    if plain != call.args:
        problem = "an argument holds signs that are not seen or that steer a terminal: write it without them"
        return call.model_copy(update={"args": plain, "problem": problem})
    mutates = call.tool in toolbox and toolbox.get(call.tool).effect != "read"
    if mutates and PLACEHOLDER.search(json.dumps(args, ensure_ascii=False)):
        problem = f"{HIDDEN} stands for a value that was taken out, and would be written in its place"
        return call.model_copy(update={"problem": problem})
    return call


def _spoken(value: Any) -> Any:
    """The value without terminal control in its texts and names."""
    match value:
        case str():
            return spoken(value)
        case dict():
            return {_spoken(key): _spoken(inner) for key, inner in value.items()}
        case list():
            return [_spoken(inner) for inner in value]
        case _:
            return value
