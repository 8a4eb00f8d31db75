"""Pods as a whole: not ready, stuck in creation, evicted, stuck in termination."""

from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Quote, Signal, ago, duration

from .._kube import condition, dig, event_text, moment, quote_at, ref
from .._pods import containers, is_finished, is_ready, is_terminating, overdue, state
from ._scene import Scene, event_quotes, make
from .containers import container_signals, unready_since
from .evictions import evicted, failed
from .initial import init_signals
from .jobs import held_open
from .mounts import stuck_in
from .probes import probe_signals
from .scheduling import unschedulable

LONG_STOP = timedelta(minutes=1)
STARTING = timedelta(minutes=1)
CREATING = ("ContainerCreating", "PodInitializing")
STUCK = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady", "FailedMapVolume")


def pod_signals(pod: Json, scene: Scene) -> list[Signal]:
    """Everything that is wrong with a pod, most telling first."""
    if dig(pod, "status", "reason") == "Evicted":
        return [evicted(pod, scene)]
    if is_terminating(pod):
        return list(_terminating(pod, scene))
    found = [
        *failed(pod, scene),
        *unschedulable(pod, scene),
        *container_signals(pod, scene),
        *(() if _node_down(pod, scene) else init_signals(pod, scene)),
        *held_open(pod, scene),
        *probe_signals(pod, scene),
    ]
    explained = any(each.severity != "info" for each in found)
    if not (explained or is_finished(pod) or is_ready(pod)):
        found.append(_not_ready(pod, scene))
    return found


def _terminating(pod: Json, scene: Scene) -> Iterator[Signal]:
    node, late = _node_down(pod, scene), overdue(pod, scene.now)
    if not node and (late is None or late < LONG_STOP):
        return
    asked = moment(condition(pod, "DisruptionTarget").get("lastTransitionTime"))
    begun = asked or moment(dig(pod, "metadata", "deletionTimestamp"))
    held = dig(pod, "metadata", "finalizers", default=[])
    why = f"its node {node['metadata']['name']} is not ready" if node else ""
    why = why or (
        f"finalizers hold it: {', '.join(held)}" if held else "the kubelet has not confirmed its end"
    )
    quotes = [quote_at(pod, "metadata", "deletionTimestamp"), quote_at(pod, "spec", "nodeName")]
    yield make(
        "pod.terminating_long",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: Terminating for {duration(scene.now - begun) if begun else '?'}; {why}",
        quotes,
        severity="warning",
        at=begun,
        data={"node": dig(pod, "spec", "nodeName", default=""), "node_ready": not node, "finalizers": held},
    )


def _node_down(pod: Json, scene: Scene) -> Json | None:
    for node in scene.of("Node"):
        if node["metadata"]["name"] == dig(pod, "spec", "nodeName"):
            return None if is_ready(node) else node
    return None


def _not_ready(pod: Json, scene: Scene) -> Signal:
    """Not ready, and no container says why: creation is stuck, an init container runs on, it just starts."""
    since = unready_since(pod) or moment(dig(pod, "metadata", "creationTimestamp"))
    stuck = scene.about(ref(pod), *STUCK) if _in_creation(pod) else []
    init = next((c for c in containers(pod) if c.init and c.running_since and not c.ready), None)
    young = since is not None and scene.now - since < STARTING
    if stuck:
        why = event_text(stuck[0])[:240]
    elif init and init.running_since:
        why = f"init container {init.name} has been running for {duration(scene.now - init.running_since)}"
    elif node := _node_down(pod, scene):
        why = f"its node {node['metadata']['name']} is not ready"
    else:
        why = dig(condition(pod, "Ready"), "message", default="") or state(pod)
    quotes: list[Quote] = [_ready_quote(pod), *event_quotes(stuck)]
    return make(
        "pod.not_ready",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: not ready since {ago(since, scene.now) if since else 'its start'}"
        f" ({state(pod)}): {why}",
        quotes,
        severity="info" if young and not stuck else "warning",
        at=since,
        data={
            "state": state(pod),
            "message": why,
            "stuck": stuck[0]["reason"] if stuck else "",
            **(stuck_in(pod, event_text(stuck[0])) if stuck else {}),
            "init": init.name if init else "",
            "starting": young,
            "node": dig(pod, "spec", "nodeName", default=""),
        },
    )


def _in_creation(pod: Json) -> bool:
    """Whether none of its containers has run yet: what kept it from starting once may be over."""
    known = [each for each in containers(pod) if not each.init]
    return all(each.waiting in CREATING and not each.last for each in known)


def _ready_quote(pod: Json) -> Quote:
    for index, each in enumerate(dig(pod, "status", "conditions", default=())):
        if each.get("type") == "Ready":
            return quote_at(pod, "status", "conditions", index)
    return quote_at(pod, "status", "phase")
