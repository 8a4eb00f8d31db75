"""What earlier looks have shown of a revision whose pods may be gone, and the text that it stands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opssquad import History, Json, Known, Quote, Ref, Signal, Stretch, duration, judged, replaced

from ._kube import ref, uid
from ._observing import revision_of
from ._revisions import Revision, previous

MOST_LINES = 40
"""Stretches that are told one by one, the last ones; what they prove counts all of them."""


UNSEEN = "no look at it is kept, and a cluster keeps no record of pods that are gone"
_VERDICTS = {"ok": "ran well", "risk": "did not run well", "unknown": "not known"}


@dataclass(frozen=True)
class Past:
    """What is known of a revision, and where it can be read."""

    number: int
    known: Known
    source: Quote

    @property
    def words(self) -> str:
        """The whole of it in one line."""
        return self.known.text

    def signal(self, workload: Ref) -> Signal:
        """The same as a fact that can be cited. What a revision did that does not run is no fault of now."""
        name = {"ok": "revision.steady", "risk": "revision.unsteady", "unknown": "revision.unproven"}
        known = self.known
        return Signal(
            id=name[known.verdict],
            entity=workload,
            text=f"{workload.name} revision {self.number}: {known.text}",
            severity="info",
            at=known.steady_since or known.begun,
            until=known.ended,
            data={"revision": self.number, "restarts": known.restarts, "verdict": known.verdict},
            quotes=(Quote(locator=self.source.locator, text=known.text),),
        )

    def data(self) -> Json:
        """What is known, as it stands in a result's data."""
        return self.known.model_dump(mode="json")


async def kept_of(history: History, workload: Json) -> Sequence[Stretch]:
    """All that is kept of a workload."""
    return await history.of(uid(workload)) if uid(workload) else ()


def past(workload: Json, revision: Revision, kept: Sequence[Stretch]) -> Past | None:
    """What is known of a revision of it; None where it was never looked at."""
    key = revision_of(revision.keeper)
    mine = [each for each in kept if each.revision == key]
    others = [each for each in kept if each.revision != key]
    until = None if revision.current else revision.until or replaced(mine, others)
    known = judged(mine, until)
    if known is None:
        return None
    locator = f"History {ref(workload)} revision {revision.number}"
    lines = [f"revision {revision.number} (template {key}): {known.text}", *map(_line, mine[-MOST_LINES:])]
    return Past(revision.number, known, Quote(locator=locator, text="\n".join(lines)))


def pasts(
    workload: Json, history: Sequence[Revision], kept: Sequence[Stretch]
) -> dict[tuple[int, str], Past | None]:
    """What is known of each revision that one can return to or that runs, by number and what it is: the
    current one, the one before it, or another; newest first."""
    ordered = sorted(history, key=lambda each: each.number)
    before = previous(ordered)
    found = {}
    for each in reversed(ordered):
        if each.kept:
            what = " [current]" if each.current else " [the one before]" if each is before else ""
            found[each.number, what] = past(workload, each, kept)
    return found


def told(ran: Mapping[tuple[int, str], Past | None]) -> list[str]:
    """How they ran, a line each; that it is not known is said of the one before, where people ask for it."""
    lines = []
    for (number, what), each in ran.items():
        if each:
            lines.append(f"{number:>3}{what} {_VERDICTS[each.known.verdict]}: {each.known.text}")
        elif what == " [the one before]":
            lines.append(f"{number:>3}{what} not known: {UNSEEN}")
    return ["How they ran, as far as looks at them are kept:", *lines] if lines else []


def _line(each: Stretch) -> str:
    apart = f", at most {duration(each.gap)} apart" if each.looks > 1 else ""
    many = f"{each.looks} look{'s' * (each.looks != 1)}{apart}"
    return f"{_at(each.begun)} to {_at(each.ended)}, {many}: {each.words()}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
