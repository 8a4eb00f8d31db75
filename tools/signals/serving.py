"""Logs that show a workload at work: of late it answered or did what it does, and nothing grave was said.

What a log does not tell, such as how long an answer took, is not known to be well by it.
"""

from datetime import timedelta

from opssquad import Signal, duration

from .._digest import Group
from .._loglines import Entry
from ._case import OLD, Case

LATELY = timedelta(minutes=10)
ENOUGH = 3
"""Lines that a workload at work has written lately at least."""
GRAVE = frozenset({"fatal", "error"})


def at_work(case: Case) -> list[Signal]:
    """`log.serving`, where the newest lines tell of work and none of trouble; of requests if it has any."""
    if any(_failed(each) and _within(case, each, OLD) for each in case.entries):
        return []
    lately = [each for each in case.entries if _within(case, each, LATELY)]
    requests = [each for each in lately if each.access]
    work = requests or lately
    if len(work) < ENOUGH:
        return []
    what = "requests answered" if requests else "lines"
    words = f"{len(work)} {what} in the last {duration(LATELY)}, none failed"
    found = Group(words, "info", len(work), work[0], work[-1])
    return [case.signal("log.serving", found, words, "", "info", {"requests": len(requests)})]


def _failed(entry: Entry) -> bool:
    return entry.level in GRAVE or bool(entry.access and entry.access.status >= 500)


def _within(case: Case, entry: Entry, span: timedelta) -> bool:
    return entry.at is not None and case.now - entry.at <= span
