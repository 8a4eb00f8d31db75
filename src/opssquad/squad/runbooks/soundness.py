"""What can be wrong with a runbook that has the right types: sections and steps that lack, calls that no tool
takes, ways that lead nowhere or round and round. Pure; each flaw has its file and line.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from opssquad.diagnosis.fitting import of_call
from opssquad.diagnosis.soundness import Flaw, Place, Said, located, nearest
from opssquad.squad.runbooks.book import (
    CONTINUE,
    RESERVED,
    SECTIONS,
    STOP,
    WITH_STEPS,
    Block,
    Branch,
    Condition,
    Look,
    Runbook,
    Step,
)
from opssquad.templates import holes_of
from opssquad.toolbox import Toolbox

MOST = 20
"""Steps of one runbook: the calls of a question are counted, the checks before and after among them."""
CHECKS = 4
"""Looks at the steady state, each of which is a call before and one after."""
FACTS = ("target",)


@dataclass(frozen=True)
class House:
    """What a runbook may name: the tools of its squad, the ids of its faults, the signals that tools give
    (none: they are not looked at)."""

    toolbox: Toolbox
    faults: Collection[str]
    signals: Collection[str] = ()


def flaws(book: Runbook, house: House) -> list[Flaw]:
    """What is wrong, by place."""
    file = str(book.file)
    found = [*_of_head(book, house), *_of_sections(book), *_of_blocks(book)]
    for block in book.blocks:
        name = block.look.id if isinstance(block.look, Step) else "steady"
        found += located(book.file, block.placed, (), name, _of_look(book, block.look, house))
    if not found:
        # Where the steps are not sound by themselves, where they lead says nothing.
        found += [Flaw(file, line, text) for line, text in _of_ways(book)]
    return sorted(set(found))


def _of_head(book: Runbook, house: House) -> Iterator[Flaw]:
    head = book.head.value
    said: list[tuple[Place, str]] = []
    if head.id != book.file.stem:
        said.append((("id",), f"the file is called {book.file.name}; name it {head.id}.md, or change the id"))
    for index, fault in enumerate(head.faults):
        if fault not in house.faults:
            said.append(
                (("faults", index), f"the squad has no fault {fault!r}; {nearest(fault, house.faults)}")
            )
    said += list(_holes(("target",), head.target, head.parameters))
    for name in head.parameters:
        if name in FACTS or not name.isidentifier():
            said.append((("parameters", name), f"{name!r} cannot be a parameter; take a word of its own"))
    yield from located(book.file, book.head, (), "front matter", iter(said))


def _of_sections(book: Runbook) -> Iterator[Flaw]:
    names = [section.name for section in book.sections]
    for name in SECTIONS:
        if name not in names:
            yield Flaw(str(book.file), 1, f"the section `## {name}` is missing; {nearest(name, names)}")
    known = [section for section in book.sections if section.name in SECTIONS]
    for number, section in enumerate(known):
        earlier = [other.name for other in known[:number]]
        if section.name in earlier:
            yield Flaw(str(book.file), section.line, f"`## {section.name}` stands here a second time")
        elif any(SECTIONS.index(name) > SECTIONS.index(section.name) for name in earlier):
            yield Flaw(str(book.file), section.line, f"`## {section.name}` comes before {earlier[-1]}")
        if not section.parts:
            yield Flaw(str(book.file), section.line, f"`## {section.name}` says nothing")


def _of_blocks(book: Runbook) -> Iterator[Flaw]:
    """Blocks at the wrong place, too many of them or too few."""
    file, seen = str(book.file), set[str]()
    steady = [block for block in book.blocks if not isinstance(block.look, Step)]
    steps = [block for block in book.blocks if isinstance(block.look, Step)]
    for block in book.blocks:
        if block.section not in WITH_STEPS:
            yield Flaw(file, block.line, f"no step can stand here; they are in {', '.join(WITH_STEPS)}")
    if not steady:
        yield Flaw(file, 1, "the steady-state check is missing: a block `yaml steady` under Diagnosis")
    if len(steady) > CHECKS:
        yield Flaw(file, steady[CHECKS].line, f"more than {CHECKS} checks of the steady state")
    for block in steps:
        id = block.placed.value.id
        if id in RESERVED:
            yield Flaw(file, block.placed.line("id"), f"{id!r} has a meaning of its own; take another id")
        if id in seen:
            yield Flaw(file, block.placed.line("id"), f"another step has the id {id!r}")
        seen.add(id)
    if not any(block.section == "Diagnosis" for block in steps):
        yield Flaw(file, 1, "there is no step under Diagnosis, so a run has nothing to begin with")
    if len(steps) > MOST:
        yield Flaw(file, steps[MOST].line, f"more than {MOST} steps; part the runbook in two")


def _of_look(book: Runbook, look: Look, house: House) -> Said:
    """What is wrong with one step or check by itself."""
    yield from of_call((), look.tool, look.args, house.toolbox)
    yield from _values(look, house.toolbox)
    names = _names(book)
    yield from _holes(("say",), look.say, names)
    yield from _holes(("args",), look.args, names)
    mutates = look.tool in house.toolbox and house.toolbox.get(look.tool).effect == "mutate"
    for index, each in enumerate(look.expect):
        yield from _condition(("expect", index), each, names, house, mutates)
    if not isinstance(look, Step):
        if mutates:
            yield ("tool",), f"{look.tool} changes things; the steady state is only looked at"
        if not look.expect:
            yield ("expect",), "say what the steady state is"
        return
    if look.tool in house.toolbox and mutates != look.approve:
        how = "it changes something: say `approve: true`" if mutates else "it only reads; leave `approve` out"
        yield ("approve",), how
    if look.on_fail not in (STOP, CONTINUE, *book.steps):
        yield ("on_fail",), f"there is no step {look.on_fail!r}; {nearest(look.on_fail, _targets(book))}"
    for index, branch in enumerate(look.branch):
        yield from _branch(("branch", index), branch, book, names, house, mutates)


def _branch(
    place: Place, branch: Branch, book: Runbook, names: Collection[str], house: House, mutates: bool
) -> Said:
    if branch.goto not in (STOP, *book.steps):
        yield (
            (*place, "goto"),
            f"there is no step {branch.goto!r}; {nearest(branch.goto, (STOP, *book.steps))}",
        )
    if branch.say and branch.goto != STOP:
        yield (*place, "say"), "has no effect; it says what is left where a walk stops"
    yield from _holes((*place, "say"), branch.say, names)
    for index, each in enumerate(branch.when):
        yield from _condition((*place, "when", index), each, names, house, mutates)


def _condition(place: Place, each: Condition, names: Collection[str], house: House, mutates: bool) -> Said:
    for id in each.signals if each.signal else ():
        known = any(fnmatchcase(one, id) or fnmatchcase(id, one) for one in house.signals)
        if house.signals and not known:
            yield (*place, "signal"), f"no tool gives {id!r}; {nearest(id, house.signals)}"
    if each.check and not mutates:
        yield (*place, "check"), "only a change is followed by a check"
    yield from _holes((*place, "where"), each.where, names)
    yield from _holes((*place, "data"), each.data, names)


def _values(look: Look, toolbox: Toolbox) -> Said:
    """Arguments that the tool would refuse, as far as they stand there and not in a hole."""
    if look.tool not in toolbox:
        return
    fixed = {name: value for name, value in look.args.items() if not holes_of(value)}
    try:
        toolbox.get(look.tool).args.model_validate(fixed)
    except ValidationError as error:
        for each in error.errors():
            if each["loc"] and each["loc"][0] in fixed and each["type"] != "extra_forbidden":
                yield ("args", str(each["loc"][0])), each["msg"]


def _names(book: Runbook) -> list[str]:
    """What holes may name: parameters, the target, and the signals that steps give a name."""
    named = [each.name for block in book.blocks for each in _conditions(block) if each.name]
    return sorted({*book.head.value.parameters, *FACTS, *named})


def _conditions(block: Block) -> Iterator[Condition]:
    yield from block.look.expect
    for branch in block.look.branch if isinstance(block.look, Step) else ():
        yield from branch.when


def _holes(place: Place, value: Any, names: Collection[str]) -> Said:
    for hole in holes_of(value):
        if (head := hole.partition(".")[0]) not in names:
            yield place, f"nothing fills {{{hole}}}; {nearest(head, names)}"


def _targets(book: Runbook) -> Sequence[str]:
    return (STOP, CONTINUE, *book.steps)


def _of_ways(book: Runbook) -> Iterator[tuple[int, str]]:
    """Steps that nothing leads to, and ways that come back to where they were."""
    lines = {b.look.id: b.line for b in book.blocks if isinstance(b.look, Step)}
    reached = {book.first()}
    for id in book.steps:
        reached |= set(_onward(book, id))
    for id in book.steps:
        if id not in reached:
            yield lines[id], f"{id}: no step leads here; a branch or on_fail has to"
    if way := _round(book, book.first(), ()):
        yield lines[way[0]], f"{way[0]}: this goes round and round: {' -> '.join(way)}"


def _onward(book: Runbook, id: str) -> list[str]:
    """The steps that may come next."""
    step = book.steps[id]
    ways = [branch.goto for branch in step.branch]
    ways.append(book.after(id) if step.on_fail == CONTINUE else step.on_fail)
    always = any(not branch.when for branch in step.branch)
    if not step.approve and not always:
        ways.append(book.after(id))
    return [way for way in dict.fromkeys(ways) if way in book.steps]


def _round(book: Runbook, id: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """The first way that comes back to a step that it has passed; empty if there is none."""
    if id in before:
        return (*before[before.index(id) :], id)
    found = (_round(book, way, (*before, id)) for way in _onward(book, id))
    return next((way for way in found if way), ())
