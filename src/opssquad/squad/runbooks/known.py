"""The runbooks that are known here: those of the squad, and the organisation's beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from opssquad import content
from opssquad.diagnosis.soundness import Flaw, nearest
from opssquad.documents import BadFile
from opssquad.errors import UsageError
from opssquad.squad.knowledge import known_faults, toolbox_of
from opssquad.squad.known import squad as known_squad
from opssquad.squad.known import squads
from opssquad.squad.runbooks.book import Origin, Runbook
from opssquad.squad.runbooks.reading import read_runbook
from opssquad.squad.runbooks.soundness import House, flaws
from opssquad.squad.standing import RUNBOOKS, Standing


@dataclass(frozen=True)
class Shelf:
    """The runbooks in force, in the order of their ids, and what is wrong with files that cannot be read or
    that claim what is not so."""

    books: tuple[Runbook, ...]
    unread: tuple[Flaw, ...] = ()

    def get(self, id: str) -> Runbook:
        """The runbook of that id. Raises UsageError with the nearest ids, or why its file cannot be read."""
        for book in self.books:
            if book.id == id:
                return book
        for flaw in self.unread:
            if Path(flaw.file).stem == id:
                raise flaw.error
        raise UsageError(f"no runbook {id!r}; {nearest(id, [book.id for book in self.books])}")

    def for_fault(self, fault: str) -> list[Runbook]:
        """Those that are for a fault; the organisation's come first."""
        fits = [book for book in self.books if fault in book.head.value.faults]
        return sorted(fits, key=lambda book: book.origin != "organisation")


def own_folder(squad: str, folder: Path | None) -> Path | None:
    """The organisation's runbooks for a squad, `<folder>/<squad>`; None where there are none. Raises
    UsageError for a folder that is none."""
    if folder is None:
        return None
    if not folder.is_dir():
        how = "name a folder that holds <squad>/*.md"
        raise UsageError(f"OPSSQUAD_RUNBOOKS: {folder} is no folder that can be read; {how}")
    own = folder / squad
    return own if own.is_dir() else None


def shelf(squad: str, folder: Path | None) -> Shelf:
    """The runbooks of a squad, sound or not. Raises UsageError for a squad or a folder that is none."""
    books: dict[str, Runbook] = {}
    unread: list[Flaw] = []
    for origin, place in _places(known_squad(squad), folder):
        mine, strange = _read(place, origin)
        unread += [*strange, *_claims(mine, set(books))]
        books |= {book.id: book for book in mine}
    return Shelf(tuple(sorted(books.values(), key=lambda book: book.id)), tuple(unread))


def _places(squad: Standing, folder: Path | None) -> Iterator[tuple[Origin, Path]]:
    """Where its runbooks lie: of each squad that it stands on, and then the organisation's for that one."""
    for name, layers in groupby(squad.layers, key=lambda layer: layer.name):
        for layer in layers:
            yield "squad", layer.folder / RUNBOOKS
        if own := own_folder(name, folder):
            yield "organisation", own


def whose(id: str, folder: Path | None, likely: str = "") -> str:
    """The squad that has a runbook of that id, `likely` where it is one of several. Raises UsageError where
    none has it, or several do."""
    there = squads()
    ids = {name: _ids(shelf(name, folder)) for name in there}
    all_ = [name for name, its in ids.items() if id in its]
    # A squad that stands on another has that one's as well; who wrote it is meant.
    having = [name for name in all_ if not {*there[name].names[1:]} & {*all_}]
    having = [likely] if likely in all_ else having
    if likely in having or len(having) == 1:
        return likely if likely in having else having[0]
    if having:
        raise UsageError(f"{' and '.join(having)} have a runbook {id!r}; say which with --squad")
    raise UsageError(f"no runbook {id!r}; {nearest(id, sorted(set().union(*ids.values())))}")


def _ids(known: Shelf) -> set[str]:
    return {*(book.id for book in known.books), *(Path(flaw.file).stem for flaw in known.unread)}


def house(squad: str, faults: Path | None, *, signals: bool = False) -> House:
    """What the runbooks of a squad may name. Raises UsageError."""
    known = [entry.fault.id for entry in known_faults(squad, faults).entries]
    return House(toolbox_of(squad), known, content.signal_ids() if signals else ())


def sound(squad: str, folder: Path | None, faults: Path | None, id: str) -> Runbook:
    """A runbook that can be run. Raises UsageError with its first flaw, file and line."""
    known = shelf(squad, folder)
    book = known.get(id)
    for flaw in (*(f for f in known.unread if f.file == str(book.file)), *flaws(book, house(squad, faults))):
        raise flaw.error
    return book


def as_begun(squad: str, folder: Path | None, id: str, digest: str) -> tuple[Runbook | None, str]:
    """The runbook of a run as it was when the run began; None and the reason where it is another by now."""
    try:
        book = shelf(squad, folder).get(id)
    except UsageError as error:
        return None, str(error)
    if book.digest != digest:
        return None, f"{book.file} is not what it was when this run began; run it anew"
    return book, ""


def for_faults(squad: str, folder: Path | None, fault: str) -> tuple[str, ...]:
    """The ids of the runbooks for a fault; none where the folder cannot be read: that is told elsewhere, and
    a conclusion does not wait for it."""
    try:
        return tuple(book.id for book in shelf(squad, folder).for_fault(fault))
    except UsageError:
        return ()


def _read(folder: Path, origin: Origin) -> tuple[list[Runbook], list[Flaw]]:
    books: list[Runbook] = []
    unread: list[Flaw] = []
    for path in sorted(folder.glob("*.md")):
        if path.name.lower() == "readme.md":
            continue
        try:
            books.append(read_runbook(path, origin))
        except BadFile as error:
            unread.append(Flaw(str(path), error.line or 1, error.reason))
    return books, unread


def _claims(mine: list[Runbook], theirs: set[str]) -> Iterator[Flaw]:
    """What a runbook of the organisation's says of the squad's own of that id, and is not so."""
    for book in mine:
        head = book.head
        if book.id in theirs and not head.value.replaces:
            text = "the squad has a runbook of this id; say `replaces: true`, or take another id"
            yield Flaw(str(book.file), head.line("id"), text)
        elif head.value.replaces and book.id not in theirs:
            text = f"it replaces a runbook that the squad does not have; {nearest(book.id, theirs)}"
            yield Flaw(str(book.file), head.line("id"), text)
