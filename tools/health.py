"""The tool `health`: everything broken in a workload, a namespace or the cluster, in one call."""

import difflib
from collections import defaultdict
from typing import Annotated

from pydantic import Field

from opssquad import Cluster, Ref, Result, Signal, ToolError, rfc3339, tool

from ._healthview import view
from ._kube import kubectl, ref
from ._read import Reading, read
from .signals._scene import Scene
from .signals.reading import concerning, read_signals
from .signals.workloads import KINDS

ALIKE = 3
"""Signals of one name that are kept for one workload: more pods of it tell nothing new."""
MOST_WELL = 30
"""Past so many workloads, those that are well are counted and not told one by one."""


@tool(effect="read", deadline=60)
async def health(
    cluster: Cluster,
    namespace: Annotated[str, Field(description='"" looks at the whole cluster')] = "",
    workload: Annotated[str, Field(description="limit it to one workload, by name")] = "",
) -> Result:
    """Everything broken in a namespace, the whole cluster or a workload: pods, restarts, why, since when."""
    reading = await read(cluster, namespace)
    if not reading.pods and namespace:
        await _there(cluster, namespace)
    found = read_signals(reading.scene)
    only = _workload(workload, reading.scene) if workload else None
    if only:
        found = _of(only, found, reading.scene)
    found = _thin(found)
    shown = view(reading, found, _scope(cluster, namespace, only, reading), only)
    return Result(
        text=shown.text,
        sources=reading.scene.sources(found),
        signals=tuple(found),
        commands=_commands(namespace),
        data={
            "workloads": [str(each) for each in shown.workloads],
            "pods": [str(each) for each in shown.pods],
            "scope": {
                "cluster": cluster.name,
                "namespace": namespace,
                "workload": str(only or ""),
                "at": rfc3339(reading.scene.now),
            },
        },
    )


async def _there(cluster: Cluster, namespace: str) -> None:
    """A namespace without pods may have none, or be no namespace at all: then ToolError names the nearest."""
    await cluster.get("Namespace", namespace)


def _workload(name: str, scene: Scene) -> Ref:
    """The workload of that name (`auth-service`, `deploy/auth-service`). ToolError with the nearest names."""
    bare = name.rsplit("/", 1)[-1]
    known = [ref(each) for each in scene.of(*KINDS, "CronJob", "Job")]
    for each in known:
        if each.name == bare:
            return each
    near = difflib.get_close_matches(bare, [each.name for each in known], n=3, cutoff=0.4)
    said = ", ".join(near) or ", ".join(each.name for each in known[:8]) or "there is none"
    raise ToolError(f"no workload {bare!r} here; nearest: {said}")


def _of(workload: Ref, signals: list[Signal], scene: Scene) -> list[Signal]:
    """What concerns the workload: its own signals, and those of nodes its pods are on."""
    nodes = {pod["spec"].get("nodeName") for pod in scene.pods_of(workload)}
    mine = concerning(signals, workload)
    refused = {each.data.get("object") for each in mine}
    return [
        each
        for each in signals
        if each in mine
        or (each.entity.kind == "Node" and each.entity.name in nodes)
        or str(each.entity) in refused
    ]


def _thin(signals: list[Signal]) -> list[Signal]:
    """A few signals of each name for each owner, and none of the well ones where there are very many."""
    seen: dict[tuple[str, Ref], int] = defaultdict(int)
    kept = []
    well = sum(each.id == "workload.healthy" for each in signals)
    for each in signals:
        seen[each.id, each.owner] += 1
        many = each.id == "workload.healthy" and well > MOST_WELL
        if seen[each.id, each.owner] <= ALIKE and not many:
            kept.append(each)
    return kept


def _scope(cluster: Cluster, namespace: str, only: Ref | None, reading: Reading) -> str:
    where = f"namespace {namespace}" if namespace else "all namespaces"
    what = f", {only.kind} {only.name}" if only else ""
    return f"Cluster {cluster.name}, {where}{what}, at {reading.scene.now:%H:%M:%S} UTC"


def _commands(namespace: str) -> tuple[str, ...]:
    everywhere = not namespace
    return (
        kubectl("get", "pods", namespace=namespace, everywhere=everywhere),
        kubectl("get", "deploy,sts,ds,svc,endpointslices", namespace=namespace, everywhere=everywhere),
        kubectl("get", "events", "--sort-by=.lastTimestamp", namespace=namespace, everywhere=everywhere),
        kubectl("get", "nodes"),
    )
