"""Ranks the faults of a catalogue against the signals of a case. Generic: it knows no fault and no system."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

from opssquad.diagnosis.catalogue import Catalogue, Clause, Fault, Refused, Remedy
from opssquad.findings import Choice, Confidence, Hypothesis, Inadmissible, Option, Signal
from opssquad.templates import HOLE, fill, fill_all, lookup
from opssquad.types import Json, Ref, Value

CONFIRMED, LIKELY = 0.75, 0.45
"""Scores from which a hypothesis is called so; below, it is possible."""


class Weighed(Value):
    """A clause and the indexes of the signals that fulfil it."""

    clause: Clause
    found: tuple[int, ...]


class Match(Value):
    """A fault held against the signals at a component: what opened it, and what its clauses found.
    `excluded` is the clause for whose sake it is off the list: one that must hold and does not, or must not
    and does."""

    fault: Fault
    component: Ref
    anchors: tuple[int, ...]
    speaks_for: tuple[Weighed, ...]
    against: tuple[Weighed, ...]

    @property
    def excluded(self) -> Clause | None:
        """The first such clause; None where the fault may stand on the list."""
        lacking = (w.clause for w in self.speaks_for if w.clause.required and not w.found)
        barring = (w.clause for w in self.against if w.clause.required and w.found)
        return next(chain(lacking, barring), None)

    @property
    def supporting(self) -> tuple[int, ...]:
        """Indexes of the signals that opened it or speak for it, each once."""
        return tuple(dict.fromkeys((*self.anchors, *(i for w in self.speaks_for for i in w.found))))

    @property
    def opposing(self) -> tuple[int, ...]:
        """Indexes of the signals that speak against it."""
        return tuple(i for w in self.against for i in w.found)

    @property
    def named(self) -> dict[str, int]:
        """By the name of a clause the signal that stands for it in sentences."""
        found = {w.clause.name or w.clause.signal: w.found[0] for w in self.speaks_for if w.found}
        return {"anchor": self.anchors[0], **found}

    @property
    def unmet(self) -> tuple[Clause, ...]:
        """What would speak for it and was not seen."""
        return tuple(w.clause for w in self.speaks_for if not w.found)

    @property
    def score(self) -> float:
        """What speaks for it less what speaks against it, as a share of all that could speak for it."""
        best = 1.0 + sum(w.clause.weight for w in self.speaks_for)
        got = 1.0 + sum(w.clause.weight for w in self.speaks_for if w.found)
        got -= sum(w.clause.weight for w in self.against if w.found)
        return max(got, 0.0) / best


class Placing(Value):
    """A match and where it stands: `behind` is the better one at the same component that explains it."""

    match: Match
    behind: str = ""


def rank(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Hypothesis]:
    """Hypotheses, best first; for one component only those that explain something the better ones do not."""
    return [hypothesis(p.match, catalogue, signals) for p in placings(catalogue, signals) if not p.behind]


def placings(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Placing]:
    """Every fault that fits, best first, also those that a better one explains."""
    found = (m for fault in catalogue.faults for m in matches(fault, signals) if not m.excluded)
    placed: list[Placing] = []
    for match in sorted(found, key=lambda m: (-m.score, str(m.component), m.fault.id)):
        better = (p.match.fault.id for p in placed if not p.behind and _explained(match, p.match))
        placed.append(Placing(match=match, behind=next(better, "")))
    return placed


def _explained(match: Match, better: Match) -> bool:
    """A weaker match at the same component, or one whose anchors the better one has taken in."""
    same = match.component == better.component and match.fault.no_fault == better.fault.no_fault
    return same and bool(set(match.anchors) & {*better.anchors, *better.supporting})


def matches(fault: Fault, signals: Sequence[Signal]) -> Iterator[Match]:
    """The fault at each component where one of its anchors stands, excluded or not."""
    opened: dict[Ref, list[int]] = {}
    for clause in fault.anchor:
        for index, signal in enumerate(signals):
            if signal.until is None and fits(clause, signal) and (ref := component_of(fault, signal)):
                opened.setdefault(ref, []).append(index)
    for component, anchors in opened.items():
        yield _match(fault, component, anchors, signals)


def component_of(fault: Fault, anchor: Signal) -> Ref | None:
    """Who is to blame where that signal opens the fault; None where its data does not say."""
    match fault.component:
        case "owner":
            return anchor.owner
        case "entity":
            return anchor.entity
        case path:
            found = [each for each in values(anchor.data, path.removeprefix("data.")) if each]
            return Ref.parse(str(found[0])) if found else None


def _match(fault: Fault, component: Ref, anchors: list[int], signals: Sequence[Signal]) -> Match:
    lead = [signals[i] for i in anchors]
    onset = onset_of(lead)

    def weighed(clauses: Sequence[Clause]) -> tuple[Weighed, ...]:
        found = (_find(clause, component, lead, onset, signals) for clause in clauses)
        return tuple(Weighed(clause=c, found=tuple(f)) for c, f in zip(clauses, found, strict=True))

    return Match(
        fault=fault,
        component=component,
        anchors=tuple(anchors),
        speaks_for=weighed(fault.speaks_for),
        against=weighed(fault.against),
    )


def onset_of(lead: Sequence[Signal]) -> datetime | None:
    """When it began: the first of the anchors' times."""
    return min((s.at for s in lead if s.at), default=None)


def _find(
    clause: Clause, component: Ref, lead: list[Signal], onset: datetime | None, signals: Sequence[Signal]
) -> list[int]:
    """Signals that fulfil a clause; of several changes before the onset, the latest comes first."""
    found = [
        i
        for i, s in enumerate(signals)
        if fits(clause, s)
        and linked(clause, s, component, lead)
        and agrees(clause, s, lead)
        and timed(clause, s, onset)
    ]
    if clause.when == "before":
        found.sort(key=lambda i: moment.timestamp() if (moment := signals[i].at) else 0.0, reverse=True)
    return found


def linked(clause: Clause, signal: Signal, component: Ref, lead: Sequence[Signal]) -> bool:
    """Whether the signal stands to the component as the clause wants it; `lead` are the anchors' signals."""
    name = str(component)
    match clause.link:
        case "own":
            return component in (signal.owner, signal.entity)
        case "caller":
            reached = [*values(signal.data, "workload"), *values(signal.data, "service")]
            return signal.owner != component and name in map(str, reached)
        case "user":
            users = {str(u) for s in lead for u in values(s.data, "used_by")}
            return str(signal.owner) in users
        case "behind":
            paths = ("workload", "workloads")
            return str(signal.owner) in {str(w) for s in lead for path in paths for w in values(s.data, path)}
        case "inside":
            return component.namespace in ("", signal.owner.namespace)
        case "any":
            return True


def agrees(clause: Clause, signal: Signal, lead: Sequence[Signal]) -> bool:
    """Whether signal and an anchor share what they say at the clause's path, if both say something there."""
    if not clause.agrees:
        return True
    mine = set(map(str, values(signal.data, clause.agrees))) - {""}
    theirs = [set(map(str, values(s.data, clause.agrees))) - {""} for s in lead]
    return not mine or any(not said or mine & said for said in theirs)


def timed(clause: Clause, signal: Signal, onset: datetime | None) -> bool:
    """Whether the signal comes before or after the onset, as the clause wants it."""
    if not clause.when or signal.at is None or onset is None:
        return True
    return signal.at <= onset if clause.when == "before" else signal.at >= onset


def fits(clause: Clause, signal: Signal) -> bool:
    """Whether the signal is of the clause's id and meets its conditions."""
    return fnmatchcase(signal.id, clause.signal) and all(
        holds(list(values(signal.data, path)), pattern) for path, pattern in clause.where.items()
    )


def holds(found: list[Any], pattern: str | list[str]) -> bool:
    """Whether one of the values meets the pattern of a condition."""
    if isinstance(pattern, list):
        return any(holds(found, p) for p in pattern)
    if pattern.startswith("!"):
        return not holds(found, pattern[1:])
    return any(fnmatchcase(str(v).lower(), pattern.lower()) for v in found)


def values(data: Any, path: str) -> Iterator[Any]:
    """What a dotted path leads to; lists are walked through, absent keys give nothing."""
    if isinstance(data, list | tuple):
        for item in data:
            yield from values(item, path)
    elif not path:
        yield data
    elif isinstance(data, dict):
        head, _, rest = path.partition(".")
        if head in data:
            yield from values(data[head], rest)


def hypothesis(match: Match, catalogue: Catalogue, signals: Sequence[Signal]) -> Hypothesis:
    """The match in words, with the calls that would tell more and what may be done."""
    facts = _facts(match, signals)
    confidence: Confidence = "possible"
    if match.score >= LIKELY:
        confidence = "confirmed" if match.score >= CONFIRMED else "likely"
    return Hypothesis(
        fault=match.fault.id,
        title=match.fault.title,
        component=match.component,
        score=round(match.score, 3),
        confidence=confidence,
        root_cause=fill(match.fault.root_cause, facts),
        supporting=match.supporting,
        opposing=match.opposing,
        next_calls=tuple(_calls(match, catalogue, facts)),
        options=tuple(
            _option(r, facts) for r in match.fault.actions if not r.needs or r.needs in match.named
        ),
        inadmissible=tuple(
            _refused(each, facts) for each in match.fault.inadmissible if each.unless not in match.named
        ),
        no_fault=match.fault.no_fault,
    )


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


def _calls(match: Match, catalogue: Catalogue, facts: Json) -> Iterator[Choice]:
    """The calls that would show what is still unmet, heaviest first, each once."""
    seen: set[str] = set()
    for clause in sorted(match.unmet, key=lambda c: -c.weight):
        call = catalogue.shows.get(clause.tell or clause.signal)
        if call is None or any(lookup(facts, hole) is None for hole in HOLE.findall(str(call.args))):
            # It would ask about something that is not known yet: nobody's logs cannot be read.
            continue
        args = {k: fill(v, facts) if isinstance(v, str) else v for k, v in call.args.items()}
        choice = Choice(label=fill(call.label, facts), tool=call.tool, args=args)
        if (key := f"{choice.tool}{args}") not in seen:
            seen.add(key)
            yield choice


def _option(remedy: Remedy, facts: Json) -> Option:
    return Option(
        label=fill(remedy.label, facts),
        action=remedy.action,
        target=fill(remedy.target, facts),
        tool=remedy.tool,
        args=fill_all(remedy.args, facts),
    )


def _refused(each: Refused, facts: Json) -> Inadmissible:
    return Inadmissible(action=each.action, reason=fill(each.reason, facts), target=fill(each.target, facts))
