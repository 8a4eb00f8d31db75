"""Nodes: not ready, cordoned, tainted, under pressure."""

import re
from collections.abc import Iterator

from opssquad import Json, Quote, Signal, ago, clock_time

from .._edits import last_edit
from .._kube import dig, event_count, event_text, first_seen, last_seen, moment, quote, quote_at, ref, times
from ._scene import STALE, Scene, event_quotes, make
from .evictions import biggest
from .placement import own_taints

RESOURCE = {"DiskPressure": "ephemeral-storage", "MemoryPressure": "memory"}
"""What a kubelet that evicts for such a pressure says it is low on."""
WELL = ("Ready", "EtcdIsVoter")
"""Conditions of which True is good."""
FULL = re.compile(r"conntrack: (?:nf_conntrack: )?table full", re.IGNORECASE)
PRESSURE = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def node_signals(node: Json, scene: Scene) -> Iterator[Signal]:
    """What is wrong with a node, by its conditions and spec."""
    ready = True
    for index, each in enumerate(dig(node, "status", "conditions", default=())):
        if each.get("type") == "Ready" and each.get("status") != "True":
            ready = False
            yield _not_ready(node, index, each, scene)
        elif each.get("type") == "Ready":
            yield from _back(node, index, each, scene)
    for index, each in enumerate(dig(node, "status", "conditions", default=())):
        if each.get("type") in PRESSURE and each.get("status") == "True":
            yield _pressure(node, index, each, scene)
        elif each.get("type") not in WELL and each.get("status") == "True":
            yield _problem(node, index, each)
        elif ready and each.get("type") in PRESSURE and each.get("status") == "Unknown":
            # Where the node itself is not ready, all that its kubelet reports is unknown.
            yield _problem(node, index, each)
    yield from _table_full(node, scene)
    if dig(node, "spec", "unschedulable") and ready:
        yield _cordoned(node, scene)
    if ready and (taints := own_taints(node)):
        yield _tainted(node, taints, scene)


def pods_on(node: Json, scene: Scene) -> int:
    """How many of the pods that were read are bound to the node."""
    name = node["metadata"]["name"]
    return sum(dig(pod, "spec", "nodeName") == name for pod in scene.of("Pod"))


def _not_ready(node: Json, index: int, said: Json, scene: Scene) -> Signal:
    since = moment(said.get("lastTransitionTime"))
    count = pods_on(node, scene)
    when = f" since {clock_time(since)}, {ago(since, scene.now)}" if since else ""
    quotes: list[Quote] = (
        [quote_at(node, "status", "conditions", index, "message")] if said.get("message") else []
    )
    return make(
        "node.not_ready",
        node,
        ref(node),
        f"Node {node['metadata']['name']}: Ready is {said.get('status')}{when}: {said.get('message', '')} "
        f"{count} of the pods read are on it",
        [
            *quotes,
            quote_at(node, "status", "conditions", index),
            *event_quotes(scene.about(ref(node), "NodeNotReady")),
        ],
        severity="critical",
        at=since,
        data={
            "since": since.isoformat() if since else "",
            "message": said.get("message", ""),
            "reason": said.get("reason", ""),
            "pods": count,
            "cordoned": bool(dig(node, "spec", "unschedulable")),
        },
    )


def _back(node: Json, index: int, said: Json, scene: Scene) -> Iterator[Signal]:
    """`node.recovered`: it is ready, and events or its age tell that it was not, not long ago."""
    since = moment(said.get("lastTransitionTime"))
    lost = [e for e in scene.about(ref(node), "NodeNotReady") if since and first_seen(e) <= since]
    if not since or not lost:
        return
    count = sum(event_count(each) for each in lost)
    yield make(
        "node.recovered",
        node,
        ref(node),
        f"Node {node['metadata']['name']}: ready again since {clock_time(since)} ({ago(since, scene.now)}); "
        f"it was away {times(count)}, first at {clock_time(min(map(first_seen, lost)))}",
        [quote_at(node, "status", "conditions", index), *event_quotes(lost)],
        severity="info",
        at=since,
        data={"since": since.isoformat(), "times": count, "pods": pods_on(node, scene)},
    )


def _pressure(node: Json, index: int, said: Json, scene: Scene) -> Signal:
    since = moment(said.get("lastTransitionTime"))
    most = biggest(node["metadata"]["name"], RESOURCE.get(said["type"], ""), scene)
    return make(
        "node.pressure",
        node,
        most or ref(node),
        f"Node {node['metadata']['name']}: {said['type']}"
        + (f" since {clock_time(since)}, {ago(since, scene.now)}" if since else "")
        + f": {said.get('message', '')}"
        + (f"; of the pods evicted from it those of {most.kind} {most.name} used most" if most else ""),
        [quote_at(node, "status", "conditions", index)],
        severity="critical",
        at=since,
        data={"type": said["type"], "message": said.get("message", "")},
    )


def _problem(node: Json, index: int, said: Json) -> Signal:
    """A condition that something else than the kubelet sets, such as a detector of kernel deadlocks; one of
    the kubelet's that is not known though the node is ready."""
    told = ": ".join(filter(None, (said.get("reason"), said.get("message"))))
    unknown = " is not known" if said.get("status") == "Unknown" else ""
    return make(
        "node.problem",
        node,
        ref(node),
        f"Node {node['metadata']['name']}: {said.get('type')}{unknown}: {told}",
        [quote_at(node, "status", "conditions", index)],
        # Whoever sets a condition of its own may mean something good by it.
        severity="info",
        at=moment(said.get("lastTransitionTime")),
        data={
            "type": said.get("type", ""),
            "reason": said.get("reason", ""),
            "message": said.get("message", ""),
        },
    )


def _table_full(node: Json, scene: Scene) -> Iterator[Signal]:
    """`net.table_full`: its kernel tracks as many connections as it can, by an event about the node."""
    told = [
        e
        for e in scene.about(ref(node))
        if FULL.search(event_text(e)) and scene.is_recent(last_seen(e), STALE)
    ]
    for event in told[:1]:
        yield make(
            "net.table_full",
            node,
            ref(node),
            f"Node {node['metadata']['name']}: {event_text(event)[:240]}",
            event_quotes([event]),
            severity="critical",
            at=first_seen(event),
            data={"table": "conntrack", "node": node["metadata"]["name"], "count": event_count(event)},
        )


def _cordoned(node: Json, scene: Scene) -> Signal:
    change = last_edit(node, "spec.unschedulable")
    at = change.at if change else None
    by = f" by {change.manager}" if change else ""
    return make(
        "node.cordoned",
        node,
        ref(node),
        f"Node {node['metadata']['name']}: cordoned{by}" + (f" {ago(at, scene.now)}" if at else ""),
        [
            quote_at(node, "spec", "unschedulable"),
            *([quote(node, change.entry, managed=True)] if change else []),
        ],
        severity="warning" if scene.is_recent(at, STALE) else "info",
        at=at,
        data={"by": change.manager if change else "", "pods": pods_on(node, scene)},
    )


def _tainted(node: Json, taints: list[Json], scene: Scene) -> Signal:
    change = last_edit(node, "spec.taints")
    at = change.at if change else None
    by = f" by {change.manager}" if change else ""
    words = [f"{each.get('key')}={each.get('value') or ''}:{each.get('effect')}" for each in taints]
    fresh = scene.is_recent(at, STALE)
    return make(
        "node.tainted",
        node,
        ref(node),
        f"Node {node['metadata']['name']}: tainted {', '.join(words)}{by}"
        + (f" {ago(at, scene.now)}" if at else ""),
        [
            *(quote_at(node, "spec", "taints", each["index"]) for each in taints),
            *([quote(node, change.entry, managed=True)] if change else []),
        ],
        severity="warning" if fresh else "info",
        at=at,
        data={"by": change.manager if change else "", "taints": words, "evicts": _evicts(taints)},
    )


def _evicts(taints: list[Json]) -> bool:
    """Whether pods that ran there had to leave, too."""
    return any(each.get("effect") == "NoExecute" for each in taints)
