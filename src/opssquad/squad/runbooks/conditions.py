"""Whether what a step's call brought back is what a runbook expects. Pure; patterns are those of the fault
catalogue.
"""

from collections.abc import Mapping, Sequence

from opssquad.diagnosis.catalogue import Clause
from opssquad.diagnosis.matches import fits, holds, values
from opssquad.diagnosis.wording import condition as compared
from opssquad.models.base import PastCall, SeenSignal
from opssquad.squad.runbooks.book import Condition, Pattern
from opssquad.templates import fill_all
from opssquad.times import clock_time
from opssquad.types import Json, Ref, Value


class Held(Value):
    """Whether conditions hold: the signals by which they do, by name where they have one; else `lacking`
    says which does not, in words."""

    holds: bool
    seen: tuple[SeenSignal, ...] = ()
    named: dict[str, SeenSignal] = {}
    lacking: str = ""


def held(conditions: Sequence[Condition], call: PastCall, signals: Sequence[SeenSignal], facts: Json) -> Held:
    """Whether all of them hold for the call; `facts` fill their patterns, `target` is among them."""
    seen: list[SeenSignal] = []
    named: dict[str, SeenSignal] = {}
    mine = [s for s in signals if s.call == call.call and s.signal.until is None]
    for each in conditions:
        found = _found(each, mine, facts) if each.signal else []
        met = bool(found) if each.signal else _says(each, call, facts)
        if met == each.absent:
            told = f": {found[0].signal.text}" if found else ""
            return Held(holds=False, seen=tuple(found), lacking=in_words(each) + told)
        seen += found
        if each.name and found:
            named[each.name] = found[0]
    return Held(holds=True, seen=tuple(seen), named=named)


def _found(each: Condition, signals: Sequence[SeenSignal], facts: Json) -> list[SeenSignal]:
    where = _patterns(each.where, facts)
    clauses = [Clause(signal=id, where=where) for id in each.signals]
    target = str(facts["target"])
    return [
        s
        for s in signals
        if any(fits(clause, s.signal) for clause in clauses)
        and (each.anywhere or target in map(str, (s.signal.owner, s.signal.entity)))
    ]


def _says(each: Condition, call: PastCall, facts: Json) -> bool:
    if each.check:
        return call.check is not None and call.check.outcome in each.check
    wanted = _patterns(each.data, facts)
    return all(holds(list(values(call.data, path)), pattern) for path, pattern in wanted.items())


def _patterns(conditions: Mapping[str, Pattern], facts: Json) -> dict[str, Pattern]:
    """Patterns with their holes filled; one that nothing fills matches nothing."""
    return {path: "" if (said := fill_all(p, facts)) is None else said for path, p in conditions.items()}


def facts_of(seen: SeenSignal) -> Json:
    """What holes may name of a signal, as in the fault catalogue."""
    signal = seen.signal
    return {
        **signal.data,
        "text": signal.text,
        "at": signal.at and f"{clock_time(signal.at)} UTC",
        "owner": _parts(signal.owner),
        "entity": _parts(signal.entity),
    }


def _parts(ref: Ref) -> Json:
    return ref.model_dump()


def in_words(each: Condition) -> str:
    """`container.crash_loop where exit_code is not 137 is seen`."""
    if each.signal:
        tests = " and ".join(compared(path, pattern) for path, pattern in each.where.items())
        what = " or ".join(each.signals) + (f" where {tests}" if tests else "")
        return f"{what} is {'not ' * each.absent}seen" + " anywhere" * each.anywhere
    tests = " and ".join(compared(path, pattern) for path, pattern in each.data.items())
    said = tests or f"the check says {' or '.join(each.check)}"
    return f"not so: {said}" if each.absent else said
