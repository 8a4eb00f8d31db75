"""Faults on screen: the catalogue as a table, one fault in words, and those of a past thread with what spoke
for and against them.
"""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from opssquad.cli.knowledge import Described, Explained, Listed, Place, Row, Spoken, Way
from opssquad.cli.render.screen import BAD, GOOD, MARK, MUTED, STRONG, WARN, Screen
from opssquad.cli.text import visible
from opssquad.diagnosis.explaining import Account, Heard, Seen, Unopened
from opssquad.types import called

HEADS = ("ID", "FAULT", "OPENED BY", "ACTIONS")
SHARES = (0.40, 0.35)
"""What titles and signals get of the width that the ids leave; actions get the rest."""
STANDINGS = {"listed": GOOD, "behind": MUTED, "excluded": MUTED}


def show_faults(screen: Screen, found: Listed) -> None:
    """A row for each fault; whose it is where it is not the squad's own."""
    widths = _widths(screen.width, found.faults)
    _row(screen, HEADS, widths, MUTED)
    for each in found.faults:
        cells = (each.id, each.title, " ".join(each.opens), ", ".join(each.actions))
        _row(screen, cells, widths, MUTED if each.place.off else "")
        if said := _whose(each.place):
            screen.flow(said, indent=widths[0] + 2, style=WARN)


def _widths(width: int, rows: Sequence[Row]) -> tuple[int, ...]:
    ids = max([cell_len(HEADS[0]), *(cell_len(visible(row.id)) for row in rows)])
    room = width - ids - 6
    title, opens = (int(room * share) for share in SHARES)
    return ids, title, opens, room - title - opens


def _row(screen: Screen, cells: Sequence[str], widths: Sequence[int], style: str) -> None:
    columns = [textwrap.wrap(visible(cell), width) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*columns, fillvalue=""):
        padded = (part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True))
        screen.line(("  ".join(padded).rstrip(), style))


def _whose(place: Place) -> str:
    """What is said of an entry that is not simply the squad's own."""
    if place.off:
        return f"switched off by the organisation: {place.off}"
    if place.origin == "squad":
        return ""
    how = "replaced by the organisation" if place.replaces else "the organisation's own"
    return f"{how}, {place.file}:{place.line}"


def show_fault(screen: Screen, found: Described) -> None:
    """One fault in words."""
    screen.line((visible(found.id), STRONG), f"  {visible(found.title)}")
    if said := _whose(found.place):
        screen.flow(said, indent=2, first="  ", style=WARN)
    _list(screen, "Opens", found.opens)
    screen.field("Blamed", found.blamed)
    _list(screen, "For", [_clause(each, "must be seen") for each in found.speaks_for])
    _list(screen, "Against", [_clause(each, "must not be seen") for each in found.against])
    _list(screen, "Looks", list(dict.fromkeys(each.call for each in found.speaks_for if each.call)))
    screen.field("Says", found.explanation)
    if found.no_fault:
        screen.field("", "this is no fault: there is nothing to mend", style=MUTED)
    _list(screen, "Actions", [_way(each) for each in found.actions])
    _list(screen, "Not", [str(each) for each in found.inadmissible], style=BAD)
    screen.field("Defined", f"{found.place.file}:{found.place.line}", style=MUTED)


def _list(screen: Screen, label: str, texts: Iterable[str], style: str = "") -> None:
    for text in texts:
        screen.field(label, text, style=style)
        label = ""


def _clause(each: Spoken, must: str) -> str:
    named = f", called {each.name}" if each.name else ""
    return f"{each.clause} ({must if each.required else f'weight {each.weight:g}'}{named})"


def _way(each: Way) -> str:
    needs = f"; only with {each.needs}" if each.needs else ""
    needs += f"; not with {each.unless}" if each.unless else ""
    by_hand = "" if each.action in ("escalate", "none") else f"by hand, on {each.target}"
    how = f"{each.call or by_hand}{needs}".removeprefix("; ")
    return f"{each.action}: {each.label}" + (f" ({how})" if how else "")


def show_accounts(screen: Screen, told: Explained) -> None:
    """The faults of a thread: those that count whole, the others in a line each, unless one was asked for."""
    screen.line((visible(told.thread), STRONG), (f"  {told.signals} signals on record", MUTED))
    if told.off:
        screen.flow(f"{told.asked} is switched off by the organisation: {told.off}", indent=2, first="  ")
        return
    if told.unopened:
        _show_unopened(screen, told.unopened)
    elif not told.faults:
        screen.line("  nothing of the catalogue fits what is on record")
    for each in told.faults:
        if told.asked or each.standing == "listed":
            screen.gap()
            _show_account(screen, each)
    rest = [each for each in told.faults if each.standing != "listed" and not told.asked]
    if rest:
        screen.gap()
        screen.line(("Off the list", MUTED))
    for each in rest:
        said = f"{each.fault} {each.title} at {each.component}: {_why(each)}"
        screen.flow(said, indent=4, first="  - ", style=MUTED)


def _show_account(screen: Screen, found: Account) -> None:
    score = f"{found.confidence}, {found.score:.2f}" if found.standing == "listed" else "off the list"
    head = f"{visible(found.fault)}  {visible(found.title)}"
    screen.line((head, STRONG), (f"  ({score})", STANDINGS[found.standing]))
    said = f": {found.root_cause}" if found.root_cause else ""
    screen.flow(f"at {found.component}{said}", indent=2, first="  ")
    if found.standing != "listed":
        screen.field("Off", _why(found), style=WARN)
    _list(screen, "Opened", [_seen(each) for each in found.opened])
    _list(screen, "For", [_heard(each) for each in found.speaks_for if each.met])
    _list(screen, "Against", [_heard(each) for each in found.against if each.met], style=BAD)
    _list(screen, "Missing", [_heard(each) for each in found.speaks_for if not each.met], style=MUTED)
    looks = (f"{each.label}: {called(each.tool, each.args)}" for each in found.more)
    _list(screen, "Look", looks, style=MARK)
    _list(screen, "Not", [str(each) for each in found.inadmissible], style=BAD)


def _why(found: Account) -> str:
    """Why it does not count."""
    return f"{found.behind} explains it, and fits better" if found.behind else found.because


def _show_unopened(screen: Screen, found: Unopened) -> None:
    screen.gap()
    screen.line((f"{visible(found.fault)}  {visible(found.title)}", STRONG), ("  (never opened)", MUTED))
    _list(screen, "Opens", [_heard(each, weigh=False) for each in found.anchors])
    screen.field("", "nothing on record is that", style=MUTED)


def _heard(each: Heard, *, weigh: bool = True) -> str:
    """A clause, and below it the signals that met it or came near."""
    must = "required" if each.required else f"weight {each.weight:g}"
    shown = [*(f"  {_seen(s)}" for s in each.met), *(f"  near: {_seen(s)}: {s.but}" for s in each.near)]
    return "\n".join([f"{each.clause} ({must})" if weigh else each.clause, *shown])


def _seen(each: Seen) -> str:
    marks = f" [{' '.join(each.evidence)}]" if each.evidence else ""
    return f"{each.signal}: {each.text}{marks}"
