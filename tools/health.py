"""The tool `health`: everything broken in a workload, a namespace or the cluster, in one call."""

from typing import Annotated

from pydantic import Field

from opssquad import Cluster, History, Ref, Result, rfc3339, tool

from ._depends import elsewhere
from ._focus import concerned, thin, workload_named
from ._healthview import view
from ._kube import kubectl
from ._observing import seen_in
from ._read import Reading, read
from ._rights import as_data
from .signals.reading import read_signals


@tool(effect="read", deadline=60)
async def health(
    cluster: Cluster,
    history: History,
    namespace: Annotated[str, Field(description='"" looks at the whole cluster')] = "",
    workload: Annotated[str, Field(description="limit it to one workload, by name")] = "",
) -> Result:
    """Everything broken in a namespace, the whole cluster or a workload: pods, restarts, why, since when."""
    reading = await read(cluster, namespace)
    if not reading.pods and namespace:
        await _there(cluster, namespace)
    await history.record(seen_in(reading.scene))
    found = read_signals(reading.scene)
    only = workload_named(workload, reading.scene) if workload else None
    if only:
        found = concerned(only, found, reading.scene)
    found = thin(found)
    shown = view(reading, found, _scope(cluster, namespace, only, reading), only)
    return Result(
        text=shown.text,
        sources=reading.scene.sources(found),
        signals=tuple(found),
        commands=_commands(namespace),
        data={
            "workloads": [str(each) for each in shown.workloads],
            "pods": [str(each) for each in shown.pods],
            "unread": as_data(reading.unread),
            "calls_into": {
                space: [str(each) for each in callers if only in (None, each)]
                for space, callers in elsewhere(reading.scene).items()
            },
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
