"""PodMetrics of new pods that are ready: what the same workload's pods used in the recording."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.apiserver.typed.quantity import canonical, parse
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import copy, is_ready, key_of, labels_of, name_of, namespace_of
from opssquad.worlds.kube.controllers.plane import Plane

FIRST_SAMPLE = 15.0
SHARE_OF_REQUEST = 40
"""Percent of its requests that a container uses of which nothing was measured."""


class MetricsServer:
    """Measures new pods, once, some seconds after they became ready."""

    latency = FIRST_SAMPLE

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._measured = {
            name: metrics for metrics in plane.all(kinds.POD_METRICS) for name in [key_of(metrics)]
        }
        self._families = {key_of(pod): _family(pod) for pod in plane.all(kinds.PODS)}

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """Pods that are ready and have no metrics; metrics of pods that are gone go at once."""
        if change.resource != kinds.PODS:
            return
        if change.type == "DELETED":
            if metrics := self._plane.get(kinds.POD_METRICS, *key_of(change.object)):
                self._plane.remove(kinds.POD_METRICS, metrics)
        elif is_ready(change.object) and not self._plane.get(kinds.POD_METRICS, *key_of(change.object)):
            yield key_of(change.object)

    def sync(self, key: tuple[str, str]) -> None:
        """Measure a pod."""
        pod = self._plane.get(kinds.PODS, *key)
        if not self._measured or pod is None or not is_ready(pod) or self._plane.get(kinds.POD_METRICS, *key):
            return
        containers = [self._usage(pod, container) for container in pod["spec"]["containers"]]
        meta = {"name": name_of(pod), "namespace": namespace_of(pod), "labels": dict(labels_of(pod))}
        meta["creationTimestamp"] = self._plane.stamp
        api_version, kind = kinds.KINDS[kinds.POD_METRICS]
        body = {"apiVersion": api_version, "kind": kind, "metadata": meta}
        sample = {"timestamp": self._plane.stamp, "window": "15s", "containers": containers}
        self._plane.store.put(kinds.POD_METRICS, {**body, **sample})

    def _usage(self, pod: Json, container: Json) -> Json:
        family = _family(pod)
        for key, metrics in self._measured.items():
            if self._families.get(key) == family and key[0] == namespace_of(pod):
                for measured in metrics["containers"]:
                    if measured["name"] == container["name"]:
                        found: Json = copy(measured)
                        return found
        requests = (container.get("resources") or {}).get("requests") or {}
        usage = {name: _share(value) for name, value in requests.items() if name in ("cpu", "memory")}
        return {"name": container["name"], "usage": usage or {"cpu": "5m", "memory": "32Mi"}}


def _share(value: str) -> str:
    part = parse(value) * SHARE_OF_REQUEST / 100
    return canonical(f"{int(part // 1024)}Ki") if part >= 1024 else canonical(f"{int(part * 1000)}m")


def _family(pod: Json) -> str:
    """The name of a pod without what differs between the pods and revisions of one workload."""
    hashed = labels_of(pod).get("pod-template-hash")
    return name_of(pod).partition(f"-{hashed}-")[0] if hashed else name_of(pod).rpartition("-")[0]
