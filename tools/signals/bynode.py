"""Calls that fail from the pods of one node alone, while others of the same workload make them elsewhere.

That is told of logs that were read together: of pods on one node only, or of a single pod, nothing follows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from opssquad import Ref, Signal

from .._digest import when
from .._kube import dig, owner, ref
from .._loglines import Entry
from .._text import some
from ._case import Case, quote_line
from ._scene import make
from .calls import ANSWERED, GRAVE, REFUSED, RESET, TIMEOUT
from .lookups import failed_lookup
from .strangers import CERTIFICATE, met

DNS, DATES = "the DNS", "certificates by their dates"
ENOUGH, MOST = 3, 3
"""Failures that are no accident; callees that are named."""
BY_CLOCK = frozenset({"not_yet_valid", "expired"})
"""What a clock that is wrong says of every certificate, whoever shows it."""
WHY = {
    TIMEOUT.signal: "timeout",
    REFUSED.signal: "refused",
    RESET.signal: "reset",
    ANSWERED.signal: "answered",
}
SAID = {
    "not_yet_valid": "not yet valid",
    "unknown_authority": "of an unknown authority",
    "wrong_name": "of another name",
}


@dataclass(frozen=True)
class Failed:
    """A call that failed: the entry that tells it, why, whom it was made to as far as that is known, and with
    which others it is counted."""

    entry: Entry
    why: str
    callee: str
    alike: str


def fail_by_node(case: Case) -> Iterator[Signal]:
    """`calls.fail_by_node`, by what is called; complaints about certificates apart, those about their dates
    together. `data.why` is what most of them fail by."""
    groups: dict[str, list[Failed]] = defaultdict(list)
    for entry in case.entries:
        if not case.reads[entry.origin].previous and (failed := _failed(case, entry)):
            groups[failed.alike].append(failed)
    for failures in groups.values():
        if len(failures) >= ENOUGH and (found := _alone(case, [each.entry for each in failures])):
            yield _told(case, failures, *found)


def _failed(case: Case, entry: Entry) -> Failed | None:
    call = case.called.get(id(entry))
    data = case.callee(entry, call, "target") if call else {}
    callee = str(data.get("service") or data.get("target") or "")
    grave = entry.level in GRAVE
    complaint = next((why for name, why, _ in met(entry.text) if name == CERTIFICATE), "") if grave else ""
    if complaint:
        alike = DATES if complaint in BY_CLOCK else f"{CERTIFICATE} {callee}"
        return Failed(entry, complaint, callee, alike)
    lookup = failed_lookup(entry.text, grave=True) if grave else None
    if call and call.failures:
        late = TIMEOUT in call.failures
        why = (
            "unresolved" if lookup and not late else WHY[TIMEOUT.signal if late else call.failures[0].signal]
        )
        return Failed(entry, why, callee, callee)
    return Failed(entry, "unresolved", DNS, DNS) if lookup else None


def _alone(case: Case, entries: list[Entry]) -> tuple[str, list[int]] | None:
    """The node from which alone it fails, and the logs of pods elsewhere that show none of it meanwhile."""
    failing = {each.origin for each in entries}
    nodes = {_node(case, each) for each in failing}
    times = [each.at for each in entries if each.at]
    if len(nodes) != 1 or not times:
        return None
    node, whose = nodes.pop(), {owner(case.reads[each].pod) for each in failing}
    others = [
        index
        for index, read in enumerate(case.reads)
        if index not in failing and not read.previous and owner(read.pod) in whose
    ]
    if not node or any(_node(case, each) == node for each in others):
        return None
    well = [each for each in others if _at_work(case, each, min(times), max(times))]
    return (node, well) if well else None


def _node(case: Case, index: int) -> str:
    return str(dig(case.reads[index].pod, "spec", "nodeName", default=""))


def _at_work(case: Case, index: int, first: datetime, last: datetime) -> bool:
    """Whether a log tells of work while the calls of others failed."""
    return any(each.origin == index and each.at and first <= each.at <= last for each in case.entries)


def _told(case: Case, failures: list[Failed], node: str, well: list[int]) -> Signal:
    entries = [each.entry for each in failures]
    failing = list(dict.fromkeys(str(ref(case.reads[each.origin].pod)) for each in entries))
    others = [str(ref(case.reads[each].pod)) for each in well]
    last = entries[-1]
    where = Ref(kind="Node", name=node)
    why = Counter(each.why for each in failures).most_common(1)[0][0]
    callees = list(dict.fromkeys(each.callee for each in failures))
    callee = callees[0] if len(callees) == 1 else ""
    service = callee if callee.startswith("Service/") else ""
    return make(
        "calls.fail_by_node",
        where,
        where,
        f"{_what(callees, why, failures)} fail only from node {node}: {len(entries)} times in the logs of "
        f"{len(failing)} of its pods, last at {when(last.at, case.now)}; {len(others)} elsewhere tell "
        "of none",
        [quote_line(case.reads[last.origin], last, "")],
        at=entries[0].at,
        data={
            "node": node,
            "why": why,
            "service": service,
            "target": "" if service else callee,
            "pods": failing,
            "well": others,
            "count": len(entries),
            "used_by": list(dict.fromkeys(str(owner(case.reads[each.origin].pod)) for each in entries)),
        },
    )


def _what(callees: list[str], why: str, failures: list[Failed]) -> str:
    named = some([Ref.parse(c).name if c.startswith("Service/") else c or "others" for c in callees], MOST)
    complained = failures[0].alike == DATES or failures[0].alike.startswith(CERTIFICATE)
    by = f", by certificates that are called {SAID.get(why, why)}," if complained else ""
    return f"calls to {named}{by}"
