"""Reading a namespace or a cluster as a scene, as cheaply as its size allows.

Small scopes are read whole. In large ones the server's own tables tell which namespaces have trouble, and
only those are read whole.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from opssquad import Cluster, Json, Table, ToolError

from ._extensions import Extension, served, spaces_of
from ._kube import condition, dig
from ._pods import is_finished, is_ready, is_terminating
from ._rights import untimed, visible
from .signals import startup
from .signals._scene import Scene
from .signals.services import SERVICE_LABEL

SMALL = 400
"""Pods up to which a scope is read whole."""
DEEP = 3
"""Namespaces of a large cluster that are read whole, the worst first."""
SPACED = (
    *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service"),
    *("EndpointSlice", "ConfigMap", "Secret", "Ingress", "NetworkPolicy", "HorizontalPodAutoscaler"),
    *("PodDisruptionBudget", "PersistentVolumeClaim", "ResourceQuota", "LimitRange", "Event"),
)
GLOBAL = (
    *("Node", "Namespace", "StorageClass", "IngressClass", "PersistentVolume"),
    *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Reading:
    """What was read: the scene, pods counted, kinds not read and why, trouble seen from afar."""

    scene: Scene = field(default_factory=lambda: Scene(EPOCH, ()))
    pods: int = 0
    ready: int = 0
    finished: int = 0
    unread: dict[str, str] = field(default_factory=dict)
    afar: dict[str, list[str]] = field(default_factory=dict)


async def read(cluster: Cluster, namespace: str) -> Reading:
    """The scene of a namespace, or of the whole cluster where it is "". Raises ToolError."""
    pods, lacking, (more, unknown) = await asyncio.gather(
        cluster.table("Pod", namespace, detail=_unwell), _lacking(cluster, namespace), served(cluster)
    )
    reading, bad = _counted(pods)
    if reading.pods <= SMALL or namespace:
        reading.scene, reading.unread = await _whole(cluster, (namespace,), more, trim=reading.pods > SMALL)
        reading.unread |= unknown | untimed(cluster)
        await _accounts(cluster, namespace, reading.scene)
        return reading
    for space, said in lacking:
        bad.setdefault(space, []).append(said)
    worst = sorted(bad, key=lambda each: (-len(bad[each]), each))
    reading.scene, reading.unread = await _whole(cluster, worst[:DEEP], more, trim=True)
    reading.unread |= unknown | untimed(cluster)
    reading.afar = {each: bad[each] for each in worst[DEEP:]}
    return reading


async def _accounts(cluster: Cluster, namespace: str, scene: Scene) -> None:
    """Service accounts carry the credentials for pulls: read where a registry refuses one."""
    if any(startup.refused(each) for events in scene.events.values() for each in events):
        scene.add(await visible(cluster, "ServiceAccount", namespace) or ())


def _counted(pods: Table) -> tuple[Reading, dict[str, list[str]]]:
    """Pods counted by the table's words, and those that are not well by namespace."""
    ready, state = pods.column("Ready"), pods.column("Status")
    bad: dict[str, list[str]] = {}
    fine = finished = 0
    for row in pods.rows:
        have, _, want = str(row.cells[ready]).partition("/")
        if row.cells[state] in {"Completed", "Succeeded"}:
            finished += 1
        elif have == want and row.cells[state] == "Running":
            fine += 1
        else:
            bad.setdefault(row.namespace, []).append(f"{row.name} {row.cells[state]}")
    return Reading(pods=len(pods.rows), ready=fine, finished=finished), bad


def _unwell(headings: tuple[str, ...], cells: tuple[Any, ...]) -> bool:
    """Whether a row of the pods' table needs its namespace told: the pod is neither well nor finished."""
    row = dict(zip(map(str.lower, headings), cells, strict=False))
    have, _, want = str(row.get("ready")).partition("/")
    status = row.get("status")
    return status not in {"Completed", "Succeeded"} and (have != want or status != "Running")


def _short(headings: tuple[str, ...], cells: tuple[Any, ...]) -> bool:
    """Whether a row tells of a workload that lacks pods or wants none, or of a slice without endpoints."""
    row = dict(zip(map(str.lower, headings), cells, strict=False))
    have, _, want = str(row.get("ready", "1/1")).partition("/")
    return have != want or want == "0" or str(row.get("endpoints", "")).startswith("<")


async def _lacking(cluster: Cluster, namespace: str) -> list[tuple[str, str]]:
    """Namespace and words for workloads that lack pods or want none, and Services without endpoints."""
    if namespace:
        return []
    found: list[tuple[str, str]] = []
    kinds = ("Deployment", "StatefulSet", "EndpointSlice")
    *workloads, slices = await asyncio.gather(*(cluster.table(each, detail=_short) for each in kinds))
    for kind, listed in zip(kinds, workloads, strict=False):
        ready = listed.column("Ready")
        for row in listed.rows:
            have, _, want = str(row.cells[ready]).partition("/")
            if _short(listed.columns, row.cells):
                found.append((row.namespace, f"{kind} {row.name} {have}/{want} ready"))
    ends = slices.column("Endpoints")
    for row in slices.rows:
        name = dig(row.metadata, "labels", SERVICE_LABEL)
        if name and str(row.cells[ends]).startswith("<"):
            found.append((row.namespace, f"Service {name} without endpoints"))
    return found


async def _whole(
    cluster: Cluster, spaces: Sequence[str], more: Sequence[Extension], trim: bool = False
) -> tuple[Scene, dict[str, str]]:
    unread: dict[str, str] = {}

    async def one(kind: str, space: str, group: str = "") -> list[Json]:
        keep = _broken if trim and kind == "Pod" else _light
        try:
            return await cluster.list(kind, space, group=group, keep=keep)
        except ToolError as error:
            if kind == "Pod":
                raise
            unread[kind] = str(error)
            return []

    asked = [(kind, space) for space in spaces for kind in SPACED] + [(kind, "") for kind in GLOBAL]
    custom = [(e.kind, s, e.group) for e in more for s in spaces_of(e, spaces)]
    found = await asyncio.gather(*(one(*each) for each in (*asked, *custom)))
    # Of thousands of pods only those in trouble are kept, so that one is missing means nothing.
    kinds = {*SPACED, *GLOBAL, *(each.kind for each in more)}
    whole = frozenset(kinds - set(unread) - ({"Pod"} if trim else set()))
    read_spaces = None if "" in spaces else frozenset(spaces)
    objects = (obj for listed in found for obj in listed)
    return Scene(cluster.now(), objects, whole, read_spaces), unread


def _light(obj: Json) -> Json:
    """The object without what no signal reads and what weighs: a node's list of images, the history of a
    volume's fields."""
    if dig(obj, "status", "images"):
        obj["status"].pop("images")
    if obj.get("kind") == "PersistentVolume":
        obj["metadata"].pop("managedFields", None)
    return obj


def _broken(pod: Json) -> Json | None:
    """A pod worth keeping of thousands: not ready, ending, or restarted."""
    restarted = any(each.get("restartCount") for each in dig(pod, "status", "containerStatuses", default=()))
    well = (is_ready(pod) and not restarted) or (
        is_finished(pod) and dig(pod, "status", "phase") == "Succeeded"
    )
    return pod if not well or is_terminating(pod) or condition(pod, "DisruptionTarget") else None
