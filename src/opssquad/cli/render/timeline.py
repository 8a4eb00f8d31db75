"""An incident's timeline on screen: `HH:MM - text`, the zone named once."""

from opssquad.cli import text as plain
from opssquad.cli.render.screen import MUTED, Screen


def show_timeline(screen: Screen, text: str) -> None:
    """Draw the rendered timeline; each entry hangs below its time."""
    for line in plain.lines(text.strip()):
        head, dash, rest = line.partition(" - ")
        if dash and len(head) == 5:
            screen.flow(rest, indent=10, first=f"  {head} - ")
        else:
            screen.flow(line, indent=2, first="  ", style=MUTED)
