"""Ranks the faults of a catalogue against the signals of a case. Generic: it knows no fault and no system."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from opssquad.diagnosis.catalogue import Catalogue, Clause, Fault, Remedy
from opssquad.findings import Choice, Confidence, Hypothesis, Option, Signal
from opssquad.templates import fill, fill_all
from opssquad.types import Json, Ref, Value

CONFIRMED, LIKELY = 0.75, 0.45
"""Scores from which a hypothesis is called so; below, it is possible."""


class Match(Value):
    """A fault at a component, with the indexes of the signals that opened it, speak for it, and against."""

    fault: Fault
    component: Ref
    anchors: tuple[int, ...]
    supporting: tuple[int, ...]
    opposing: tuple[int, ...]
    named: dict[str, int]
    unmet: tuple[Clause, ...]
    score: float


def rank(catalogue: Catalogue, signals: Sequence[Signal]) -> list[Hypothesis]:
    """Hypotheses, best first; for one component only those that explain something the better ones do not."""
    matches = sorted(_matches(catalogue, signals), key=lambda m: (-m.score, str(m.component), m.fault.id))
    kept: list[Match] = []
    for match in matches:
        if not any(_explained(match, better) for better in kept):
            kept.append(match)
    return [_hypothesis(m, catalogue, signals) for m in kept]


def _explained(match: Match, better: Match) -> bool:
    """A weaker match at the same component, or one whose anchors the better one has taken in."""
    same = match.component == better.component and match.fault.no_fault == better.fault.no_fault
    return same and bool(set(match.anchors) & {*better.anchors, *better.supporting})


def _matches(catalogue: Catalogue, signals: Sequence[Signal]) -> Iterator[Match]:
    for fault in catalogue.faults:
        opened: dict[Ref, list[int]] = {}
        for clause in fault.anchor:
            for index, signal in enumerate(signals):
                if signal.until is None and _fits(clause, signal) and (ref := _component(fault, signal)):
                    opened.setdefault(ref, []).append(index)
        for ref, anchors in opened.items():
            if match := _match(fault, ref, anchors, signals):
                yield match


def _component(fault: Fault, anchor: Signal) -> Ref | None:
    match fault.component:
        case "owner":
            return anchor.owner
        case "entity":
            return anchor.entity
        case path:
            found = [each for each in values(anchor.data, path.removeprefix("data.")) if each]
            return Ref.parse(str(found[0])) if found else None


def _match(fault: Fault, component: Ref, anchors: list[int], signals: Sequence[Signal]) -> Match | None:
    lead = [signals[i] for i in anchors]
    onset = min((s.at for s in lead if s.at), default=None)
    supporting: list[int] = list(dict.fromkeys(anchors))
    opposing: list[int] = []
    named = {"anchor": anchors[0]}
    unmet: list[Clause] = []
    best, got = 1.0, 1.0
    for clause in fault.speaks_for:
        found = _find(clause, component, lead, onset, signals)
        if not found and clause.required:
            return None
        best += clause.weight
        if not found:
            unmet.append(clause)
            continue
        got += clause.weight
        supporting += [i for i in found if i not in supporting]
        named[clause.name or clause.signal] = found[0]
    for clause in fault.against:
        found = _find(clause, component, lead, onset, signals)
        if found and clause.required:
            return None
        got -= clause.weight if found else 0.0
        opposing += found
    return Match(
        fault=fault,
        component=component,
        anchors=tuple(anchors),
        supporting=tuple(supporting),
        opposing=tuple(opposing),
        named=named,
        unmet=tuple(unmet),
        score=max(got, 0.0) / best,
    )


def _find(
    clause: Clause, component: Ref, lead: list[Signal], onset: datetime | None, signals: Sequence[Signal]
) -> list[int]:
    """Signals that fulfil a clause; of several changes before the onset, the latest comes first."""
    found = [
        i
        for i, s in enumerate(signals)
        if _fits(clause, s)
        and _linked(clause, s, component, lead)
        and _agrees(clause, s, lead)
        and _timed(clause, s, onset)
    ]
    if clause.when == "before":
        found.sort(key=lambda i: moment.timestamp() if (moment := signals[i].at) else 0.0, reverse=True)
    return found


def _linked(clause: Clause, signal: Signal, component: Ref, lead: list[Signal]) -> bool:
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


def _agrees(clause: Clause, signal: Signal, lead: list[Signal]) -> bool:
    """Whether signal and an anchor share what they say at the clause's path, if both say something there."""
    if not clause.agrees:
        return True
    mine = set(map(str, values(signal.data, clause.agrees))) - {""}
    theirs = [set(map(str, values(s.data, clause.agrees))) - {""} for s in lead]
    return not mine or any(not said or mine & said for said in theirs)


def _timed(clause: Clause, signal: Signal, onset: datetime | None) -> bool:
    if not clause.when or signal.at is None or onset is None:
        return True
    return signal.at <= onset if clause.when == "before" else signal.at >= onset


def _fits(clause: Clause, signal: Signal) -> bool:
    return fnmatchcase(signal.id, clause.signal) and all(
        _holds(list(values(signal.data, path)), pattern) for path, pattern in clause.where.items()
    )


def _holds(found: list[Any], pattern: str | list[str]) -> bool:
    if isinstance(pattern, list):
        return any(_holds(found, p) for p in pattern)
    if pattern.startswith("!"):
        return not _holds(found, pattern[1:])
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


def _hypothesis(match: Match, catalogue: Catalogue, signals: Sequence[Signal]) -> Hypothesis:
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
        if call is None:
            continue
        args = {k: fill(v, facts) if isinstance(v, str) else v for k, v in call.get("args", {}).items()}
        choice = Choice(label=fill(call["label"], facts), tool=call["tool"], args=args)
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
