"""The text of a probe's result: what was found first, then what was answered, in few lines."""

from collections.abc import Iterable, Sequence

from opssquad import Json, Signal, answers, probe_source

MOST = 40
"""Lines of a result."""
NEVER = ("denied", "not_possible", "not_recorded")
"""Ends of probes that asked nobody."""
LONGEST = 400
"""Characters of a line; the source has it whole."""


def told(found: Sequence[answers.Answer], signals: Iterable[Signal], notes: Iterable[str] = ()) -> str:
    """Signals, notes, and the lines of the answers as far as there is room; the rest is counted."""
    lines = [*(f"{each.id}: {each.text}" for each in signals), *notes]
    for each in found:
        lines += probe_source(each).text.splitlines()
    shown = lines if len(lines) <= MOST else lines[: MOST - 1]
    rest = [f"... and {len(lines) - len(shown)} lines more"] if len(lines) > len(shown) else []
    cut = (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in shown)
    return "\n".join([*cut, *rest])


def barred(found: Sequence[answers.Answer]) -> Json:
    """What policy or this machine kept us from asking, as data of a result: it stays unknown."""
    kept = [each for each in found if each.end in ("denied", "not_possible")]
    return ({"unread": _reasons(kept)} if kept else {}) | unasked(found)


def unasked(found: Sequence[answers.Answer]) -> Json:
    """That nobody was asked at all, as data of a result: that it shows nothing wrong says nothing then."""
    return {"unasked": _reasons(found)} if all(each.end in NEVER for each in found) else {}


def _reasons(found: Iterable[answers.Answer]) -> list[Json]:
    return [{"what": probe_source(each).locator, "why": each.why} for each in found]
