"""Lines of a check-up on screen: how it stands, what it is about, what was seen and what to do."""

from collections.abc import Iterable

from opssquad.cli.render.screen import BAD, WARN, Screen
from opssquad.store.finding import Finding

_STYLE = {"ok": "", "warn": WARN, "fail": BAD}


def show_findings(screen: Screen, found: Iterable[Finding]) -> bool:
    """Print each line; returns whether something failed."""
    failed = False
    for line in found:
        head = f"  {line.state:<5} {line.name:<11} "
        screen.flow(line.text, indent=len(head), first=head, style=_STYLE[line.state])
        failed = failed or line.state == "fail"
    return failed
