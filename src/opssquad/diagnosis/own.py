"""What an organisation adds to a squad's catalogue, and the catalogue that results. Values and files only."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
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
    """An organisation's file for one squad."""

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
class KnownFaults:
    """A squad's catalogue with what the organisation adds to it, replaces in it and switches off. `others`
    are the catalogues of squads whose faults it tells apart as well."""

    squad_file: Path
    squad: Placed[Catalogue]
    own_file: Path | None = None
    own: Placed[OwnCatalogue] | None = None
    others: tuple[tuple[Path, Placed[Catalogue]], ...] = ()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The squad's faults in their order, then those of others, replaced where the organisation does so,
        then the added ones."""
        mine = {fault.id: (index, fault) for index, fault in enumerate(self._own.faults)}
        kept = tuple(
            self._entry((file, placed.line("faults", index)), fault, mine)
            for file, placed in self._given
            for index, fault in enumerate(placed.value.faults)
        )
        theirs = self._ids
        return (*kept, *(self._of_own(*mine[id]) for id in mine if id not in theirs and not mine[id][1].off))

    @cached_property
    def catalogue(self) -> Catalogue:
        """What faults are ranked by."""
        faults = [entry.fault for entry in self.entries if not entry.off]
        return Catalogue(faults=faults, shows={**self._own.shows, **self._shows})

    @property
    def _given(self) -> tuple[tuple[Path, Placed[Catalogue]], ...]:
        return ((self.squad_file, self.squad), *self.others)

    @property
    def _ids(self) -> list[str]:
        return [fault.id for _, placed in self._given for fault in placed.value.faults]

    @property
    def _shows(self) -> dict[str, Show]:
        """Calls by signal; where several have one, the squad's own stands."""
        return {key: show for _, placed in reversed(self._given) for key, show in placed.value.shows.items()}

    def entry(self, id: str) -> Entry:
        """The entry of that id, also one that is off. Raises UsageError with the nearest ids."""
        for entry in self.entries:
            if entry.fault.id.lower() == id.lower():
                return entry
        raise UsageError(f"no fault {id!r}; {nearest(id, [e.fault.id for e in self.entries])}")

    def flaws(self, toolbox: Toolbox, signals: Collection[str] = ()) -> list[Flaw]:
        """What is wrong with either file, by its place; without `signals` those are not looked at."""
        return sorted({*self._of_squad(toolbox, signals), *self._of_organisation(toolbox, signals)})

    @property
    def _own(self) -> OwnCatalogue:
        return self.own.value if self.own else OwnCatalogue()

    def _entry(self, place: tuple[Path, int], fault: Fault, mine: dict[str, tuple[int, OwnFault]]) -> Entry:
        if fault.id not in mine:
            return Entry(fault, "squad", *place)
        own = mine[fault.id][1]
        if own.off:
            return Entry(fault, "squad", *place, off=own.reason)
        return self._of_own(*mine[fault.id])

    def _of_own(self, index: int, fault: OwnFault) -> Entry:
        line = self.own.line("faults", index) if self.own else 0
        return Entry(fault, "organisation", self.own_file or Path(), line, replaces=fault.replaces)

    def _of_squad(self, toolbox: Toolbox, signals: Collection[str]) -> Iterator[Flaw]:
        path, placed = self.squad_file, self.squad
        faults, shows = placed.value.faults, placed.value.shows
        yield from doubles(path, placed, [fault.id for fault in faults])
        for file, other in self.others:
            yield from doubled(path, placed, file, other.value.faults)
        for index, fault in enumerate(faults):
            said = chain(of_fault(fault, self._shows), _against_tools(fault, toolbox, signals))
            yield from located(path, placed, ("faults", index), fault.id, said)
        said = chain(of_shows(shows, self.catalogue.faults), of_looks(shows.items(), toolbox))
        yield from located(path, placed, ("shows",), "shows", said)

    def _of_organisation(self, toolbox: Toolbox, signals: Collection[str]) -> Iterator[Flaw]:
        if not self.own_file or not self.own:
            return
        path, placed = self.own_file, self.own
        yield from doubles(path, placed, [fault.id for fault in placed.value.faults])
        for index, fault in enumerate(placed.value.faults):
            top = ("faults", index)
            yield from located(path, placed, top, fault.id, self._claimed(fault))
            if not fault.off:
                said = chain(of_fault(fault, self.catalogue.shows), _against_tools(fault, toolbox, signals))
                yield from located(path, placed, top, fault.id, said)
        own = placed.value.shows
        taken = (((key,), "the squad has one of this name; take another, and `tell` it") for key in own
                 if key in self._shows)  # fmt: skip
        said = chain(taken, of_shows(own, self.catalogue.faults), of_looks(own.items(), toolbox))
        yield from located(path, placed, ("shows",), "shows", said)

    def _claimed(self, fault: OwnFault) -> Iterator[tuple[tuple[int | str, ...], str]]:
        """What an entry says of the squad's own of that id, and is not so."""
        theirs = self._ids
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
    own = _parsed(read_text(own_file), own_file) if own_file else None
    known = tuple((path, placed_catalogue(path)) for path in others)
    return KnownFaults(squad_file, placed_catalogue(squad_file), own_file, own, known)
