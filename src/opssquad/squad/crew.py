"""The squads of a thread besides the one that was asked: who may take a question over, and when.

What is handed over is the ledger itself: signals with their evidence, not a summary of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opssquad.diagnosis.catalogue import Catalogue, Fault
from opssquad.diagnosis.matches import fits
from opssquad.diagnosis.own import KnownFaults
from opssquad.diagnosis.soundness import nearest
from opssquad.errors import ToolError
from opssquad.models.base import HAND_OVER, Case, ModelCall, SeenSignal, ToolSpec, Transfer
from opssquad.models.saying import SURE
from opssquad.squad.knowledge import known_faults
from opssquad.squad.known import spec_of, squads
from opssquad.squad.offering import Offering, more_spec
from opssquad.squad.spec import HandsOver, SquadSpec, World
from opssquad.squad.standing import Standing
from opssquad.templates import fill

TURNS = 2
"""How often one squad may have a question: it may come back to it, and does not go to and fro."""


@dataclass(frozen=True)
class Member:
    """A squad as it works in a thread: its words for a model, and its tools as a model sees them. `offering`
    chooses among them where they are too many for one request."""

    spec: SquadSpec
    system: Callable[[], str]
    specs: tuple[ToolSpec, ...]
    offering: Offering | None = None

    def offered(self, case: Case, more: Sequence[str]) -> tuple[ToolSpec, ...]:
        """Those that a model which reads words is offered now; `more` are those that it asked for."""
        if self.offering is None or self.offering.whole:
            return self.specs
        chosen = self.offering.of(case, more)
        return (*chosen, more_spec(), *self.specs[len(self.offering.tools) :])


@dataclass(frozen=True)
class Crew:
    """Every squad that has what it works on in this run, the one that was asked first, with the faults that
    each knows; `away` are those that lack it, and why."""

    known: Mapping[str, KnownFaults] = field(default_factory=dict)
    specs: Mapping[str, SquadSpec] = field(default_factory=dict)
    away: Mapping[str, str] = field(default_factory=dict)

    def catalogue(self, squads: Sequence[str]) -> Catalogue:
        """What faults are ranked by once those squads have worked on a question."""
        each = [self.known[name].catalogue for name in squads if name in self.known]
        faults = {fault.id: fault for one in reversed(each) for fault in one.faults}
        shows = {signal: show for one in reversed(each) for signal, show in one.shows.items()}
        return Catalogue(faults=list(faults.values()), shows=shows)

    def transfers(self, case: Case) -> tuple[Transfer, ...]:
        """To whom the acting squad may hand the question by what it has seen: each squad once a thread's
        question."""
        spec = self.specs.get(case.squad)
        return tuple(_transfers(spec.hands_over, case, self.away)) if spec else ()

    def fault(self, id: str) -> Fault:
        """The entry of that id in one of their catalogues. Raises ToolError with the nearest ids."""
        entries = [entry for known in self.known.values() for entry in known.entries]
        found = next((entry.fault for entry in entries if entry.fault.id.lower() == id.lower()), None)
        if found is None:
            raise ToolError(f"no fault {id!r}; {nearest(id, [entry.fault.id for entry in entries])}")
        return found

    def owner(self, tool: str, own: str) -> str:
        """The squad that a tool belongs to; of several the one that was asked."""
        holds = [name for name, spec in self.specs.items() if tool in spec.tools]
        return own if own in holds or not holds else holds[0]


def crew_of(own: str, faults: Path | None, has: Callable[[World], bool]) -> Crew:
    """The squad that was asked, and all others that it or those may hand a question to. Raises UsageError."""
    specs, away = _reachable(own, has)
    return Crew({name: known_faults(name, faults) for name in specs}, specs, away)


def others_of(own: str, has: Callable[[World], bool]) -> list[str]:
    """The names of those others that have what they work on. Raises UsageError."""
    return [name for name in _reachable(own, has)[0] if name != own]


def _reachable(own: str, has: Callable[[World], bool]) -> tuple[dict[str, SquadSpec], dict[str, str]]:
    specs: dict[str, SquadSpec] = {}
    away: dict[str, str] = {}
    waiting, there = [own], squads()
    while waiting:
        name = waiting.pop(0)
        if name in specs or name in away:
            continue
        if name != own and name not in there:
            away[name] = "there is no such squad here"
            continue
        spec = spec_of(name) if name == own else _to_whom_was_asked(spec_of(name), own, there)
        if name == own or has(spec.world):
            specs[name] = spec
            waiting += [each.to for each in spec.hands_over]
        else:
            away[name] = f"no {spec.world} is connected here"
    return specs, away


def _to_whom_was_asked(spec: SquadSpec, own: str, there: Mapping[str, Standing]) -> SquadSpec:
    """A squad that hands to one which the asked squad stands on means that one: it is that, and more."""
    names = there[own].names if own in there else ()
    ways = [way.model_copy(update={"to": own}) if way.to in names else way for way in spec.hands_over]
    return spec.model_copy(update={"hands_over": tuple(ways)})


def _transfers(ways: Sequence[HandsOver], case: Case, away: Mapping[str, str]) -> Iterator[Transfer]:
    settled = any(each.score >= SURE for each in case.differential if not each.no_fault)
    for way in ways:
        if way.unsettled and settled:
            continue
        # In the order of the clauses: what the first of them finds says why.
        found = [s for clause in way.when for s in case.signals if fits(clause, s.signal)]
        open_ = [s for s in found if s.signal.until is None]
        if open_ and way.to not in case.squads:
            yield _transfer(way, open_, away.get(way.to, ""))


def _transfer(way: HandsOver, seen: Sequence[SeenSignal], closed: str) -> Transfer:
    first = seen[0].signal
    facts = {**first.data, "text": first.text, "owner": str(first.owner), "entity": str(first.entity)}
    evidence = tuple(dict.fromkeys(e for s in seen for e in s.evidence))[:8]
    return Transfer(to=way.to, why=fill(way.why, facts), evidence=evidence, closed=closed)


def hand_over_spec(spec: SquadSpec) -> tuple[ToolSpec, ...]:
    """The pseudo-tool as a model of that squad sees it; none for a squad that hands nothing over."""
    to = list(dict.fromkeys(each.to for each in spec.hands_over))
    if not to:
        return ()
    properties = {
        "squad": {"type": "string", "enum": to},
        "why": {"type": "string", "description": "what it shall find out, in one sentence"},
        "evidence": {"type": "array", "items": {"type": "string"}, "description": "ids such as e3"},
    }
    parameters = {"type": "object", "properties": properties, "required": ["squad", "why"]}
    words = "Hand the question to another squad, with all that was seen."
    return (ToolSpec(name=HAND_OVER, description=words, parameters=parameters),)


def more_tools(
    member: Member, case: Case, more: Sequence[str], call: ModelCall
) -> tuple[tuple[str, ...], str]:
    """The tools that a call of `more_tools` brings, and what it is answered."""
    about = str(call.args.get("about", "")).strip()
    if call.problem or not about or member.offering is None:
        return (), call.problem or "say `about`: what you want to look at or do, in a few words"
    offered = [spec.name for spec in member.offered(case, more)]
    found = member.offering.further(about, offered)
    listed = ", ".join(found) or "none that was not offered already"
    return found, f"offered from now on: {listed}"


def taken_over(crew: Crew, case: Case, args: Mapping[str, object]) -> Transfer:
    """What a call of the pseudo-tool means. Raises ToolError for a squad that cannot take over."""
    to = str(args.get("squad", ""))
    spec = crew.specs.get(case.squad)
    named = [each.to for each in spec.hands_over] if spec else []
    if to not in named:
        listed = ", ".join(named) or "nobody"
        raise ToolError(f"squad {case.squad} hands nothing to {to!r}; it does to: {listed}")
    if why := crew.away.get(to):
        raise ToolError(f"squad {to} cannot take over: {why}; conclude with what is known, and say so")
    if case.squads.count(to) >= TURNS:
        raise ToolError(f"squad {to} has had this question {TURNS} times; go on here, or conclude")
    given = args.get("evidence")
    ids = tuple(str(each) for each in given) if isinstance(given, list | tuple) else ()
    return Transfer(to=to, why=str(args.get("why", ""))[:400], evidence=ids)
