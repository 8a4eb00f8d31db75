"""The last look at a call before it is on record: what looks like a secret goes no further than here.

Arguments are kept in checkpoints, events and the audit log, and stand on cards; so a call that carries a
secret is kept without it, and not made.
"""

import json

from opssquad.gate.redact import HIDDEN, Redactor
from opssquad.models.base import CONCLUDE, ModelCall
from opssquad.toolbox import Toolbox

_REDACT = Redactor()


def vetted(toolbox: Toolbox, call: ModelCall) -> ModelCall:
    """The call as it may be kept, with the problem for which it is not made."""
    if call.problem:
        return call.model_copy(update={"problem": _REDACT.read(call.problem).text})
    if call.tool == CONCLUDE:
        return call
    args, found = _REDACT.value(call.args)
    if found:
        problem = (
            "an argument looks like a secret, and would be on record: it was taken out and nothing was done;"
            " put the value into a Secret and refer to that"
        )
        return call.model_copy(update={"args": args, "problem": problem})
    mutates = call.tool in toolbox and toolbox.get(call.tool).effect != "read"
    if mutates and HIDDEN in json.dumps(args, ensure_ascii=False):
        problem = f"{HIDDEN} stands for a value that was taken out, and would be written in its place"
        return call.model_copy(update={"problem": problem})
    return call
