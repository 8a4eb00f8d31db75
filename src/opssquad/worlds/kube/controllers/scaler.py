"""Autoscalers that could not read a utilization because a request was missing: they can once it is there.

They scale nothing: what uses how much is not played in a recorded world.
"""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import condition, copy, key_of, name_of, namespace_of, status_of
from opssquad.worlds.kube.controllers.plane import Plane

BLIND = "FailedGetResourceMetric"


class AutoscalerController:
    """Lets blind autoscalers see."""

    latency = 15.0

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The blind autoscalers of a Deployment that has changed."""
        if change.resource == kinds.DEPLOYMENTS and change.type == "MODIFIED":
            for scaler in self._plane.all(kinds.SCALERS, namespace_of(change.object)):
                target = scaler["spec"]["scaleTargetRef"]
                if (target["kind"], target["name"]) == ("Deployment", name_of(change.object)) and _blind(
                    scaler
                ):
                    yield key_of(scaler)

    def sync(self, key: tuple[str, str]) -> None:
        """Look whether every container requests what is measured by now."""
        scaler = self._plane.get(kinds.SCALERS, *key)
        if scaler is None or not _blind(scaler):
            return
        target = self._plane.get(kinds.DEPLOYMENTS, key[0], scaler["spec"]["scaleTargetRef"]["name"])
        if target is None or not all(_requested(target, name) for name in _measured(scaler)):
            return
        changed = copy(scaler)
        for each in changed["status"]["conditions"]:
            if each["type"] == "ScalingActive":
                each |= {
                    "status": "True",
                    "lastTransitionTime": self._plane.stamp,
                    "reason": "ValidMetricFound",
                    "message": "the HPA was able to successfully calculate a replica count from cpu resource "
                    "utilization (percentage of request)",
                }
        self._plane.update(kinds.SCALERS, changed, subresource="status")


def _blind(scaler: Json) -> bool:
    active = condition(status_of(scaler), "ScalingActive")
    return active is not None and active["status"] == "False" and active.get("reason") == BLIND


def _measured(scaler: Json) -> list[str]:
    return [m["resource"]["name"] for m in scaler["spec"].get("metrics") or () if m["type"] == "Resource"]


def _requested(workload: Json, resource: str) -> bool:
    containers = workload["spec"]["template"]["spec"]["containers"]
    return all(resource in ((c.get("resources") or {}).get("requests") or {}) for c in containers)
