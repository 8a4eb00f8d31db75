"""Lines of a check-up on screen: how it stands, what it is about, what was seen and what to do."""

from collections.abc import Iterable
from typing import Protocol

from opssquad.cli.render.screen import BAD, WARN, Screen

_STYLE = {"ok": "", "warn": WARN, "fail": BAD}


class Seen(Protocol):
    """One line: `state` is ok, warn or fail."""

    @property
    def state(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...


def show_findings(screen: Screen, found: Iterable[Seen]) -> bool:
    """Print each line; returns whether something failed."""
    failed = False
    for line in found:
        head = f"  {line.state:<5} {line.name:<11} "
        screen.flow(line.text, indent=len(head), first=head, style=_STYLE[line.state])
        failed = failed or line.state == "fail"
    return failed
