"""A model's opinion on whether the root cause was said as it is: apart from every score, only if asked for.

It judges words alone, which no code can; what it says is neither in the headline nor in any threshold.
"""

import re
from collections.abc import Sequence

from opssquad import content
from opssquad.errors import ModelError, UsageError
from opssquad.evals.result import CaseResult, Judged, Opinion
from opssquad.gate.own import load_own
from opssquad.models.base import Case, Message, Model, Request
from opssquad.settings import Settings

_VERDICT = re.compile(r"\W*(same|different)\b[\s:.,-]*(.*)", re.IGNORECASE | re.DOTALL)


class _Deaf:
    """Hears nothing of how the model works: only its answer counts."""

    def text(self, piece: str) -> None: ...

    def warn(self, text: str) -> None: ...


def judge(settings: Settings, name: str) -> Model:
    """The model of that name. Raises UsageError: no endpoint, or one that names are hidden from."""
    from opssquad.models.chat import Chat

    model = Chat.of(settings, name)
    if load_own(settings.redaction).mask.hides_from(model.host):
        said = "names are masked from it, and a judge gets the words as they are; leave --judge out"
        raise UsageError(f"--judge {name} at {model.host}: {said}")
    return model


async def judged(model: Model, results: Sequence[CaseResult]) -> Judged:
    """What the model thinks of each run that named a cause. A reply that is no verdict, or none at all, is
    told as such and counted nowhere."""
    opinions = [await _asked(model, result) for result in results if _said(result)]
    return Judged(model=model.name, opinions=tuple(opinions))


async def _asked(model: Model, result: CaseResult) -> Opinion:
    try:
        reply = await model.reply(_request(result), _Deaf())
    except ModelError as error:
        return Opinion(key=result.key, same=None, why=f"not judged: {error}")
    found = _VERDICT.match(reply.text)
    if not found:
        return Opinion(key=result.key, same=None, why=f"not a verdict: {reply.text[:120]!r}")
    return Opinion(key=result.key, same=found[1].lower() == "same", why=" ".join(found[2].split())[:200])


def _request(result: CaseResult) -> Request:
    true = result.expected.root_cause if result.expected else ""
    text = f"<true>\n{_plain(true)}\n</true>\n<said>\n{_plain(_said(result))}\n</said>"
    message = Message(role="user", text=text)
    return Request(system=content.prompt("judge"), messages=(message,), tools=(), case=Case())


def _plain(text: str) -> str:
    """Without what would end the marks around it."""
    return text.replace("<", "‹").replace(">", "›")


def _said(result: CaseResult) -> str:
    """The causes as they were said; empty where none was."""
    conclusion = result.transcript.conclusion if result.transcript else None
    return "\n".join(cause.root_cause for cause in conclusion.causes) if conclusion else ""
