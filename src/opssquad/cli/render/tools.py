"""Tools on screen: the list, and one as a model sees it."""

from opssquad.cli.render.screen import MUTED, STRONG, WARN, Screen
from opssquad.cli.render.squads import first_sentence
from opssquad.cli.text import visible
from opssquad.cli.tools import Described, Listed, Row, place
from opssquad.types import Json

CHANGES = {"read": "reads", "mutate": "changes, asks"}


def show_list(screen: Screen, found: Listed) -> None:
    """A tool each, whether it only reads, what it does; then its squads, source and cost."""
    width = max((len(row.name) for row in found.tools), default=0) + 1
    for row in found.tools:
        head = f"  {row.name:<{width}} {CHANGES[row.effect]:<14} "
        style = WARN if row.effect == "mutate" else ""
        screen.flow(first_sentence(row.description), indent=len(head), first=head, style=style)
        screen.flow(_about(row), indent=len(head), first=" " * len(head), style=MUTED)
    for said in found.left_out:
        screen.flow(f"left out: {visible(said)}", indent=4, first="  ", style=WARN)
    if not found.tools and not found.left_out:
        screen.line("no tools of your own yet; make one with: opssquad tool new NAME")


def show_one(screen: Screen, found: Described) -> None:
    """One tool: what a model reads of it, and what the house does about it."""
    row = found.row
    screen.line((visible(row.name), STRONG), f"  {CHANGES[row.effect]}")
    screen.flow(row.description, indent=2, first="  ")
    for name, about in found.parameters.get("properties", {}).items():
        needed = "" if name in found.parameters.get("required", []) else f" (else {about.get('default')!r})"
        screen.field("Takes", f"{name}: {_type(about)}{needed}{_said(about)}")
    for label, text in (
        ("Uses", ", ".join(found.handles)),
        ("Gives", ", ".join(found.signals)),
        ("Also", ", ".join(found.roles)),
        ("Undo", f"it cannot be undone: {found.irreversible}" if found.irreversible else ""),
        ("Squads", ", ".join(row.squads) or "none: add squads=[...] to it"),
        ("Costs", f"about {row.tokens} tokens a request, at most {found.deadline:g} s a call"),
        ("Source", f"{row.source}, {place(found.file)}"),
    ):
        if text:
            screen.field(label, text, style=MUTED)


def _about(row: Row) -> str:
    source = "" if row.source == "bundled" else f"{row.source}; "
    return f"{source}{', '.join(row.squads) or 'in no squad'}; {row.tokens} tokens"


def _type(about: Json) -> str:
    kinds = [str(each.get("type", "")) for each in about.get("anyOf", [about])]
    return " or ".join(filter(None, kinds)) or "any"


def _said(about: Json) -> str:
    text = about.get("description", "")
    return f", {text}" if text else ""
