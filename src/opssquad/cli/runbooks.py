"""What `opssquad runbook` tells, as values: the runbooks in force, one of them in words, and what is wrong
with their files. No screen here.
"""

from pathlib import Path

from opssquad.diagnosis.soundness import Flaw, nearest
from opssquad.errors import UsageError
from opssquad.squad.known import squads
from opssquad.squad.runbooks.book import STOP, Block, Look, Origin, Parameter, Runbook, Step
from opssquad.squad.runbooks.conditions import in_words
from opssquad.squad.runbooks.known import house, shelf, whose
from opssquad.squad.runbooks.reading import read_runbook
from opssquad.squad.runbooks.soundness import flaws
from opssquad.types import Value, called


class Row(Value):
    """A runbook as a list has it."""

    squad: str
    id: str
    title: str
    faults: tuple[str, ...]
    origin: Origin
    file: str


class Listed(Value):
    """Every runbook that can be read, and why others cannot, as `file:line: reason`."""

    runbooks: tuple[Row, ...]
    unread: tuple[str, ...] = ()


class Spoken(Value):
    """A step in words: its call, what is expected, where it goes on. The check has no id and no ways."""

    id: str = ""
    say: str
    call: str
    expects: tuple[str, ...]
    ways: tuple[str, ...] = ()
    approve: bool = False


class Part(Value):
    """A section: paragraphs of Markdown and steps, in their order."""

    name: str
    parts: tuple[str | Spoken, ...]


class Described(Value):
    """A runbook in words."""

    row: Row
    parameters: dict[str, Parameter]
    not_looked_at: tuple[str, ...]
    run: str
    sections: tuple[Part, ...]


def listed(squad: str, folder: Path | None) -> Listed:
    """Those in force of a squad, or of every squad where none is named. Raises UsageError."""
    found = {name: shelf(name, folder) for name in ([squad] if squad else squads())}
    return Listed(
        runbooks=tuple(_row(name, book) for name, its in found.items() for book in its.books),
        unread=tuple(str(flaw) for its in found.values() for flaw in its.unread),
    )


def _row(squad: str, book: Runbook) -> Row:
    head = book.head.value
    return Row(
        squad=squad, id=head.id, title=head.title, faults=tuple(head.faults), origin=book.origin,
        file=str(book.file),
    )  # fmt: skip


def described(id: str, squad: str, folder: Path | None) -> Described:
    """One runbook in words, of the squad that has it where none is named. Raises UsageError."""
    squad = squad or whose(id, folder)
    book = shelf(squad, folder).get(id)
    head = book.head.value
    return Described(
        row=_row(squad, book),
        parameters=head.parameters,
        not_looked_at=tuple(head.not_looked_at),
        run=_line(book),
        sections=tuple(
            Part(name=s.name, parts=tuple(_spoken(p, book) if isinstance(p, Block) else p for p in s.parts))
            for s in book.sections
        ),
    )


def _line(book: Runbook) -> str:
    """How it is run, with a hole for each parameter that must be given."""
    words = ["opssquad runbook run", book.id]
    for name, parameter in book.head.value.parameters.items():
        if parameter.default is None:
            words.append(f"-n {name.upper()}" if name == "namespace" else f"--set {name}={name.upper()}")
    return " ".join(words)


def _spoken(block: Block, book: Runbook) -> Spoken:
    look: Look = block.look
    expects = tuple(map(in_words, look.expect))
    said = Spoken(say=look.say, call=called(look.tool, look.args), expects=expects)
    if not isinstance(look, Step):
        return said
    return said.model_copy(update={"id": look.id, "ways": tuple(_ways(look, book)), "approve": look.approve})


def _ways(step: Step, book: Runbook) -> list[str]:
    ways = []
    for branch in step.branch:
        when = " and ".join(map(in_words, branch.when)) or "else"
        say = f": {' '.join(branch.say.split())}" if branch.say else ""
        ways.append(f"{when} -> {branch.goto}{say}")
    if all(branch.when for branch in step.branch):
        ways.append(f"then -> {STOP if step.approve else book.after(step.id)}")
    return [*ways, f"if not -> {step.on_fail}"] if step.expect or step.on_fail != STOP else ways


def linted(file: Path | None, squad: str, folder: Path | None, faults: Path | None) -> tuple[list[Flaw], int]:
    """What is wrong, by place, and how many runbooks were looked at. Raises UsageError."""
    if file:
        name = squad or _squad_of(file)
        return flaws(read_runbook(file, "organisation"), house(name, faults, signals=True)), 1
    found: list[Flaw] = []
    looked_at = 0
    for name in [squad] if squad else squads():
        known, about = shelf(name, folder), house(name, faults, signals=True)
        found += [*known.unread, *(flaw for book in known.books for flaw in flaws(book, about))]
        looked_at += len(known.books)
    return [*sorted(set(found)), *(_nobodys(folder) if folder else [])], looked_at


def _squad_of(file: Path) -> str:
    """The squad whose folder a file lies in: `<squad>/x.md`, or `<squad>/runbooks/x.md`."""
    folders = [folder.name for folder in file.absolute().parents][:2]
    if name := next((folder for folder in folders if folder in squads()), ""):
        return name
    if len(squads()) == 1:
        return next(iter(squads()))
    raise UsageError(f"which squad is {file} for? Say --squad NAME; {nearest(file.parent.name, squads())}")


def _nobodys(folder: Path) -> list[Flaw]:
    """Files of the organisation's that no squad reads."""
    loose = sorted(path for path in folder.glob("*.md") if path.name.lower() != "readme.md")
    strange = sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in squads())
    return [
        Flaw(str(path), 1, f"nobody reads this: it is in no squad's folder; {nearest(path.name, squads())}")
        for path in (*loose, *strange)
    ]
