"""What the control plane does about a node whose kubelet falls silent, and when it reports again: taints,
pods that count as not ready, their eviction after the time that they tolerate.

That a kubelet is silent is said by the node's own conditions; nothing here decides it.
"""

from collections.abc import Iterable
from functools import partial

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.meta import (
    copy,
    is_deleted,
    is_finished,
    is_ready,
    is_true,
    key_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

TAINT = "node.kubernetes.io/unreachable"
EFFECTS = ("NoSchedule", "NoExecute")
RETURN = 1.0
"""Seconds until a kubelet that is back has reported its pods."""
BACK = (
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
    "NodeReady",
)


class NodeController:
    """Follows nodes that turn unreachable and come back."""

    latency = 0.01

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[str]:
        """A node that has stopped or begun to be ready."""
        before = change.previous if change.resource == kinds.NODES and change.type == "MODIFIED" else None
        if before and is_true(before, "Ready") != is_true(change.object, "Ready"):
            yield name_of(change.object)

    def sync(self, key: str) -> None:
        """Bring taints and pods to what the node's condition says."""
        node = self._plane.get(kinds.NODES, "", key)
        if node is None:
            return
        tainted = any(taint["key"] == TAINT for taint in node["spec"].get("taints") or ())
        if is_true(node, "Ready") and tainted:
            self._back(node)
        elif not is_true(node, "Ready") and not tainted:
            self._lost(node)

    def _lost(self, node: Json) -> None:
        said = f"Node {name_of(node)} status is now: NodeNotReady"
        self._plane.events.say(node, "NodeNotReady", said, "node-controller")
        made = [{"key": TAINT, "effect": effect, "timeAdded": self._plane.stamp} for effect in EFFECTS]
        self._taint(node, [*(node["spec"].get("taints") or ()), *made])
        for pod in self._pods(node):
            if is_ready(pod):
                self._mark(pod)
            patience = _patience(pod)
            if patience is not None:
                self._plane.kernel.after(patience, partial(self._evict, pod))

    def _mark(self, pod: Json) -> None:
        changed = copy(pod)
        for found in changed["status"]["conditions"]:
            if found["type"] == "Ready":
                found |= {"status": "False", "lastTransitionTime": self._plane.stamp}
        self._plane.update(kinds.PODS, changed, subresource="status")
        self._plane.events.say(pod, "NodeNotReady", "Node is not ready", "node-controller", warning=True)

    def _evict(self, pod: Json) -> None:
        found = self._plane.get(kinds.PODS, *key_of(pod))
        node = self._plane.get(kinds.NODES, "", pod["spec"]["nodeName"])
        if found is None or found["metadata"]["uid"] != pod["metadata"]["uid"] or is_deleted(found):
            return
        if node is None or is_true(node, "Ready"):
            return
        changed = copy(found)
        changed["status"]["conditions"].append(
            {
                "type": "DisruptionTarget",
                "observedGeneration": pod["metadata"].get("generation", 1),
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": self._plane.stamp,
                "reason": "DeletionByTaintManager",
                "message": "Taint manager: deleting due to NoExecute taint",
            }
        )
        self._plane.update(kinds.PODS, changed, subresource="status")
        said = f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}"
        self._plane.events.say(pod, "TaintManagerEviction", said, "taint-eviction-controller")
        self._plane.delete_pod(self._plane.get(kinds.PODS, *key_of(pod)) or changed)

    def _back(self, node: Json) -> None:
        for reason in BACK:
            said = f"Node {name_of(node)} status is now: {reason}"
            self._plane.events.say(node, reason, said, "kubelet", host=name_of(node))
        self._taint(node, [taint for taint in node["spec"].get("taints") or () if taint["key"] != TAINT])
        for pod in self._pods(node):
            self._plane.kernel.after(RETURN, partial(self._report, pod))

    def _report(self, pod: Json) -> None:
        found = self._plane.get(kinds.PODS, *key_of(pod))
        if found is None or found["metadata"]["uid"] != pod["metadata"]["uid"] or is_deleted(found):
            return
        changed = copy(found)
        states.settle(changed, self._plane.now)
        self._plane.update(kinds.PODS, changed, "kubelet", "status")

    def _taint(self, node: Json, taints: list[Json]) -> None:
        changed = copy(node)
        changed["spec"] = {key: value for key, value in changed["spec"].items() if key != "taints"}
        if taints:
            changed["spec"]["taints"] = taints
        self._plane.update(kinds.NODES, changed)

    def _pods(self, node: Json) -> list[Json]:
        return [
            pod
            for pod in self._plane.all(kinds.PODS)
            if pod["spec"].get("nodeName") == name_of(node)
            and not is_finished(pod)
            and status_of(pod).get("containerStatuses")
        ]


def _patience(pod: Json) -> float | None:
    """Seconds that a pod stays on an unreachable node; None if for ever."""
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("key") in (None, TAINT) and toleration.get("effect") in (None, "NoExecute"):
            seconds: float | None = toleration.get("tolerationSeconds")
            return seconds
    return 0
