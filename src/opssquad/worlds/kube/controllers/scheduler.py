"""The scheduler: binds pods to nodes that can take them, and says why none can."""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.quota import usage
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.apiserver.typed.quantity import parse
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import (
    condition,
    controller_of,
    copy,
    is_deleted,
    is_finished,
    is_true,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.podspec import pods as pod_resource
from opssquad.worlds.kube.controllers.volumes import class_of, is_unbound, waits_for_a_pod

MANAGER = "kube-scheduler"
TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


class Scheduler:
    """Places pods. `held_back` gives the words of a rule of the world by which a pod finds no node."""

    latency = 0.003

    def __init__(self, plane: Plane, held_back: Callable[[Json], str | None]) -> None:
        self._plane = plane
        self._held_back = held_back

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """A pod without a node; all of them after a node or a claim changed or a pod left one."""
        if change.resource == kinds.PODS and change.type != "DELETED" and _waits(change.object):
            if change.type == "ADDED":
                yield key_of(change.object)
        elif change.resource in (kinds.NODES, kinds.CLAIMS) or (
            change.resource == kinds.PODS and change.type == "DELETED"
        ):
            yield from (key_of(pod) for pod in self._plane.all(kinds.PODS) if _waits(pod))

    def sync(self, key: tuple[str, str]) -> None:
        """Try to place a pod."""
        pod = self._plane.get(kinds.PODS, *key)
        if pod is None or not _waits(pod):
            return
        fitting, reasons = self._filter(pod)
        message = self._held_back(pod) or self._unbound(pod)
        if message is None and fitting:
            self._bind(pod, self._best(pod, fitting))
            return
        self._refuse(pod, message or _why(len(self._plane.all(kinds.NODES)), reasons))

    def _unbound(self, pod: Json) -> str | None:
        """Why the claims of a pod keep it from any node."""
        count = len(self._plane.all(kinds.NODES))
        lead, last = f"0/{count} nodes are available", f"{count} Preemption is not helpful for scheduling."
        for volume in pod["spec"].get("volumes") or () if self._plane.all(kinds.STORAGE_CLASSES) else ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            claim = self._plane.get(kinds.CLAIMS, namespace_of(pod), name) if name else None
            why = ""
            if name and claim is None:
                why = f'persistentvolumeclaim "{name}" not found'
            elif claim and is_unbound(claim) and not waits_for_a_pod(class_of(self._plane, claim["spec"])):
                why = "pod has unbound immediate PersistentVolumeClaims"
            if why:
                return f"{lead}: {why}. preemption: {lead}: {last}"
        return None

    def _filter(self, pod: Json) -> tuple[list[Json], Counter[str]]:
        reasons: Counter[str] = Counter()
        fitting = []
        for node in self._plane.all(kinds.NODES):
            why = self._obstacles(pod, node)
            reasons.update(why)
            if not why:
                fitting.append(node)
        return fitting, reasons

    def _obstacles(self, pod: Json, node: Json) -> list[str]:
        if node["spec"].get("unschedulable"):
            return ["node(s) were unschedulable"]
        for taint in node["spec"].get("taints") or ():
            if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
                return [f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"]
        wanted = pod["spec"].get("nodeSelector") or {}
        if not wanted.items() <= labels_of(node).items() or not self._reaches(pod, node):
            return ["node(s) didn't match Pod's node affinity/selector"]
        return self._lacks(pod, node)

    def _reaches(self, pod: Json, node: Json) -> bool:
        """Whether a node is one that the pod and its volumes may be on."""
        affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
        bound_to = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
        if bound_to and not any(_term(term, node) for term in bound_to["nodeSelectorTerms"]):
            return False
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            claim = self._plane.get(kinds.CLAIMS, namespace_of(pod), name) if name else None
            bound = claim and self._plane.get(kinds.VOLUMES, "", claim["spec"].get("volumeName", ""))
            required = ((bound or {}).get("spec", {}).get("nodeAffinity") or {}).get("required")
            if required and not any(_term(term, node) for term in required["nodeSelectorTerms"]):
                return False
        return True

    def _lacks(self, pod: Json, node: Json) -> list[str]:
        wanted = usage(pod_resource(), pod)
        there = [other for other in self._plane.all(kinds.PODS) if _runs_on(other, node)]
        room = status_of(node).get("allocatable") or {}
        lacks = []
        for name in ("cpu", "memory"):
            taken = sum((usage(pod_resource(), o).get(name, Fraction(0)) for o in there), Fraction(0))
            if name in room and wanted.get(name, Fraction(0)) + taken > parse(room[name]):
                lacks.append(f"Insufficient {name}")
        if "pods" in room and len(there) + 1 > parse(room["pods"]):
            lacks.append("Too many pods")
        return lacks

    def _best(self, pod: Json, fitting: list[Json]) -> Json:
        owner = (controller_of(pod) or {}).get("uid")
        every = self._plane.all(kinds.PODS)

        def crowd(node: Json) -> tuple[int, int, str]:
            there = [other for other in every if _runs_on(other, node)]
            own = sum(
                (controller_of(other) or {}).get("uid") == owner and not is_deleted(other) for other in there
            )
            return own, len(there), name_of(node)

        return min(fitting, key=crowd)

    def _bind(self, pod: Json, node: Json) -> None:
        changed = copy(pod)
        changed["spec"]["nodeName"] = name_of(node)
        places = {key: labels_of(node)[key] for key in TOPOLOGY if key in labels_of(node)}
        if places:
            changed["metadata"]["labels"] = {**labels_of(pod), **places}
        found = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        changed["status"]["conditions"] = [{**found, "lastTransitionTime": self._plane.stamp}]
        self._plane.update(kinds.PODS, changed, MANAGER, "binding")
        message = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {name_of(node)}"
        self._plane.events.say_new_form(changed, "Scheduled", message, "Binding")

    def _refuse(self, pod: Json, message: str) -> None:
        self._plane.events.say_new_form(pod, "FailedScheduling", message, "Scheduling", warning=True)
        old = condition(status_of(pod), "PodScheduled")
        if old and old.get("message") == message:
            return
        changed = copy(pod)
        since = old["lastTransitionTime"] if old else self._plane.stamp
        found = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": since,
        }
        changed["status"]["conditions"] = [{**found, "reason": "Unschedulable", "message": message}]
        self._plane.update(kinds.PODS, changed, MANAGER, "status")


def _left(change: Change) -> bool:
    return change.type == "DELETED"


def _waits(pod: Json) -> bool:
    return not pod["spec"].get("nodeName") and not is_deleted(pod)


def _runs_on(pod: Json, node: Json) -> bool:
    return pod["spec"].get("nodeName") == name_of(node) and not is_finished(pod)


def tolerates(pod: Json, taint: Json) -> bool:
    """Whether a pod may be where this taint is."""
    for toleration in pod["spec"].get("tolerations") or ():
        key, effect = toleration.get("key"), toleration.get("effect")
        same = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
        if key in (None, taint["key"]) and effect in (None, taint["effect"]) and same:
            return True
    return False


def _term(term: Json, node: Json) -> bool:
    if any(name_of(node) not in field.get("values", ()) for field in term.get("matchFields") or ()):
        return False
    return all(
        labels_of(node).get(rule["key"]) in rule.get("values", ())
        for rule in term.get("matchExpressions") or ()
        if rule["operator"] == "In"
    )


def _why(nodes: int, reasons: Counter[str]) -> str:
    parts = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{nodes} nodes are available: {parts}."


def kubelet_answers(node: Json | None) -> bool:
    """Whether the kubelet of a node reports."""
    return node is not None and is_true(node, "Ready")
