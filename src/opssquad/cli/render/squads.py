"""Squads and tools on screen, from their files."""

from collections.abc import Iterable

from opssquad.cli.render.screen import GOOD, MUTED, STRONG, WARN, Screen
from opssquad.extensions import library
from opssquad.squad.known import known, squad
from opssquad.toolbox import Tool


def show_squads(screen: Screen) -> None:
    """Every squad with what it is for. Raises UsageError for a broken file."""
    there = known()
    for name, each in there.found.items():
        spec = each.spec()
        screen.line((f"{name:<10} ", STRONG), spec.title)
        screen.flow(spec.description, indent=11, style=MUTED)
    for left_out in there.broken:
        screen.flow(f"left out: {left_out}", style=WARN)


def show_squad(screen: Screen, name: str) -> None:
    """One squad: what it is for, its limits and its tools. Raises UsageError."""
    spec = squad(name).spec()
    screen.line((spec.name, STRONG), f"  {spec.title}")
    screen.flow(spec.description, indent=2, first="  ")
    limits = spec.limits
    screen.field(
        "Limits", f"{limits.calls_soft} calls (at most {limits.calls_hard}), {limits.seconds:g} s a question"
    )
    screen.field("Files", ", ".join(str(layer.folder) for layer in squad(name).layers))
    screen.gap()
    show_tools(screen, library.tools(spec.tools))


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, its line breaks undone."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return sentence + stop.rstrip()


def show_tools(screen: Screen, tools: Iterable[Tool]) -> None:
    """Tools by name, whether they only read, and what they do."""
    for tool in tools:
        style = GOOD if tool.effect == "read" else WARN
        what = first_sentence(tool.description)
        head = f"  {tool.name:<15} {'reads' if tool.effect == 'read' else 'changes, asks':<14} "
        screen.flow(what, indent=len(head), first=head, style=style if tool.effect != "read" else "")
