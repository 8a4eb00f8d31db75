"""Why faults stand where they stand on the differential of a case, or do not: each clause with the signals
that met it, and for one that nothing met those that came near. Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal

from opssquad.diagnosis.catalogue import Catalogue, Clause, Fault
from opssquad.diagnosis.differential import hypothesis, placings
from opssquad.diagnosis.matches import (
    Match,
    Weighed,
    agrees,
    component_of,
    fits,
    holds,
    linked,
    matches,
    onset_of,
    timed,
    values,
)
from opssquad.diagnosis.wording import LINKS, TIMES, condition, in_words
from opssquad.findings import Choice, Confidence, Inadmissible, Signal
from opssquad.times import clock_time
from opssquad.types import Value

Standing = Literal["listed", "behind", "excluded"]
NEAR = 3
"""Signals of a clause's id that are told where none of them met it."""


class Seen(Value):
    """A signal of the case with the ids of its evidence; `but` says why it does not count."""

    signal: str
    text: str
    evidence: tuple[str, ...] = ()
    but: str = ""


class Heard(Value):
    """A clause in words, the signals that met it, and where none did those that came near."""

    clause: str
    weight: float
    required: bool = False
    met: tuple[Seen, ...] = ()
    near: tuple[Seen, ...] = ()


class Account(Value):
    """A fault at a component. `behind` is a better fault that explains it; `because` the clause for which it
    is off the list: then nothing is said of a cause. `more` are the calls that would tell more."""

    fault: str
    title: str
    component: str
    standing: Standing
    behind: str = ""
    because: str = ""
    score: float
    confidence: Confidence
    root_cause: str
    opened: tuple[Seen, ...]
    speaks_for: tuple[Heard, ...]
    against: tuple[Heard, ...]
    more: tuple[Choice, ...] = ()
    inadmissible: tuple[Inadmissible, ...] = ()


class Unopened(Value):
    """A fault that no signal opened, with what would have."""

    fault: str
    title: str
    anchors: tuple[Heard, ...]


class Case:
    """The signals of a thread with the ids of their evidence, index by index."""

    def __init__(self, catalogue: Catalogue, signals: Sequence[Signal], evidence: Sequence[tuple[str, ...]]):
        self._catalogue, self._signals, self._evidence = catalogue, signals, evidence

    def accounts(self) -> list[Account]:
        """Every fault that a signal opened: the listed best first, then those behind them, then those that a
        clause excludes."""
        placed = placings(self._catalogue, self._signals)
        listed = [self._account(p.match, "listed") for p in placed if not p.behind]
        behind = [self._account(p.match, "behind", p.behind) for p in placed if p.behind]
        opened = (m for fault in self._catalogue.faults for m in matches(fault, self._signals))
        return [*listed, *behind, *(self._account(m, "excluded") for m in opened if m.excluded)]

    def unopened(self, fault: Fault) -> Unopened:
        """What would have opened a fault, and what came near."""
        anchors = tuple(
            Heard(
                clause=in_words(clause, linked=False),
                weight=clause.weight,
                near=self._near(clause, partial(_unopened, fault, clause)),
            )
            for clause in fault.anchor
        )
        return Unopened(fault=fault.id, title=fault.title, anchors=anchors)

    def _account(self, match: Match, standing: Standing, behind: str = "") -> Account:
        found = hypothesis(match, self._catalogue, self._signals)
        return Account(
            fault=found.fault,
            title=found.title,
            component=str(found.component),
            standing=standing,
            behind=behind,
            because=_because(match),
            score=found.score,
            confidence=found.confidence,
            root_cause="" if match.excluded else found.root_cause,
            opened=tuple(self._seen(i) for i in match.anchors),
            speaks_for=tuple(self._heard(each, match, tell_near=True) for each in match.speaks_for),
            against=tuple(self._heard(each, match, tell_near=False) for each in match.against),
            more=found.next_calls,
            inadmissible=() if match.excluded else found.inadmissible,
        )

    def _heard(self, each: Weighed, match: Match, *, tell_near: bool) -> Heard:
        lead = [self._signals[i] for i in match.anchors]
        near = tell_near and not each.found
        return Heard(
            clause=in_words(each.clause),
            weight=each.clause.weight,
            required=each.clause.required,
            met=tuple(self._seen(i) for i in each.found),
            near=self._near(each.clause, lambda s: _unmet(each.clause, s, match, lead)) if near else (),
        )

    def _near(self, clause: Clause, why: Callable[[Signal], str]) -> tuple[Seen, ...]:
        alike = [i for i, s in enumerate(self._signals) if fnmatchcase(s.id, clause.signal)]
        return tuple(self._seen(i, but) for i in alike[:NEAR] if (but := why(self._signals[i])))

    def _seen(self, index: int, but: str = "") -> Seen:
        signal = self._signals[index]
        return Seen(signal=signal.id, text=signal.text, evidence=tuple(self._evidence[index]), but=but)


def _because(match: Match) -> str:
    clause = match.excluded
    if clause is None:
        return ""
    lacking = clause in match.fault.speaks_for
    return f"{in_words(clause)}: must {'be seen, and was not' if lacking else 'not be seen, and was'}"


def _unopened(fault: Fault, clause: Clause, signal: Signal) -> str:
    """Why a signal of an anchor's id does not open the fault."""
    if signal.until:
        return f"it was over at {clock_time(signal.until)} UTC"
    if missed := next(_unfulfilled(clause, signal), ""):
        return missed
    return "" if component_of(fault, signal) else f"it does not say {_places(fault)}"


def _places(fault: Fault) -> str:
    return " or ".join(each.removeprefix("data.") for each in fault.blames)


def _unmet(clause: Clause, signal: Signal, match: Match, lead: Sequence[Signal]) -> str:
    """Why a signal of a clause's id does not meet it."""
    if not fits(clause, signal):
        return next(_unfulfilled(clause, signal), "")
    if not linked(clause, signal, match.component, lead):
        return f"it is about {signal.owner}, not {LINKS[clause.link] or f'about {match.component}'}"
    if not agrees(clause, signal, lead):
        return f"its {clause.agrees} is another one"
    onset = onset_of(lead)
    return (
        "" if timed(clause, signal, onset) else f"{_at(signal.at)} is not {TIMES[clause.when]} ({_at(onset)})"
    )


def _unfulfilled(clause: Clause, signal: Signal) -> Iterator[str]:
    """The conditions of a clause that a signal does not meet."""
    for path, pattern in clause.where.items():
        found = list(values(signal.data, path))
        if not holds(found, pattern):
            said = ", ".join(map(str, found)) or "not known"
            yield f"{path} is {said}; wanted: {condition(path, pattern)}"


def _at(moment: datetime | None) -> str:
    return f"{clock_time(moment)} UTC" if moment else "no time"
