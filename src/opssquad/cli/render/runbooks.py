"""Runbooks on screen: the list, and one with its steps in plain words."""

import re

from opssquad.cli.render.screen import MARK, MUTED, STRONG, WARN, Screen
from opssquad.cli.runbooks import Described, Listed, Part, Spoken
from opssquad.cli.text import visible

OWN_LINE = re.compile(r"^ *(?:[-*+]|\d+[.)]|#+|>|\|) ?")
"""What begins a line of its own in Markdown: an item, a heading, a quote, a row of a table."""


def show_runbooks(screen: Screen, found: Listed) -> None:
    """A line for each runbook, and each file that cannot be read."""
    width = max((len(row.id) for row in found.runbooks), default=0) + 2
    several = len({row.squad for row in found.runbooks}) > 1
    for before, row in zip((None, *found.runbooks), found.runbooks, strict=False):
        if several and (before is None or before.squad != row.squad):
            screen.line((row.squad, STRONG))
        about = f" ({', '.join(row.faults)})" if row.faults else ""
        screen.flow(f"{row.title}{about}", indent=width, first=f"{visible(row.id):<{width}}")
        if row.origin == "organisation":
            screen.flow(f"the organisation's own, {row.file}", indent=width, style=MUTED)
    for said in found.unread:
        screen.flow(f"cannot be read: {said}", indent=2, style=WARN)
    if not found.runbooks and not found.unread:
        screen.line("no runbook is known")


def show_runbook(screen: Screen, found: Described) -> None:
    """The whole of one: prose as it is written, steps in words."""
    screen.line((visible(found.row.id), STRONG), f"  {visible(found.row.title)}")
    for label, text in (("For", ", ".join(found.row.faults)), ("Defined", found.row.file)):
        if text:
            screen.field(label, text, style=MUTED)
    for name, parameter in found.parameters.items():
        default = f" (else {parameter.default})" if parameter.default is not None else ""
        screen.field("Takes", f"{name}: {parameter.about}{default}")
    for each in found.not_looked_at:
        screen.field("Not", f"looked at: {each}")
    screen.command(found.run, indent=2)
    for section in found.sections:
        _show(screen, section)


def _show(screen: Screen, section: Part) -> None:
    screen.gap()
    screen.line((visible(section.name), STRONG))
    for part in section.parts:
        if isinstance(part, Spoken):
            _step(screen, part)
        else:
            screen.flow(reflowed(part), indent=2)


def reflowed(markdown: str) -> str:
    """Paragraphs with each on a line of its own, for the screen to fold; lists and code stay as they are."""
    told: list[str] = []
    code = False
    for line in markdown.splitlines():
        fence = line.lstrip().startswith(("```", "~~~"))
        begins = fence or code or not line.strip() or OWN_LINE.match(line)
        if begins or not told or not told[-1].strip() or told[-1].lstrip().startswith(("```", "~~~")):
            told.append(line)
        else:
            told[-1] = f"{told[-1]} {line.strip()}"
        code ^= fence
    return "\n".join(told)


def _step(screen: Screen, step: Spoken) -> None:
    title = f"[{step.id}]" if step.id else "[steady state, before and after]"
    asks = " (asks first)" if step.approve else ""
    screen.flow(f"{step.say}{asks}", indent=4, first=f"  {visible(title)} ", style=MARK)
    screen.flow(step.call, indent=6, first="    → ", style=MUTED)
    for each in step.expects:
        screen.flow(each, indent=6, first="    expects ")
    for each in step.ways:
        screen.flow(each, indent=6, first="    ")
