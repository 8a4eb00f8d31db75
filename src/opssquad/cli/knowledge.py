"""What `opssquad fault` tells, as values: the faults in force, one of them in words, those of a past thread,
and what is wrong with their files. No screen here.
"""

from collections.abc import Sequence
from pathlib import Path

from opssquad import content
from opssquad.diagnosis.catalogue import Clause, Refused, Show
from opssquad.diagnosis.explaining import Account, Case, Unopened
from opssquad.diagnosis.own import Entry, KnownFaults, Origin, read_known_faults
from opssquad.diagnosis.soundness import Flaw, nearest
from opssquad.diagnosis.wording import blamed, in_words
from opssquad.errors import UsageError
from opssquad.events import Event, HandedOver
from opssquad.extensions import library
from opssquad.squad.crew import Crew
from opssquad.squad.knowledge import beside, known_faults, read_known, toolbox_of
from opssquad.squad.known import squads
from opssquad.squad.recalled import ledger_of
from opssquad.squad.spec import load_squad
from opssquad.store.base import ThreadRecord
from opssquad.toolbox import Toolbox
from opssquad.types import Json, Value, called


class Place(Value):
    """Where an entry is defined; `replaces`: in place of the squad's of that id; `off` says why it is off."""

    origin: Origin
    file: str
    line: int
    replaces: bool = False
    off: str = ""

    @classmethod
    def of(cls, entry: Entry) -> "Place":
        return cls(
            origin=entry.origin,
            file=str(entry.file),
            line=entry.line,
            replaces=entry.replaces,
            off=entry.off,
        )


class Row(Value):
    """A fault as a list has it: the ids of the signals that open it, and what may be done."""

    id: str
    title: str
    opens: tuple[str, ...]
    actions: tuple[str, ...]
    place: Place


class Listed(Value):
    """Every fault of a catalogue in its order, those that are off included."""

    faults: tuple[Row, ...]


class Spoken(Value):
    """A clause in words. `call` would show it where it is missing; `required`: it must hold, or must not."""

    clause: str
    weight: float
    required: bool = False
    name: str = ""
    call: str = ""


class Way(Value):
    """What may be done: by that call, or by hand where there is none; `needs` names the clause it takes,
    `unless` the one that rules it out."""

    action: str
    label: str
    target: str
    call: str = ""
    needs: str = ""
    unless: str = ""


class Described(Value):
    """A fault in words."""

    id: str
    title: str
    blamed: str
    opens: tuple[str, ...]
    speaks_for: tuple[Spoken, ...]
    against: tuple[Spoken, ...]
    explanation: str
    no_fault: bool
    actions: tuple[Way, ...]
    inadmissible: tuple[Refused, ...]
    place: Place


class Explained(Value):
    """The faults of a thread, best first. Asked about one fault: all of it at each component, `unopened`
    where no signal opened it; `off` says why it is off, and then it was not ranked."""

    thread: str
    squad: str
    asked: str = ""
    off: str = ""
    signals: int
    faults: tuple[Account, ...] = ()
    unopened: Unopened | None = None


def listed(known: KnownFaults) -> Listed:
    """The catalogue as rows."""
    return Listed(faults=tuple(_row(entry) for entry in known.entries))


def _row(entry: Entry) -> Row:
    fault = entry.fault
    return Row(
        id=fault.id,
        title=fault.title,
        opens=tuple(dict.fromkeys(clause.signal for clause in fault.anchor)),
        actions=tuple(dict.fromkeys(remedy.action for remedy in fault.actions)),
        place=Place.of(entry),
    )


def described(known: KnownFaults, id: str) -> Described:
    """One fault in words. Raises UsageError with the nearest ids."""
    entry, shows = known.entry(id), known.catalogue.shows
    fault = entry.fault
    return Described(
        id=fault.id,
        title=fault.title,
        blamed=blamed(fault),
        opens=tuple(in_words(clause, linked=False) for clause in fault.anchor),
        speaks_for=tuple(
            _spoken(clause, shows.get(clause.tell or clause.signal)) for clause in fault.speaks_for
        ),
        against=tuple(_spoken(clause, None) for clause in fault.against),
        explanation=" ".join(fault.root_cause.split()),
        no_fault=fault.no_fault,
        actions=tuple(
            Way(
                action=each.action,
                label=" ".join(each.label.split()),
                target=each.target,
                call=_call(each.tool, each.args),
                needs=each.needs,
                unless=each.unless,
            )
            for each in fault.actions
        ),
        inadmissible=tuple(fault.inadmissible),
        place=Place.of(entry),
    )


def _spoken(clause: Clause, show: Show | None) -> Spoken:
    return Spoken(
        clause=in_words(clause),
        weight=clause.weight,
        required=clause.required,
        name=clause.name,
        call=_call(show.tool, show.args) if show else "",
    )


def _call(tool: str, args: Json) -> str:
    return called(tool, args) if tool else ""


def explained(record: ThreadRecord, events: Sequence[Event], id: str, folder: Path | None) -> Explained:
    """What the signals of a thread say, by the catalogues in force of the squads that worked on it. Raises
    UsageError."""
    joined = [event.to for event in events if isinstance(event, HandedOver)]
    known = {name: known_faults(name, folder) for name in (record.squad, *joined)}
    ledger, catalogue = ledger_of(events), Crew(known).catalogue([*known])
    case = Case(catalogue, [s.signal for s in ledger.signals], [s.evidence for s in ledger.signals])
    told = Explained(thread=record.id, squad=record.squad, signals=len(ledger.signals))
    if not id:
        return told.model_copy(update={"faults": tuple(case.accounts())})
    entry = _entry(id, list(known.values()))
    faults = tuple(a for a in case.accounts() if a.fault == entry.fault.id)
    unopened = None if faults or entry.off else case.unopened(entry.fault)
    update = {"asked": entry.fault.id, "off": entry.off, "faults": faults, "unopened": unopened}
    return told.model_copy(update=update)


def _entry(id: str, known: Sequence[KnownFaults]) -> Entry:
    """That of the first squad that has it. Raises UsageError with the nearest of the squad that was asked."""
    has = (each for each in known if any(entry.fault.id.lower() == id.lower() for entry in each.entries))
    return next(has, known[0]).entry(id)


def linted(file: Path | None, squad: str, folder: Path | None) -> tuple[list[Flaw], int]:
    """What is wrong, by place, and how many faults were looked at. Raises UsageError."""
    signals = content.signal_ids()
    if file:
        known, toolbox = _around(file, squad)
        flaws = [flaw for flaw in known.flaws(toolbox, signals) if flaw.file == str(file)]
        return flaws, sum(entry.file == file for entry in known.entries)
    found: list[Flaw] = []
    looked_at = 0
    for name in [squad] if squad else squads():
        known = read_known(name, folder)
        found += known.flaws(toolbox_of(name), signals)
        looked_at += sum(entry.file in known.files for entry in known.entries)
    # A squad that stands on another has that one's flaws as well.
    return [*dict.fromkeys(found), *(_nobodys(folder) if folder else [])], looked_at


def _around(file: Path, squad: str) -> tuple[KnownFaults, Toolbox]:
    """The file in its place: as a squad's catalogue, or beside the one that it adds to."""
    if not squad and (file.parent / "squad.yaml").is_file():
        return _in_a_folder(file)
    name, there = squad or file.stem, squads()
    if not squad and name not in there:
        raise UsageError(f"which squad is {file} for? Say --squad NAME; {nearest(name, there)}")
    return beside(name, file), toolbox_of(name)


def _in_a_folder(file: Path) -> tuple[KnownFaults, Toolbox]:
    """A squad's own file, whatever folder that squad is in, with the squads that came with the product."""
    here = file.parent.absolute()
    for name, standing in squads().items():
        if any(layer.folder.absolute() == here for layer in standing.layers):
            return beside(name, None), toolbox_of(name)
    spec = load_squad(file.parent)
    others = [content.squad(name) for name in spec.knows]
    tools = (spec.tools, *(load_squad(folder).tools for folder in others))
    toolbox = Toolbox(library.tools(dict.fromkeys(name for each in tools for name in each)))
    return read_known_faults(file, None, *(folder / "faults.yaml" for folder in others)), toolbox


def _nobodys(folder: Path) -> list[Flaw]:
    """Files of the organisation's that no squad reads."""
    names = {f"{name}.yaml" for name in squads()}
    return [
        Flaw(str(path), 1, f"nobody reads this: it is no squad's; {nearest(path.name, names)}")
        for path in sorted(folder.glob("*.y*ml"))
        if path.name not in names
    ]
