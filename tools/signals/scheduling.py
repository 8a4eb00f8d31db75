"""Pods that no node takes: the scheduler's reasons counted, and whether any node could take them at all."""

import re
from collections.abc import Iterator

from opssquad import Json, Quote, Signal, duration

from .._kube import compact, condition, dig, moment, quote, ref
from .._quantity import parse, show
from ._scene import Scene, event_quotes, make

REASON = re.compile(r"(\d+) ((?:node\(s\)|Insufficient|Too many)[^,.]*)")


def unschedulable(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`pod.unschedulable` where the scheduler said so."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") not in {
        "Unschedulable",
        "SchedulingGated",
    }:
        return
    message = " ".join((scheduled.get("message") or "").split())
    events = scene.about(ref(pod), "FailedScheduling")
    since = moment(scheduled.get("lastTransitionTime"))
    too_big, quotes = _too_big(pod, scene)
    lasts = f" for {duration(scene.now - since)}" if since else ""
    yield make(
        "pod.unschedulable",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: no node takes it{lasts}: {_head(message)}" + _in_words(too_big),
        (quote(pod, f'"reason":{compact(scheduled["reason"])}'), *event_quotes(events), *quotes),
        severity="critical",
        at=since,
        data={"message": message, "reasons": reasons(message), "too_big": too_big},
    )


def _head(message: str) -> str:
    """The scheduler's message without the part on preemption, which repeats it."""
    return message.split(" preemption:")[0].split(". no new claims")[0].rstrip(".")


def reasons(message: str) -> list[Json]:
    """The scheduler's counts: `2 Insufficient memory` is {"nodes": 2, "reason": "Insufficient memory"}."""
    return [
        {"nodes": int(count), "reason": reason.strip()} for count, reason in REASON.findall(_head(message))
    ]


def _too_big(pod: Json, scene: Scene) -> tuple[Json, list[Quote]]:
    """Requests that exceed what the largest node could ever give, with where the template asks for them."""
    nodes = scene.of("Node")
    found: Json = {}
    quotes: list[Quote] = []
    for resource, asked in requests(pod).items():
        largest = max(
            (parse(dig(n, "status", "allocatable", resource, default="0")) for n in nodes), default=0.0
        )
        if nodes and asked > largest:
            found[resource] = {"asked": show(asked, resource), "largest_node": show(largest, resource)}
            for each in dig(pod, "spec", "containers", default=()):
                quotes += scene.template(scene.owner(pod), each["name"], "resources", "requests", resource)
    return found, quotes


def requests(pod: Json) -> dict[str, float]:
    """What the pod's containers request together, by resource, in base units."""
    total: dict[str, float] = {}
    for each in dig(pod, "spec", "containers", default=()):
        for resource, text in dig(each, "resources", "requests", default={}).items():
            total[resource] = total.get(resource, 0.0) + parse(text)
    return total


def _in_words(too_big: Json) -> str:
    said = (
        f"asks {v['asked']} {name}, the largest node has {v['largest_node']}" for name, v in too_big.items()
    )
    joined = "; ".join(said)
    return f". It {joined}: it fits no node of this cluster" if joined else ""
