"""What a walk found to be the cause, as it will stand in the conclusion: the catalogue's word where a fault
fits the target, else the signal that told that something is broken.
"""

from collections.abc import Sequence

from opssquad.findings import Hypothesis
from opssquad.models.base import Case, Draft, SeenSignal
from opssquad.models.saying import SURE, drafted
from opssquad.squad.runbooks.book import Runbook
from opssquad.types import Json, Value


class Found(Value):
    """A cause with the ids of its evidence, and what the catalogue offers against it."""

    cause: Draft.Cause
    options: tuple[Draft.Option, ...] = ()


def best(case: Case, book: Runbook, facts: Json) -> Found | None:
    """The best hypothesis about the target, or of a fault that the runbook is for. None where none fits."""
    real = [h for h in case.differential if not h.no_fault]
    target, faults = str(facts["target"]), book.head.value.faults
    mine = [h for h in real if str(h.component) == target or h.fault in faults]
    return _drafted(case, mine[0]) if mine else None


def _drafted(case: Case, hypothesis: Hypothesis) -> Found | None:
    draft = Draft.model_validate(drafted(case.model_copy(update={"differential": (hypothesis,)})))
    cause = next((each for each in draft.causes if each.evidence), None)
    return Found(cause=cause, options=draft.options) if cause else None


def elsewhere(case: Case) -> Found | None:
    """What is wrong by what was looked at, whatever was asked: a fault that is sure enough to name, else what
    is critical by itself. None where there is neither."""
    if sure := [h for h in case.differential if not h.no_fault and h.score >= SURE]:
        return _drafted(case, sure[0])
    critical = [s for s in case.signals if s.signal.severity == "critical" and s.signal.until is None]
    return of_signal(case, critical[0]) if critical else None


def of_signal(case: Case, seen: SeenSignal) -> Found | None:
    """The fault that the signal speaks for, else the signal itself as the cause, as far as it goes; None
    where it quotes nothing."""
    for each in case.differential:
        if not each.no_fault and seen in [case.signals[i] for i in each.supporting]:
            return _drafted(case, each)
    if not seen.evidence:
        return None
    signal = seen.signal
    cause = Draft.Cause(component=str(signal.owner), root_cause=signal.text, evidence=seen.evidence)
    return Found(cause=cause)


def of_signs(case: Case, seen: Sequence[SeenSignal], before: Found | None) -> Found | None:
    """The cause that what was seen tells of, in place of one that is only a sign; information is none."""
    if before and before.cause.fault:
        return before
    grave = [each for each in seen if each.signal.severity != "info"]
    return (of_signal(case, grave[0]) if grave else None) or before
