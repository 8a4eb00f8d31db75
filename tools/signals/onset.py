"""When the trouble of a workload began, and which changes came shortly before it: a cause comes first.

Of the changes those are named that touch the workload, or every workload (nodes, webhooks, quotas of its
namespace); what came after is told apart, since it cannot be the cause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Signal, clock_time, duration, rfc3339

from .._entry import Entry
from .._kube import first_seen, last_seen, quote_at, ref
from .._pods import is_ready, is_terminating
from ._scene import STALE, Scene, event_quotes, make
from .containers import trouble_since
from .recovery import troubled
from .replicas import KINDS, desired, ready

SHORTLY = timedelta(minutes=30)
"""How long before the onset a change is named; a pod that starts later may suffer from an older one."""
SAME = timedelta(seconds=5)
"""Clocks of events and of conditions differ by a few seconds."""
EVERYWHERE = frozenset({"Node", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
SPACE = frozenset({"ResourceQuota", "LimitRange", "NetworkPolicy"})


@dataclass(frozen=True)
class Onset:
    """The first sign of trouble of a workload, and the words that tell it."""

    workload: Ref
    at: datetime
    told: str
    quotes: tuple[Quote, ...]


def onset_signals(scene: Scene, entries: Sequence[Entry]) -> list[Signal]:
    """`symptom.onset` for each workload that lacks ready pods now, earliest first."""
    found = [each for workload in scene.of(*KINDS) if (each := _onset(workload, scene))]
    return [_signal(each, entries) for each in sorted(found, key=lambda each: each.at)]


def _onset(workload: Json, scene: Scene) -> Onset | None:
    if ready(workload) >= desired(workload):
        return None
    signs = list(_signs(workload, scene))
    if not signs:
        return None
    at, told, quotes = min(signs, key=lambda each: each[0])
    return Onset(ref(workload), at, told, quotes)


def _signs(workload: Json, scene: Scene) -> Iterator[tuple[datetime, str, tuple[Quote, ...]]]:
    """Moments at which something was first wrong: with its pods that are not ready, in events that go on."""
    for pod in scene.pods_of(ref(workload)):
        since = None if is_ready(pod) or is_terminating(pod) else trouble_since(pod, scene)
        if since:
            shown = scene.about(ref(pod), "BackOff")[:1]
            name = pod["metadata"]["name"]
            yield (
                since,
                f"pod {name} not ready",
                (quote_at(pod, "status", "conditions"), *event_quotes(shown)),
            )
    for each in troubled(scene).get(ref(workload), ()):
        if scene.is_recent(last_seen(each), STALE) and scene.is_recent(first_seen(each), 3 * STALE):
            yield first_seen(each), f"event {each['reason']}", event_quotes([each])


def _signal(onset: Onset, entries: Sequence[Entry]) -> Signal:
    near = [each for each in entries if _touches(each, onset.workload)]
    before = [e for e in near if e.at <= onset.at + SAME and _counts(e, onset, near)]
    after = [e for e in near if e.at > onset.at + SAME]
    name = f"{onset.workload.kind} {onset.workload.name}"
    words = [f"{name}: trouble began at {clock_time(onset.at)} ({onset.told})"]
    none = "no change that touches it came before"
    words.append(_words(before, onset.at, "before it") if before else none)
    words += [_words(after, onset.at, "after it, so no cause of it")] if after else []
    return make(
        "symptom.onset",
        onset.workload,
        onset.workload,
        "; ".join(words),
        onset.quotes,
        severity="info",
        at=onset.at,
        data={
            "at": rfc3339(onset.at),
            "before": [_data(each, onset.at) for each in before],
            "after": [_data(each, onset.at) for each in after],
        },
    )


def _counts(entry: Entry, onset: Onset, near: Sequence[Entry]) -> bool:
    """Whether a change may have waited so long: an edit of configuration waits for the next pod."""
    rolled = (e.at for e in near if e.rolls and e.about == onset.workload)
    waits = entry.waits and not any(entry.at < at < onset.at - SAME for at in rolled)
    return waits or onset.at - entry.at <= SHORTLY


def _touches(entry: Entry, workload: Ref) -> bool:
    about = entry.about
    if about.kind in EVERYWHERE:
        return True
    if about.namespace != workload.namespace:
        return False
    return about.kind in SPACE or entry.touches(workload.name)


def _words(entries: Sequence[Entry], onset: datetime, when: str) -> str:
    told = ", ".join(f"{e.what.split(':')[0]} ({duration(abs(onset - e.at))})" for e in entries[:4])
    more = f" and {len(entries) - 4} more" if len(entries) > 4 else ""
    return f"{when}: {told}{more}"


def _data(entry: Entry, onset: datetime) -> Json:
    seconds = int((onset - entry.at).total_seconds())
    return {"what": entry.what, "ref": str(entry.about), "seconds_before": seconds}
