"""Holds the faults of a catalogue against the signals of a case: what opens one where, what speaks for it and
against it. Generic: it knows no fault and no system. Ranking is for `differential`."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

from opssquad.diagnosis.catalogue import Clause, Fault
from opssquad.findings import Signal
from opssquad.types import Ref, Value


class Weighed(Value):
    """A clause and the indexes of the signals that fulfil it."""

    clause: Clause
    found: tuple[int, ...]


class Match(Value):
    """A fault held against the signals at a component: what opened it, and what its clauses found. `shared`
    is what its anchors say at the fault's `one_by`. `excluded` is the clause for whose sake it is off the
    list: one that must hold and does not, or must not and does."""

    fault: Fault
    component: Ref
    anchors: tuple[int, ...]
    speaks_for: tuple[Weighed, ...]
    against: tuple[Weighed, ...]
    onset: datetime | None = None
    shared: frozenset[str] = frozenset()

    @property
    def excluded(self) -> Clause | None:
        """The first such clause; None where the fault may stand on the list."""
        return next(iter((*self.lacking, *self.barring)), None)

    @property
    def lacking(self) -> tuple[Clause, ...]:
        """What must hold and was not seen."""
        return tuple(w.clause for w in self.speaks_for if w.clause.required and not w.found)

    @property
    def barring(self) -> tuple[Clause, ...]:
        """What must not hold and was seen."""
        return tuple(w.clause for w in self.against if w.clause.required and w.found)

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


def matches(fault: Fault, signals: Sequence[Signal]) -> Iterator[Match]:
    """The fault at each component where one of its anchors stands, excluded or not."""
    opened: dict[Ref, list[int]] = {}
    for clause in fault.anchor:
        for index, signal in enumerate(signals):
            # What is over opens only what says that there is no fault.
            now = signal.until is None or fault.no_fault
            if now and fits(clause, signal) and (ref := component_of(fault, signal)):
                opened.setdefault(ref, []).append(index)
    for component, anchors in opened.items():
        yield _match(fault, component, anchors, signals)


def component_of(fault: Fault, anchor: Signal) -> Ref | None:
    """Who is to blame where that signal opens the fault; None where its data does not say."""
    told = (_blamed(place, anchor) for place in fault.blames)
    return next((each for each in told if each), None)


def _blamed(place: str, anchor: Signal) -> Ref | None:
    match place:
        case "owner":
            return anchor.owner
        case "entity":
            return anchor.entity
        case path:
            found = [each for each in values(anchor.data, path.removeprefix("data.")) if each]
            return reference(found[0]) if found else None


def reference(told: object) -> Ref | None:
    """What a signal's data refers to; None where it is no reference, as when it was taken for a secret."""
    try:
        return Ref.parse(str(told))
    except ValueError:
        return None


def _match(fault: Fault, component: Ref, anchors: list[int], signals: Sequence[Signal]) -> Match:
    lead = [signals[i] for i in anchors]
    onset = onset_of(lead)

    def weighed(clauses: Sequence[Clause]) -> tuple[Weighed, ...]:
        found = (_find(clause, component, lead, onset, signals) for clause in clauses)
        return tuple(Weighed(clause=c, found=tuple(f)) for c, f in zip(clauses, found, strict=True))

    one_by = (values(s.data, fault.one_by) for s in lead) if fault.one_by else ()
    return Match(
        fault=fault,
        component=component,
        anchors=tuple(anchors),
        speaks_for=weighed(fault.speaks_for),
        against=weighed(fault.against),
        onset=onset,
        shared=frozenset(str(each) for each in chain.from_iterable(one_by) if each),
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
            return component in (signal.owner, signal.entity) or signal.owner in {s.owner for s in lead}
        case "itself":
            return component in (signal.owner, signal.entity)
        case "caller":
            reached = {str(each) for path in ("workload", "service") for each in values(signal.data, path)}
            callers = {str(c) for s in lead for c in values(s.data, "callers")}
            # A failed call that names nobody is one to the component where its owner is known to call it.
            called = name in reached if reached else str(signal.owner) in callers
            return signal.owner != component and called
        case "user":
            users = {str(u) for s in lead for u in values(s.data, "used_by")}
            return str(signal.owner) in users
        case "used":
            return name in {str(each) for each in values(signal.data, "used_by")}
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
    if clause.within and (signal.at is None or onset is None):
        return False
    if not clause.when or signal.at is None or onset is None:
        return True
    if clause.within and abs(signal.at - onset) > timedelta(minutes=clause.within):
        return False
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
