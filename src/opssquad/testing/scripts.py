"""A scripted model, written as one would tell it: words, calls, a conclusion."""

from collections.abc import Sequence
from typing import Any

from opssquad.models.base import CONCLUDE, ModelCall, Reply
from opssquad.models.scripted import Scripted

Said = str | ModelCall | Reply | Exception | Sequence[ModelCall]


def scripted(*replies: Said) -> Scripted:
    """A model that gives these replies in turn: words, a call (`wants(...)`), a list of calls at once,
    `concludes(...)`, a whole `Reply`, or an exception that it fails with. `asked` keeps what it was asked;
    asked for more, it raises ModelBadReply."""
    return Scripted(_reply(number, each) for number, each in enumerate(replies))


def wants(tool: str, /, **args: Any) -> ModelCall:
    """That the model asks for a call."""
    return ModelCall(id=tool, tool=tool, args=args)


def concludes(
    component: str, root_cause: str, *, fault: str = "", evidence: Sequence[str] = ("e1",), summary: str = ""
) -> ModelCall:
    """That the model concludes: `component` as `Kind/namespace/name`, the ids of the evidence for it."""
    cause = {"component": component, "fault": fault, "root_cause": root_cause, "evidence": list(evidence)}
    return wants(CONCLUDE, causes=[cause], summary=summary or root_cause)


def _reply(number: int, said: Said) -> Reply | Exception:
    match said:
        case Reply() | Exception():
            return said
        case str():
            return Reply(text=said, finish="stop")
    calls = [said] if isinstance(said, ModelCall) else said
    numbered = (each.model_copy(update={"id": f"s{number}-{i}"}) for i, each in enumerate(calls))
    return Reply(calls=tuple(numbered), finish="calls")
