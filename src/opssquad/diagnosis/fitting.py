"""Whether a catalogue fits the tools of its squad: calls that can be made, signals that one of them gives."""

from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase

from opssquad.diagnosis.catalogue import Clause, Fault, Show
from opssquad.diagnosis.soundness import Place, Said, nearest
from opssquad.toolbox import Toolbox
from opssquad.types import Json


def of_calls(fault: Fault, toolbox: Toolbox) -> Said:
    """Actions whose tool the squad lacks, or that the tool would not take."""
    for index, remedy in enumerate(fault.actions):
        if remedy.tool:
            yield from of_call(("actions", index), remedy.tool, remedy.args, toolbox)
        elif remedy.args:
            yield ("actions", index, "args"), "there is no tool to give them to"


def of_looks(shows: Iterable[tuple[str, Show]], toolbox: Toolbox) -> Said:
    """Calls that are to show a signal and cannot be made, or that would change something."""
    for key, show in shows:
        yield from of_call((key,), show.tool, show.args, toolbox)
        if show.tool in toolbox and toolbox.get(show.tool).effect != "read":
            yield (key, "tool"), f"{show.tool} changes things; a signal is shown by a tool that reads"


def of_call(place: Place, tool: str, args: Json, toolbox: Toolbox) -> Said:
    """A call whose tool the squad lacks, or that the tool would not take."""
    if tool not in toolbox:
        near = nearest(tool, [each.name for each in toolbox])
        yield (*place, "tool"), f"the squad has no tool {tool!r}; {near}"
        return
    schema = toolbox.get(tool).parameters()
    known = schema.get("properties", {})
    for name in args:
        if name not in known:
            yield (*place, "args", name), f"{tool} takes no {name!r}; {nearest(name, known)}"
    lacking = [name for name in schema.get("required", []) if name not in args]
    if lacking:
        yield (*place, "args"), f"{tool} cannot be called without {', '.join(lacking)}"


def of_signals(fault: Fault, known: Collection[str]) -> Said:
    """Clauses that no tool can ever fulfil. `known` are ids or, where a tool makes them up, patterns."""
    for place, clause in _placed(fault):
        if not any(fnmatchcase(id, clause.signal) or fnmatchcase(clause.signal, id) for id in known):
            yield (*place, "signal"), f"no tool gives {clause.signal!r}; {nearest(clause.signal, known)}"


def _placed(fault: Fault) -> Iterator[tuple[Place, Clause]]:
    sides = (("anchor", fault.anchor), ("for", fault.speaks_for), ("against", fault.against))
    for side, clauses in sides:
        for index, clause in enumerate(clauses):
            yield (side, index), clause
