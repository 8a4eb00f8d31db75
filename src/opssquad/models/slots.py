"""What an utterance refers to: a workload, a pod ("the first pod"), a number of lines, a node, an image.

Names are only ever those that tools have shown in this conversation; nothing is guessed.
"""

import re
from collections.abc import Iterator

from opssquad.models.base import Case, PastCall
from opssquad.models.hosts import named_hosts
from opssquad.types import Json, Ref

LINES = re.compile(r"\b(?:last|tail|latest)?\s*(\d{1,5})\s*(?:log )?lines?\b")
MINUTES = re.compile(r"\b(?:last|past)\s+(\d{1,4})\s*(minutes?|min|m|hours?|h)\b")
HOUR = re.compile(r"\b(?:last|past)\s+hour\b")
REPLICAS = re.compile(r"\bscale\b.*?\b(?:to|at)?\s*(\d{1,4})\b")
REVISION = re.compile(r"\brev(?:ision)?\s*#?(\d{1,6})\b")
IMAGE = re.compile(r"\b([\w.-]+(?:/[\w.-]+)*(?::[\w.-]+|@sha256:[0-9a-f]+))")
ENV = re.compile(r"\b([A-Z_][A-Z0-9_]*=\S+)")
ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "last": -1}
POD_ORDINAL = re.compile(rf"\b({'|'.join(ORDINALS)})\s+(?:one\b|pod\b)")
PATH = "path"
"""The look that tells what calls what."""
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def slots(case: Case) -> Json:
    """The slots that an utterance and the conversation so far fill; absent ones are left out."""
    low = case.question.lower()
    named = _named(low, workloads(case))
    workload = named or focus(case)
    pods = _pods(case)
    meant = _pod(low, pods)
    pod = meant or (None if POD_ORDINAL.search(low) or not pods else pods[0])
    log = meant or named or pod
    found: Json = {
        **_numbers(low),
        "image": _first(IMAGE, case.question),
        "env": _first(ENV, case.question),
        "workload": workload and workload.model_dump(),
        "pod": pod and pod.model_dump(),
        "log": log and log.model_dump(),
        "node": next((n for n in _nodes(case) if n.lower() in low), None),
        "undo": case.calls[-1].data.get("undo") if case.calls else None,
        **next(iter(named_hosts(f"{case.question} {case.brief}")), {}),
        **_of_path(case),
        "namespace": (workload and workload.namespace) or case.target.namespace,
    }
    return {k: v for k, v in found.items() if v not in (None, "")}


def _of_path(case: Case) -> Json:
    """As the last look at a path tells it: `callee`, host and port of what was called in vain, and `entry`, a
    host by which one comes in from outside."""
    looks = [call.data for call in reversed(case.calls) if call.tool == PATH]
    callee = next((each["callee"] for each in looks if each.get("callee")), None)
    entry = next((each["ways_in"][0] for each in looks if each.get("ways_in")), None)
    return {"callee": callee, "entry": entry}


def _numbers(low: str) -> Json:
    unit = MINUTES.search(low)
    minutes = (
        int(unit[1]) * (60 if unit[2].startswith("h") else 1) if unit else 60 if HOUR.search(low) else 180
    )
    lines, number, revision = (_first(p, low) for p in (LINES, REPLICAS, REVISION))
    return {
        "lines": int(lines or 50),
        "minutes": minutes,
        "number": int(number) if number else None,
        "revision": int(revision or 0),
    }


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def workloads(case: Case) -> list[Ref]:
    """Workloads that tools have shown, the latest first, broken ones before healthy ones of the same call."""
    shown = [r for c in reversed(case.calls) for key in ("matches", "workloads") for r in _refs(c, key)]
    owners = [s.signal.owner for s in case.signals]
    return [r for r in dict.fromkeys([*shown, *owners]) if r.kind in WORKLOADS]


def focus(case: Case) -> Ref | None:
    """The workload the conversation is about: the one named last in a call, else the likeliest culprit."""
    for call in reversed(case.calls):
        if ref := _subject(call, case):
            return ref
    return next((h.component for h in case.differential if h.component.kind in WORKLOADS), None)


def _subject(call: PastCall, case: Case) -> Ref | None:
    name = next((str(call.args[k]) for k in ("deployment", "workload", "name") if call.args.get(k)), "")
    if name:
        return next((r for r in workloads(case) if r.name == name), None)
    matches = _refs(call, "matches")
    return matches[0] if len(matches) == 1 and matches[0].kind in WORKLOADS else None


def _pods(case: Case) -> list[Ref]:
    """The pods shown last. Those seen before a change are not: it may have replaced them."""
    for call in reversed(case.calls):
        if call.check:
            return []
        if pods := _refs(call, "pods"):
            return pods
    return []


def _pod(low: str, shown: list[Ref]) -> Ref | None:
    """The pod that the words name, or count."""
    if match := POD_ORDINAL.search(low):
        index = ORDINALS[match[1]]
        return shown[index] if -len(shown) <= index < len(shown) else None
    return _named(low, shown)


def _named(low: str, refs: list[Ref]) -> Ref | None:
    """The longest name that the utterance holds as a word."""
    hits = [r for r in refs if re.search(rf"(?<![\w-]){re.escape(r.name.lower())}(?![\w-])", low)]
    return max(hits, key=lambda r: len(r.name), default=None)


def _nodes(case: Case) -> Iterator[str]:
    for call in reversed(case.calls):
        yield from (r.name for r in _refs(call, "nodes"))
    yield from (s.signal.entity.name for s in case.signals if s.signal.entity.kind == "Node")


def _refs(call: PastCall, key: str) -> list[Ref]:
    found = []
    for text in call.data.get(key) or []:
        try:
            found.append(Ref.parse(str(text)))
        except ValueError:
            # Another tool may use the key for something else; that is no name to refer to.
            continue
    return found
