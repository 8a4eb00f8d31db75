"""Ranks the faults of a catalogue against the signals of a case. Generic: it knows no fault and no system."""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf

from opssquad.diagnosis.catalogue import Catalogue, Clause, Refused
from opssquad.diagnosis.matches import Match, matches, reference
from opssquad.diagnosis.remedies import options
from opssquad.findings import Choice, Confidence, Hypothesis, Inadmissible, Signal
from opssquad.templates import HOLE, fill, lookup
from opssquad.types import Json, Ref, Value

CONFIRMED, LIKELY = 0.75, 0.45
"""Scores from which a hypothesis is called so; below, it is possible."""


class Placing(Value):
    """A match and where it stands: `behind` is the better one at the same component that explains it."""

    match: Match
    behind: str = ""


def rank(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Hypothesis]:
    """Hypotheses, best first; for one component only those that explain something the better ones do not."""
    return [hypothesis(p.match, catalogue, signals) for p in placings(catalogue, signals) if not p.behind]


def leads(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Choice]:
    """The calls that would put on the list what is off it only for want of a look: each once."""
    found = (m for fault in catalogue.faults for m in matches(fault, signals) if m.lacking and not m.barring)
    calls = chain.from_iterable(_calls(m.lacking, catalogue, _facts(m, signals)) for m in found)
    return list({f"{each.tool}{each.args}": each for each in calls}.values())


def placings(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Placing]:
    """Every fault that fits, best first, also those that a better one explains."""
    found = (m for fault in catalogue.faults for m in matches(fault, signals) if not m.excluded)
    placed: list[Placing] = []
    for match in sorted(found, key=_standing):
        better = (p.match.fault.id for p in placed if not p.behind and _explained(match, p.match))
        placed.append(Placing(match=match, behind=next(better, "")))
    return placed


def _standing(match: Match) -> tuple[float, float, str, str]:
    """Best first; of two that fit alike the one whose trouble began first."""
    since = match.onset.timestamp() if match.onset else inf
    return -match.score, since, str(match.component), match.fault.id


def _explained(match: Match, better: Match) -> bool:
    """A weaker match at the same component, or one whose anchors the better one has taken in; and the same
    fault at another component, where both have one cause."""
    if match.fault.id == better.fault.id and match.shared & better.shared:
        return True
    same = match.component == better.component and match.fault.no_fault == better.fault.no_fault
    return same and bool(set(match.anchors) & {*better.anchors, *better.supporting})


def hypothesis(match: Match, catalogue: Catalogue, signals: Sequence[Signal]) -> Hypothesis:
    """The match in words, with the calls that would tell more and what may be done."""
    facts = _facts(match, signals)
    confidence: Confidence = "possible"
    if match.score >= LIKELY:
        confidence = "confirmed" if match.score >= CONFIRMED else "likely"
    return Hypothesis(
        fault=match.fault.form_of or match.fault.id,
        title=match.fault.title,
        component=_culprit(match, facts) or match.component,
        score=round(match.score, 3),
        confidence=confidence,
        root_cause=fill(match.fault.root_cause, facts),
        supporting=match.supporting,
        opposing=match.opposing,
        next_calls=tuple(_calls(match.unmet, catalogue, facts)),
        options=tuple(options(match.fault.actions, match.named, facts)),
        inadmissible=tuple(
            _refused(each, facts)
            for each in match.fault.inadmissible
            if each.unless not in match.named and (not each.needs or each.needs in match.named)
        ),
        no_fault=match.fault.no_fault,
    )


def _culprit(match: Match, facts: Json) -> Ref | None:
    named = lookup(facts, match.fault.culprit) if match.fault.culprit else None
    return reference(named) if named else None


def _facts(match: Match, signals: Sequence[Signal]) -> Json:
    facts: Json = {
        "component": str(match.component),
        "kind": match.component.kind,
        "namespace": match.component.namespace,
        "name": match.component.name,
    }
    for name, index in match.named.items():
        signal = signals[index]
        facts[name] = {
            **signal.data,
            "text": signal.text,
            "at": signal.at,
            "owner": signal.owner.model_dump(),
            "entity": signal.entity.model_dump(),
        }
    return facts


def _calls(unmet: Sequence[Clause], catalogue: Catalogue, facts: Json) -> Iterator[Choice]:
    """The calls that would show what is still unmet, heaviest first, each once."""
    seen: set[str] = set()
    for clause in sorted(unmet, key=lambda c: -c.weight):
        call = catalogue.shows.get(clause.tell or clause.signal)
        if call is None or any(lookup(facts, hole) is None for hole in HOLE.findall(str(call.args))):
            # It would ask about something that is not known yet: nobody's logs cannot be read.
            continue
        args = {k: fill(v, facts) if isinstance(v, str) else v for k, v in call.args.items()}
        choice = Choice(label=fill(call.label, facts), tool=call.tool, args=args)
        if (key := f"{choice.tool}{args}") not in seen:
            seen.add(key)
            yield choice


def _refused(each: Refused, facts: Json) -> Inadmissible:
    return Inadmissible(action=each.action, reason=fill(each.reason, facts), target=fill(each.target, facts))
