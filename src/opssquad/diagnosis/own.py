"""What an organisation, or a squad that extends another, adds to a catalogue, and what results.

Values and files only.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from opssquad.diagnosis.catalogue import Catalogue, Clause, Fault, Show, placed_catalogue
from opssquad.diagnosis.fitting import of_calls, of_looks, of_signals
from opssquad.diagnosis.soundness import Flaw, doubled, doubles, located, nearest, of_fault, of_shows
from opssquad.documents import Placed, parse_placed, read_text
from opssquad.errors import UsageError
from opssquad.toolbox import Toolbox
from opssquad.types import Value

Origin = Literal["squad", "organisation"]
NEEDED = ("title", "anchor", "root_cause")
"""What an entry must have unless it switches one off."""


class OwnFault(Fault):
    """An entry of the organisation's: a fault that is added, one that `replaces` the squad's of that id, or
    the id of one that is switched `off`, with the reason."""

    title: str = ""
    anchor: list[Clause] = Field(default_factory=list)
    root_cause: str = ""
    replaces: bool = False
    off: bool = False
    reason: str = ""

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if not self.off:
            if lacking := [name for name in NEEDED if not getattr(self, name)]:
                raise ValueError(f"{lacking[0]} is missing")
            if self.reason:
                raise ValueError("reason says why a fault is off; this one is not")
        elif not self.reason.strip():
            raise ValueError("say why it is off, as `reason`")
        elif extra := self.model_fields_set - {"id", "off", "reason"}:
            raise ValueError(f"it is off: {min(extra)} has no effect")
        return self


class OwnCatalogue(Value):
    """The file of what is added."""

    faults: list[OwnFault] = Field(default_factory=list)
    shows: dict[str, Show] = Field(default_factory=dict)


@lru_cache(maxsize=16)
def _parsed(text: str, path: Path) -> Placed[OwnCatalogue]:
    return parse_placed(text, OwnCatalogue, path)


@dataclass(frozen=True)
class Entry:
    """A fault that is in force, or one that is `off` for that reason, and where that is written."""

    fault: Fault
    origin: Origin
    file: Path
    line: int
    replaces: bool = False
    off: str = ""

    @property
    def defined(self) -> str:
        """Where it is defined, as one writes a place."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Addition:
    """A file that adds to a catalogue: the organisation's, or that of a squad which extends another."""

    file: Path
    placed: Placed[OwnCatalogue]
    origin: Origin = "organisation"

    @property
    def faults(self) -> dict[str, tuple[int, OwnFault]]:
        """Its entries by id, with their places in the file."""
        return {fault.id: (index, fault) for index, fault in enumerate(self.placed.value.faults)}

    def entry(self, index: int, fault: OwnFault) -> Entry:
        """One of them as it is in force."""
        line = self.placed.line("faults", index)
        return Entry(fault, self.origin, self.file, line, replaces=fault.replaces)

    def over(self, below: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """What is in force once the file counts too: replaced, off, and then the added ones."""
        mine = self.faults
        theirs = {entry.fault.id for entry in below}
        kept = (self._amended(entry, *mine.get(entry.fault.id, (0, None))) for entry in below)
        added = (self.entry(*mine[id]) for id in mine if id not in theirs and not mine[id][1].off)
        return (*kept, *added)

    def _amended(self, entry: Entry, index: int, own: OwnFault | None) -> Entry:
        if own is None:
            return entry
        return replace(entry, off=own.reason) if own.off else self.entry(index, own)


@dataclass(frozen=True)
class KnownFaults:
    """A squad's catalogue with what is added to it, replaced in it and switched off, one file after the
    other. `others` are squads whose faults it tells apart as well."""

    squad_file: Path
    squad: Placed[Catalogue]
    additions: tuple[Addition, ...] = ()
    others: tuple["KnownFaults", ...] = ()

    @property
    def own_file(self) -> Path | None:
        """The organisation's file for the squad itself; None where there is none."""
        return next((a.file for a in reversed(self.additions) if a.origin == "organisation"), None)

    @property
    def files(self) -> tuple[Path, ...]:
        """Those of the squad and what adds to it, not those of others."""
        return (self.squad_file, *(addition.file for addition in self.additions))

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The squad's faults in their order, then those of others, replaced where a file does so, then the
        added ones."""
        return self._below(len(self.additions))

    @cached_property
    def catalogue(self) -> Catalogue:
        """What faults are ranked by."""
        faults = [entry.fault for entry in self.entries if not entry.off]
        return Catalogue(faults=faults, shows=self._shows_below(len(self.additions)))

    def _below(self, count: int) -> tuple[Entry, ...]:
        """What is in force before the addition of that number counts."""
        line = self.squad.line
        given = [
            *(
                Entry(fault, "squad", self.squad_file, line("faults", index))
                for index, fault in enumerate(self.squad.value.faults)
            ),
            *(entry for other in self.others for entry in other.entries),
        ]
        entries = tuple(given)
        for addition in self.additions[:count]:
            entries = addition.over(entries)
        return entries

    def _shows_below(self, count: int) -> dict[str, Show]:
        """Calls by signal; where several have one, the squad's own stands."""
        added = [each.placed.value.shows for each in reversed(self.additions[:count])]
        theirs = [each.catalogue.shows for each in reversed(self.others)]
        shows = [*added, *theirs, self.squad.value.shows]
        return {key: show for each in shows for key, show in each.items()}

    def entry(self, id: str) -> Entry:
        """The entry of that id, also one that is off. Raises UsageError with the nearest ids."""
        for entry in self.entries:
            if entry.fault.id.lower() == id.lower():
                return entry
        raise UsageError(f"no fault {id!r}; {nearest(id, [e.fault.id for e in self.entries])}")

    def flaws(self, toolbox: Toolbox, signals: Collection[str] = ()) -> list[Flaw]:
        """What is wrong with either file, by its place; without `signals` those are not looked at."""
        added = (flaw for n in range(len(self.additions)) for flaw in self._of_addition(n, toolbox, signals))
        return sorted({*self._of_squad(toolbox, signals), *added})

    def _of_squad(self, toolbox: Toolbox, signals: Collection[str]) -> Iterator[Flaw]:
        path, placed = self.squad_file, self.squad
        faults, shows = placed.value.faults, placed.value.shows
        yield from doubles(path, placed, [fault.id for fault in faults])
        for other in self.others:
            yield from doubled(path, placed, other.squad_file, [entry.fault for entry in other.entries])
        known = self._shows_below(0)
        for index, fault in enumerate(faults):
            said = chain(of_fault(fault, known), _against_tools(fault, toolbox, signals))
            yield from located(path, placed, ("faults", index), fault.id, said)
        said = chain(of_shows(shows, self.catalogue.faults), of_looks(shows.items(), toolbox))
        yield from located(path, placed, ("shows",), "shows", said)

    def _of_addition(self, number: int, toolbox: Toolbox, signals: Collection[str]) -> Iterator[Flaw]:
        path, placed = self.additions[number].file, self.additions[number].placed
        theirs = [entry.fault.id for entry in self._below(number)]
        yield from doubles(path, placed, [fault.id for fault in placed.value.faults])
        for index, fault in enumerate(placed.value.faults):
            top = ("faults", index)
            yield from located(path, placed, top, fault.id, _claimed(fault, theirs))
            if not fault.off:
                said = chain(of_fault(fault, self.catalogue.shows), _against_tools(fault, toolbox, signals))
                yield from located(path, placed, top, fault.id, said)
        own = placed.value.shows
        taken = (((key,), "the squad has one of this name; take another, and `tell` it") for key in own
                 if key in self._shows_below(number))  # fmt: skip
        said = chain(taken, of_shows(own, self.catalogue.faults), of_looks(own.items(), toolbox))
        yield from located(path, placed, ("shows",), "shows", said)


def _claimed(fault: OwnFault, theirs: Collection[str]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """What an entry says of the squad's own of that id, and is not so."""
    if fault.id in theirs:
        if not fault.off and not fault.replaces:
            yield ("id",), "the squad has a fault of this id; say `replaces: true`, or take another id"
    elif fault.off or fault.replaces:
        verb = "switches off" if fault.off else "replaces"
        yield ("id",), f"it {verb} a fault that the squad does not have; {nearest(fault.id, theirs)}"


def _against_tools(
    fault: Fault, toolbox: Toolbox, signals: Collection[str]
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    yield from of_calls(fault, toolbox)
    if signals:
        yield from of_signals(fault, signals)


def read_known_faults(squad_file: Path, own_file: Path | None, *others: Path) -> KnownFaults:
    """All files, sound or not. Raises BadFile for one that cannot be read."""
    own = (read_addition(own_file, "organisation"),) if own_file else ()
    known = tuple(KnownFaults(path, placed_catalogue(path)) for path in others)
    return KnownFaults(squad_file, placed_catalogue(squad_file), own, known)


def read_addition(file: Path, origin: Origin) -> Addition:
    """A file that adds to a catalogue. Raises BadFile."""
    return Addition(file, _parsed(read_text(file), file), origin)
