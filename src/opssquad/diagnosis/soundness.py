"""What can be wrong with a catalogue that has the right types: names that nothing bears, holes that nothing
fills, an action that is offered and forbidden. Pure; each flaw has its file and line.
"""

import difflib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opssquad.documents import BadFile, Placed
from opssquad.templates import HOLE

if TYPE_CHECKING:
    from opssquad.diagnosis.catalogue import Catalogue, Clause, Fault, Refused, Remedy, Show

FACTS = ("component", "kind", "namespace", "name")
"""Facts of every match that are plain text; `anchor` is one that has parts, like each named clause."""
ANCHOR = "anchor"
Place = tuple[int | str, ...]
Said = Iterator[tuple[Place, str]]
"""Where in an entry (`("actions", 0, "needs")`), and what is wrong there."""


@dataclass(frozen=True, order=True)
class Flaw:
    """Something wrong with a catalogue's file."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"

    @property
    def error(self) -> BadFile:
        """The flaw as what keeps the file from being used."""
        return BadFile(self.file, self.text, self.line)


def flaws(path: Path, placed: "Placed[Catalogue]") -> Iterator[Flaw]:
    """What is wrong with a catalogue that stands alone."""
    known = placed.value
    yield from doubles(path, placed, [fault.id for fault in known.faults])
    for index, fault in enumerate(known.faults):
        yield from located(path, placed, ("faults", index), fault.id, of_fault(fault, known.shows))
    yield from located(path, placed, ("shows",), "shows", of_shows(known.shows, known.faults))


def located(path: Path, placed: Placed[Any], top: Place, name: str, said: Said) -> Iterator[Flaw]:
    """Flaws of an entry with their lines; `name` is what the entry is called."""
    for place, text in said:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
        yield Flaw(str(path), placed.line(*top, *place), f"{name}{where}: {text}")


def doubles(path: Path, placed: Placed[Any], ids: Sequence[str]) -> Iterator[Flaw]:
    """Ids that stand twice in one file, each at its second place."""
    first: dict[str, int] = {}
    for index, id in enumerate(ids):
        if id in first:
            line = placed.line("faults", first[id])
            text = f"{id}.id: another entry has this id, at line {line}"
            yield Flaw(str(path), placed.line("faults", index, "id"), text)
        first.setdefault(id, index)


def doubled(
    path: Path, placed: Placed["Catalogue"], other: Path, theirs: Sequence["Fault"]
) -> Iterator[Flaw]:
    """Ids of a file that another one has as well."""
    taken = {fault.id for fault in theirs}
    for index, fault in enumerate(placed.value.faults):
        if fault.id in taken:
            text = f"{fault.id}.id: {other} has a fault of this id; keep one of them"
            yield Flaw(str(path), placed.line("faults", index, "id"), text)


def of_fault(fault: "Fault", shows: Collection[str]) -> Said:
    """What is wrong with one entry; `shows` are the names that a `tell` may give."""
    for place in fault.blames:
        if place not in ("owner", "entity") and not place.startswith("data."):
            yield ("component",), f"{place!r} is none; give owner, entity or data. and a path"
    yield from _clauses(fault, shows)
    names = clause_names(fault)
    yield from _sentence(("root_cause",), fault.root_cause, names)
    for index, remedy in enumerate(fault.actions):
        yield from _remedy(("actions", index), remedy, fault, names)
    for index, refused in enumerate(fault.inadmissible):
        for field in ("reason", "target"):
            yield from _sentence(("inadmissible", index, field), getattr(refused, field), names)
        for field in ("needs", "unless"):
            yield from _needed(("inadmissible", index, field), getattr(refused, field), fault)
    if fault.culprit:
        yield from _sentence(("culprit",), f"{{{fault.culprit}}}", names)


def clause_names(fault: "Fault") -> tuple[str, ...]:
    """What its holes may name besides the facts: clauses that speak for it and have a name."""
    return tuple(sorted({clause.name for clause in fault.speaks_for if clause.name}))


def _clauses(fault: "Fault", shows: Collection[str]) -> Said:
    for index, clause in enumerate(fault.speaks_for):
        place: Place = ("for", index)
        if clause.name in (*FACTS, ANCHOR):
            yield (*place, "name"), f"{clause.name!r} is a fact of every match; take another name"
        if clause.tell and clause.tell not in shows:
            yield (*place, "tell"), f"nothing of that name under `shows`; {nearest(clause.tell, shows)}"
    sides: tuple[tuple[str, list[Clause]], ...] = (("anchor", fault.anchor), ("against", fault.against))
    for side, clauses in sides:
        for index, clause in enumerate(clauses):
            if clause.name or clause.tell:
                field = "name" if clause.name else "tell"
                yield (side, index, field), "has no effect; it is for clauses under `for`"


def _remedy(place: Place, remedy: "Remedy", fault: "Fault", names: Collection[str]) -> Said:
    for field in ("label", "target", "args"):
        yield from _sentence((*place, field), getattr(remedy, field), names)
    for field in ("needs", "unless"):
        yield from _needed((*place, field), getattr(remedy, field), fault)
    for refused in fault.inadmissible:
        if _same(remedy, refused):
            said = f"{remedy.action} is inadmissible for this fault: {refused.reason}"
            yield (*place, "action"), said


def _needed(place: Place, name: str, fault: "Fault") -> Said:
    known = {clause.name or clause.signal for clause in fault.speaks_for}
    if name and name not in known:
        yield place, f"no clause under `for` is called {name!r}; {nearest(name, known)}"


def _same(remedy: "Remedy", refused: "Refused") -> bool:
    """Whether the one forbids the other: without a target whatever the target is, and not where they need
    opposite things."""
    apart = bool(refused.unless) and remedy.needs == refused.unless
    apart = apart or (bool(refused.needs) and remedy.unless == refused.needs)
    return remedy.action == refused.action and refused.target in ("", remedy.target) and not apart


def of_shows(shows: "Mapping[str, Show]", faults: "Sequence[Fault]") -> Said:
    """What is wrong with the calls that show a signal: each is filled with the facts of the fault that is
    looked into, so its holes must be names of every fault that may ask for it."""
    for key, show in shows.items():
        asking = [f for f in faults if any((c.tell or c.signal) == key for c in f.speaks_for)]
        common = Counter(name for fault in asking for name in clause_names(fault))
        names = [name for name, count in common.items() if count == len(asking)]
        for field in ("label", "args"):
            yield from _sentence((key, field), getattr(show, field), names)


def _sentence(place: Place, value: object, names: Collection[str]) -> Said:
    for text in _texts(value):
        if text.count("[[") != text.count("]]"):
            yield place, f"`[[` and `]]` do not match in {text!r}"
        for hole in HOLE.findall(text):
            head, dot, _ = hole.partition(".")
            if head in FACTS and dot:
                yield place, f"{{{hole}}}: {head} is plain text and has no parts"
            elif head not in (*FACTS, ANCHOR, *names):
                yield place, f"nothing fills {{{hole}}}; {nearest(head, (*FACTS, ANCHOR, *names))}"


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def nearest(name: str, known: Collection[str]) -> str:
    """The names that may have been meant, for the end of a sentence."""
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    return f"there is: {', '.join(near)}" if near else "there is none"
