"""The permission sheet of a squad on screen."""

from collections.abc import Iterator

from opssquad.cli.render.screen import BAD, MUTED, STRONG, WARN, Screen
from opssquad.cli.sheet import Permitted, Sheet
from opssquad.cli.text import visible

SAYS = {"allow": "allowed", "ask": "asks", "refuse": "refused"}


def show_sheet(screen: Screen, found: Sheet) -> None:
    """What it may do, with policy's word on it, and what that costs and stands on."""
    screen.line((visible(found.name), STRONG), f"  {visible(found.title)}")
    screen.flow(found.description, indent=2, first="  ")
    for label, text in _head(found):
        screen.field(label, text)
    for title, effect in (("Reads", "read"), ("Changes", "mutate")):
        tools = [tool for tool in found.tools if tool.effect == effect]
        screen.gap()
        screen.line((f"{title} ({len(tools)} tools, {sum(tool.tokens for tool in tools)} tokens)", STRONG))
        for tool in tools:
            _tool(screen, tool)
    screen.gap()
    screen.line(("Destinations of probes", STRONG))
    for rule in found.destinations:
        screen.flow(f"{SAYS[rule.verdict]}: {rule.what} ({rule.place})", indent=4, first="  ")
    screen.gap()
    screen.line((f"Faults ({len(found.faults)})", STRONG))
    for fault in found.faults:
        off = f"; off: {fault.off}" if fault.off else ""
        screen.flow(
            f"{fault.id}  {fault.title} ({fault.place}{off})",
            indent=6,
            first="  ",
            style=MUTED if off else "",
        )
    for said in found.left_out:
        screen.flow(f"left out: {said}", indent=4, first="  ", style=WARN)


def _head(found: Sheet) -> Iterator[tuple[str, str]]:
    limits = found.limits
    yield (
        "Works on",
        f"{found.world}{', with the faults of ' + ', '.join(found.knows) if found.knows else ''}",
    )
    yield (
        "Limits",
        f"{limits.calls_soft} calls (at most {limits.calls_hard}), {limits.seconds:g} s and "
        f"{limits.tokens} tokens a question, {limits.parallel} reads at one time",
    )
    for way in found.hands_over:
        signals = ", ".join(dict.fromkeys(clause.signal for clause in way.when))
        yield "Hands over", f"to {way.to}, when it saw {signals}"
    offered = sum(tool.offered for tool in found.tools)
    chosen = (
        ""
        if offered == len(found.tools)
        else f"; {offered} of {len(found.tools)} tools, chosen by the question"
    )
    yield "Costs", f"about {found.tokens} tokens a first request{chosen}"
    if found.runbooks:
        yield "Runbooks", ", ".join(found.runbooks)
    if found.stands_on:
        yield "Extends", ", ".join(found.stands_on)
    for file in found.files:
        yield "Files", file


def _tool(screen: Screen, tool: Permitted) -> None:
    style = {"allow": "", "ask": WARN if tool.effect == "mutate" else "", "refuse": BAD}[tool.verdict]
    head = f"  {tool.name:<21} {tool.tokens:>4}  "
    why = "" if tool.verdict == "allow" else f", {tool.rule}{': ' + tool.reason if tool.reason else ''}"
    parts = (
        f"{SAYS[tool.verdict]}{why}",
        tool.needs,
        tool.undo,
        tool.source if tool.source != "bundled" else "",
    )
    screen.flow("; ".join(filter(None, parts)), indent=len(head), first=head, style=style)
