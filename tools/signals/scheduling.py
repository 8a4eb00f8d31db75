"""Pods that no node takes: the scheduler's reasons counted, and whether any node could take them at all."""

import re
from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Quote, Ref, Signal, duration

from .._kube import compact, condition, created, dig, moment, quote, quote_at, ref
from .._quantity import parse, show
from ._scene import Scene, event_quotes, make
from .placement import closed_nodes, requests

# Keys of taints hold dots: a reason ends at a comma, or at a dot before a space or the end.
REASON = re.compile(r"(\d+) ((?:node\(s\)|Insufficient|Too many)(?:[^,.]|\.(?=\S))*)")
# What a reason of the scheduler is about; the first that fits wins.
WHY = (
    ("ports", re.compile(r"free ports")),
    ("volume", re.compile(r"volume|persistentvolumeclaim", re.I)),
    ("closed", re.compile(r"unschedulable|untolerated taint|had taints?")),
    ("affinity", re.compile(r"affinity|selector|topology spread")),
    ("resources", re.compile(r"Insufficient|Too many pods")),
)
WHOLE = re.compile(
    r"persistentvolumeclaim \"(?P<claim>[^\"]+)\" (?P<how>not found|is being deleted)"
    r"|unbound immediate PersistentVolumeClaims"
)
"""What is said of the pod and not of nodes, so without a count."""
WAITS = timedelta(minutes=2)
"""A queue may hold a pod back so long before it lets it in."""


def unschedulable(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`pod.unschedulable` where the scheduler said so, `pod.gated` where it was told not to look yet."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "SchedulingGated":
        yield _gated(pod, scene)
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return
    message = " ".join((scheduled.get("message") or "").split())
    events = scene.about(ref(pod), "FailedScheduling")
    since = moment(scheduled.get("lastTransitionTime"))
    too_big, quotes = _too_big(pod, scene)
    why, claim = cause(message)
    shut = any(_about(each["reason"]) == "closed" for each in reasons(message))
    closed = closed_nodes(pod, scene) if shut else []
    lasts = f" for {duration(scene.now - since)}" if since else ""
    yield make(
        "pod.unschedulable",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: no node takes it{lasts}: {_head(message)}"
        + _in_words(too_big)
        + (f". It would fit {', '.join(each.name for each in closed)}, closed to it" if closed else ""),
        (quote(pod, f'"reason":{compact(scheduled["reason"])}'), *event_quotes(events), *quotes),
        severity="critical",
        at=since,
        data={
            "message": message,
            "said": _head(message),
            "reasons": reasons(message),
            "too_big": too_big,
            "why": why,
            "claim": claim,
            "closed": [str(each) for each in closed],
            "unbound": next(_unbound(pod, scene), "") if why == "volume" else "",
            "used_by": [str(scene.owner(pod))],
        },
    )


def _unbound(pod: Json, scene: Scene) -> Iterator[str]:
    """The claims of the pod that have no volume yet."""
    for each in dig(pod, "spec", "volumes", default=()):
        name = dig(each, "persistentVolumeClaim", "claimName", default="-")
        claim = Ref(kind="PersistentVolumeClaim", namespace=pod["metadata"].get("namespace", ""), name=name)
        known = scene.get(claim)
        if known and dig(known, "status", "phase") != "Bound":
            yield str(claim)


def _gated(pod: Json, scene: Scene) -> Signal:
    gates = [str(each.get("name", "")) for each in dig(pod, "spec", "schedulingGates", default=())]
    since = moment(condition(pod, "PodScheduled").get("lastTransitionTime")) or created(pod)
    lasts = f" for {duration(scene.now - since)}" if since else ""
    return make(
        "pod.gated",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: not scheduled{lasts}, because nobody has removed its scheduling gate "
        f"{', '.join(gates) or '?'}",
        (quote(pod, '"reason":"SchedulingGated"'), quote_at(pod, "spec", "schedulingGates")),
        severity="info" if since and scene.now - since < WAITS else "warning",
        at=since,
        data={"gates": gates},
    )


def cause(message: str) -> tuple[str, str]:
    """What keeps the pod from all or most of the nodes: `ports`, `volume`, `closed`, `affinity`, `resources`
    or `other`; and the claim that is said to be missing."""
    head = _head(message)
    if whole := WHOLE.search(head):
        return "volume", whole["claim"] or ""
    counted: dict[str, int] = {}
    for each in reasons(message):
        about = _about(each["reason"])
        counted[about] = counted.get(about, 0) + each["nodes"]
    # Nodes that are kept for the control plane or closed tell least, as long as there are others.
    open_to_it = {name: count for name, count in counted.items() if name != "closed"} or counted
    return max(open_to_it, key=lambda name: open_to_it[name], default="other"), ""


def _about(reason: str) -> str:
    return next((name for name, form in WHY if form.search(reason)), "other")


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


def _in_words(too_big: Json) -> str:
    said = (
        f"asks {v['asked']} {name}, the largest node has {v['largest_node']}" for name, v in too_big.items()
    )
    joined = "; ".join(said)
    return f". It {joined}: it fits no node of this cluster" if joined else ""
