"""How many pods a workload wants and has."""

from opssquad import Json

from .._kube import dig

KINDS = ("Deployment", "StatefulSet", "DaemonSet")


def desired(workload: Json) -> int:
    """How many pods the workload should have now."""
    if workload["kind"] == "DaemonSet":
        return int(dig(workload, "status", "desiredNumberScheduled", default=0))
    return int(dig(workload, "spec", "replicas", default=1))


def made(workload: Json) -> int:
    """How many pods it has, ready or not."""
    key = "currentNumberScheduled" if workload["kind"] == "DaemonSet" else "replicas"
    return int(dig(workload, "status", key, default=0))


def ready(workload: Json) -> int:
    """How many of its pods are ready."""
    field = "numberReady" if workload["kind"] == "DaemonSet" else "readyReplicas"
    return int(dig(workload, "status", field, default=0))


def updated(workload: Json) -> int:
    """How many of its pods are of the newest template."""
    field = "updatedNumberScheduled" if workload["kind"] == "DaemonSet" else "updatedReplicas"
    return int(dig(workload, "status", field, default=0))
