"""Calls that fail from the pods of one node alone, while others of the same workload make them elsewhere.

That is told of logs that were read together: of pods on one node only, or of a single pod, nothing follows.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from opssquad import Ref, Signal

from .._digest import when
from .._kube import dig, owner, ref
from .._loglines import Entry
from ._case import Case, quote_line
from ._scene import make
from .calls import GRAVE
from .lookups import failed_lookup

DNS = "the DNS"
ENOUGH = 3
"""Failures that are no accident."""


def fail_by_node(case: Case) -> Iterator[Signal]:
    """`calls.fail_by_node`, by what is called."""
    failed: dict[str, list[Entry]] = defaultdict(list)
    for entry in case.entries:
        call = case.called.get(id(entry))
        if case.reads[entry.origin].previous:
            continue
        if call and call.failures:
            data = case.callee(entry, call, "target")
            failed[str(data.get("service") or data.get("target") or "")].append(entry)
        elif entry.level in GRAVE and failed_lookup(entry.text, grave=True):
            failed[DNS].append(entry)
    for callee, entries in failed.items():
        if len(entries) >= ENOUGH and (found := _alone(case, entries)):
            yield _told(case, callee, entries, *found)


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


def _told(case: Case, callee: str, entries: list[Entry], node: str, well: list[int]) -> Signal:
    failing = list(dict.fromkeys(str(ref(case.reads[each.origin].pod)) for each in entries))
    others = [str(ref(case.reads[each].pod)) for each in well]
    last = entries[-1]
    where = Ref(kind="Node", name=node)
    what = Ref.parse(callee).name if callee.startswith("Service/") else callee or "others"
    return make(
        "calls.fail_by_node",
        where,
        where,
        f"calls to {what} fail only from node {node}: {len(entries)} times in the logs of {len(failing)} of "
        f"its pods, last at {when(last.at, case.now)}; {len(others)} elsewhere tell of none",
        [quote_line(case.reads[last.origin], last, "")],
        at=entries[0].at,
        data={
            "node": node,
            "service": callee if callee.startswith("Service/") else "",
            "target": "" if callee.startswith("Service/") else callee,
            "pods": failing,
            "well": others,
            "count": len(entries),
            "used_by": list(dict.fromkeys(str(owner(case.reads[each.origin].pod)) for each in entries)),
        },
    )
