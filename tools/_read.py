"""Reading a namespace or a cluster as a scene, as cheaply as its size allows.

Small scopes are read whole. In large ones the server's own tables tell which namespaces have trouble, and
only those are read whole.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from opssquad import Cluster, Json, ToolError

from ._kube import condition, dig
from ._pods import is_finished, is_ready, is_terminating
from .signals._scene import Scene

SMALL = 400
"""Pods up to which a scope is read whole."""
DEEP = 3
"""Namespaces of a large cluster that are read whole, the worst first."""
SPACED = (
    *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service"),
    *("EndpointSlice", "ConfigMap", "Secret", "Ingress", "HorizontalPodAutoscaler"),
    *("PodDisruptionBudget", "PersistentVolumeClaim", "ResourceQuota", "Event"),
)
GLOBAL = ("Node", "StorageClass")
FINE = frozenset({"Running", "Completed", "Succeeded"})


@dataclass
class Reading:
    """What was read: the scene, pods counted, kinds not read and why, trouble seen from afar."""

    scene: Scene
    pods: int = 0
    ready: int = 0
    finished: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    afar: dict[str, list[str]] = field(default_factory=dict)


async def read(cluster: Cluster, namespace: str) -> Reading:
    """The scene of a namespace, or of the whole cluster where it is "". Raises ToolError."""
    pods = await cluster.table("Pod", namespace, detail=_unwell)
    ready, state = pods.column("Ready"), pods.column("Status")
    bad: dict[str, list[str]] = {}
    count, fine, finished = len(pods.rows), 0, 0
    for row in pods.rows:
        have, _, want = str(row.cells[ready]).partition("/")
        if row.cells[state] in {"Completed", "Succeeded"}:
            finished += 1
        elif have == want and row.cells[state] in FINE:
            fine += 1
        else:
            bad.setdefault(row.namespace, []).append(f"{row.name} {row.cells[state]}")
    if count <= SMALL:
        scene, unread = await _whole(cluster, (namespace,))
        return Reading(scene, count, fine, finished, unread)
    if namespace:
        scene, unread = await _whole(cluster, (namespace,), trim=True)
        return Reading(scene, count, fine, finished, unread)
    for space in await _short_of_pods(cluster):
        bad.setdefault(space, [])
    worst = sorted(bad, key=lambda each: (-len(bad[each]), each))
    scene, unread = await _whole(cluster, worst[:DEEP], trim=True)
    return Reading(scene, count, fine, finished, unread, {each: bad[each] for each in worst[DEEP:]})


def _unwell(headings: tuple[str, ...], cells: tuple[Any, ...]) -> bool:
    """Whether a row of the pods' table needs its namespace told: the pod is neither well nor finished."""
    row = dict(zip(map(str.lower, headings), cells, strict=False))
    have, _, want = str(row.get("ready")).partition("/")
    status = row.get("status")
    return status not in {"Completed", "Succeeded"} and (have != want or status not in FINE)


async def _short_of_pods(cluster: Cluster) -> list[str]:
    """Namespaces with a Deployment or StatefulSet that has fewer pods ready than it wants, or wants none."""

    def short(obj: Json) -> str | None:
        want = dig(obj, "spec", "replicas", default=1)
        lacks = dig(obj, "status", "readyReplicas", default=0) < want or not want
        return str(obj["metadata"]["namespace"]) if lacks else None

    found = await asyncio.gather(*(cluster.list(kind, keep=short) for kind in ("Deployment", "StatefulSet")))
    return sorted({space for spaces in found for space in spaces})


async def _whole(
    cluster: Cluster, spaces: tuple[str, ...] | list[str], trim: bool = False
) -> tuple[Scene, dict[str, str]]:
    unread: dict[str, str] = {}

    async def one(kind: str, space: str) -> list[Json]:
        keep = _broken if trim and kind == "Pod" else _light
        try:
            return await cluster.list(kind, space, keep=keep)
        except ToolError as error:
            if kind == "Pod":
                raise
            unread[kind] = str(error)
            return []

    asked = [(kind, space) for space in spaces for kind in SPACED] + [(kind, "") for kind in GLOBAL]
    found = await asyncio.gather(*(one(kind, space) for kind, space in asked))
    whole = frozenset({*SPACED, *GLOBAL} - set(unread))
    return Scene(cluster.now(), (obj for objects in found for obj in objects), whole), unread


def _light(obj: Json) -> Json:
    """The object without what no signal reads and what weighs: a node's list of images."""
    if dig(obj, "status", "images"):
        obj["status"].pop("images")
    return obj


def _broken(pod: Json) -> Json | None:
    """A pod worth keeping of thousands: not ready, ending, or restarted."""
    restarted = any(each.get("restartCount") for each in dig(pod, "status", "containerStatuses", default=()))
    well = (is_ready(pod) and not restarted) or (
        is_finished(pod) and dig(pod, "status", "phase") == "Succeeded"
    )
    return pod if not well or is_terminating(pod) or condition(pod, "DisruptionTarget") else None
