"""Nodes that would take a pending pod if they were not closed to it: cordoned, or tainted by somebody.

A reckoning over the objects that were read, so blind to pods that were left out: labels the pod selects,
taints it does not tolerate, requests against what is left. It only tells which nodes to look at; the
scheduler's own word is in `scheduling`.
"""

from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Ref

from .._edits import last_edit
from .._kube import created, dig, ref
from .._pods import is_finished, is_ready
from .._quantity import parse
from ._scene import Scene

CLOSES = frozenset({"NoSchedule", "NoExecute"})
SYSTEM = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Taints that the system sets and takes away by itself: what is behind them has signals of its own."""
LATELY = timedelta(days=1)
MOST = 10
"""Closed nodes of which the room that is left is reckoned: it takes all the pods to know."""
RESERVED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def closed_nodes(pod: Json, scene: Scene) -> list[Ref]:
    """The nodes that have what the pod asks for and are closed to it, cordoned ones first; a few at most."""
    nodes = [each for each in scene.of("Node") if is_ready(each) and _has(each, pod)]
    cordoned = [each for each in nodes if dig(each, "spec", "unschedulable")]
    tainted = [
        each for each in nodes if each not in cordoned and any(untolerated(each, pod)) and _of_late(each, pod)
    ]
    return [ref(each) for each in (*cordoned, *tainted)[:MOST] if _room(each, pod, scene)]


def _of_late(node: Json, pod: Json) -> bool:
    """Whether it was tainted not long before the pod was made. An older taint marks a node that is meant for
    others, and pods of this kind had a place without it."""
    change, start = last_edit(node, "spec.taints"), created(pod)
    return change is None or start is None or start - change.at <= LATELY


def own_taints(node: Json) -> list[Json]:
    """The taints that keep pods away and that somebody put there, with their index as `index`."""
    return [
        {**each, "index": index}
        for index, each in enumerate(dig(node, "spec", "taints", default=()))
        if each.get("effect") in CLOSES
        and not str(each.get("key", "")).startswith(SYSTEM)
        and each.get("key") not in RESERVED
    ]


def untolerated(node: Json, pod: Json) -> Iterator[Json]:
    """Those of them that the pod does not tolerate."""
    for taint in own_taints(node):
        if not any(_tolerates(each, taint) for each in dig(pod, "spec", "tolerations", default=())):
            yield taint


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in {None, "", taint.get("effect")}:
        return False
    key = toleration.get("key") or ""
    if toleration.get("operator") == "Exists":
        return key in {"", taint.get("key")}
    return bool(key == taint.get("key") and (toleration.get("value") or "") == (taint.get("value") or ""))


def _has(node: Json, pod: Json) -> bool:
    """Whether it has the labels of the pod's selector, and is none of those kept for the control plane."""
    labels = dig(node, "metadata", "labels", default={})
    kept = any(each.get("key") in RESERVED for each in dig(node, "spec", "taints", default=()))
    terms = dig(
        pod,
        *("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"),
        *("nodeSelectorTerms",),
        default=(),
    )
    wanted = dig(pod, "spec", "nodeSelector", default={})
    selected = all(labels.get(key) == value for key, value in wanted.items())
    return not kept and selected and (not terms or any(_term(each, labels) for each in terms))


def _term(term: Json, labels: Json) -> bool:
    return all(_meets(each, labels) for each in term.get("matchExpressions") or ())


def _meets(expression: Json, labels: Json) -> bool:
    value, values = labels.get(expression.get("key") or ""), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            # Gt and Lt are rare; where they stand the scheduler's own count has to do.
            return True


def _room(node: Json, pod: Json, scene: Scene) -> bool:
    name = node["metadata"]["name"]
    there = [
        each for each in scene.of("Pod") if dig(each, "spec", "nodeName") == name and not is_finished(each)
    ]
    for resource, asked in requests(pod).items():
        left = parse(dig(node, "status", "allocatable", resource, default="0"))
        left -= sum(requests(each).get(resource, 0.0) for each in there)
        if asked > left:
            return False
    return True


def requests(pod: Json) -> dict[str, float]:
    """What the pod's containers request together, by resource, in base units."""
    total: dict[str, float] = {}
    for each in dig(pod, "spec", "containers", default=()):
        for resource, text in dig(each, "resources", "requests", default={}).items():
            total[resource] = total.get(resource, 0.0) + parse(text)
    return total
