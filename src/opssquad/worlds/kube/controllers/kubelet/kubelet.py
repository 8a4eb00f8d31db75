"""The life of a pod on its node, from arrival to ready and from the wish to end it to its end.

A pod's fate comes from the rules of the world. Recorded pods stay as they are until they are deleted, or
until their fate is another one than at the start.
"""

from collections.abc import Callable, Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.kubelet.containers import Containers
from opssquad.worlds.kube.controllers.kubelet.timing import Timing
from opssquad.worlds.kube.controllers.meta import (
    copy,
    is_deleted,
    is_finished,
    is_ready,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.scheduler import kubelet_answers
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.fates import Fate

Key = tuple[str, str, str]
FatesOf = Callable[[Json], Fate]
# What moves without anybody's wish cannot change a pod's fate.
NO_CAUSE = frozenset(
    {kinds.EVENTS, kinds.PODS, kinds.ENDPOINTS, kinds.SLICES, kinds.POD_METRICS, kinds.REPLICA_SETS}
)


class Kubelet:
    """Runs pods. Keeps which pods it has taken up, and under which fate."""

    latency = 0.003

    def __init__(self, plane: Plane, fates: FatesOf, logs: Logbook, timing: Timing) -> None:
        self._plane = plane
        self._fates = fates
        self._timing = timing
        self._containers = Containers(plane, fates, logs, timing)
        self._lives = {
            pod["metadata"]["uid"]: fates(pod).kind for pod in plane.all(kinds.PODS) if _bound(pod)
        }
        self._stopping: set[str] = set()

    def concerns(self, change: Change) -> Iterable[Key]:
        """A pod on a node; every pod that is not ready when something else changed."""
        if change.resource == kinds.PODS:
            if change.type == "DELETED":
                self._forget(change.object)
            if change.type != "DELETED" and _bound(change.object):
                yield _key(change.object)
        elif change.resource not in NO_CAUSE:
            yield from (_key(pod) for pod in self._plane.all(kinds.PODS) if _bound(pod) and not is_ready(pod))

    def _forget(self, pod: Json) -> None:
        """A pod that was removed by force is stopped all the same."""
        uid = pod["metadata"]["uid"]
        if uid in self._lives and uid not in self._stopping:
            self._say_killing(pod)
        self._lives.pop(uid, None)
        self._stopping.discard(uid)

    def _say_killing(self, pod: Json) -> None:
        for status in status_of(pod).get("containerStatuses") or ():
            if "running" in status["state"]:
                self._containers.say(pod, status["name"], "Killing", f"Stopping container {status['name']}")

    def sync(self, key: Key) -> None:
        """Take up a new pod, end one that is to go, or note that its fate has changed."""
        namespace, name, uid = key
        pod = self._plane.get(kinds.PODS, namespace, name)
        if pod is None or pod["metadata"]["uid"] != uid or not _bound(pod):
            return
        if not kubelet_answers(self._plane.get(kinds.NODES, "", pod["spec"]["nodeName"])):
            return
        if is_deleted(pod):
            self._stop(pod)
        elif uid not in self._lives:
            self._lives[uid] = self._fates(pod).kind
            self._arrive(pod)
        elif self._lives[uid] != (kind := self._fates(pod).kind) and not is_ready(pod):
            was, self._lives[uid] = self._lives[uid], kind
            self._containers.resume(pod, was)

    def _arrive(self, pod: Json) -> None:
        node = self._plane.get(kinds.NODES, "", pod["spec"]["nodeName"]) or {}
        addresses = status_of(node).get("addresses") or []
        host = next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")
        used = [status_of(other).get("podIP") or "0.0.0.0" for other in self._plane.all(kinds.PODS)]
        address = naming.next_address(node["spec"].get("podCIDR", "10.244.0.0/24"), used)
        changed = copy(pod)
        states.begin(changed, host, host if pod["spec"].get("hostNetwork") else address, self._plane.now)
        self._plane.update(kinds.PODS, changed, "kubelet", "status")
        self._containers.start(changed)

    def _stop(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._stopping:
            return
        self._stopping.add(uid)
        self._say_killing(pod)
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
        self._plane.kernel.after(min(self._timing.stop, grace), lambda: self._ended(_key(pod)))

    def _ended(self, key: Key) -> None:
        pod = self._plane.get(kinds.PODS, key[0], key[1])
        if pod is None or pod["metadata"]["uid"] != key[2]:
            return
        changed = copy(pod)
        for status in status_of(changed).get("containerStatuses") or ():
            states.end(changed, status["name"], 0, "Completed", self._plane.now)
            self._containers.end_log(pod, status["name"])
        if status_of(changed).get("containerStatuses"):
            states.settle(changed, self._plane.now)
            self._plane.update(kinds.PODS, changed, "kubelet", "status")
        self._plane.kernel.after(0.03, lambda: self._gone(key))

    def _gone(self, key: Key) -> None:
        pod = self._plane.get(kinds.PODS, key[0], key[1])
        if pod is None or pod["metadata"]["uid"] != key[2]:
            return
        changed = copy(pod)
        changed["metadata"] |= {"deletionTimestamp": self._plane.stamp, "deletionGracePeriodSeconds": 0}
        stored = self._plane.store.put(kinds.PODS, changed)
        self._plane.finish(kinds.PODS, stored)


def _bound(pod: Json) -> bool:
    return bool(pod["spec"].get("nodeName")) and (not is_finished(pod) or is_deleted(pod))


def _key(pod: Json) -> Key:
    return namespace_of(pod), name_of(pod), pod["metadata"]["uid"]
