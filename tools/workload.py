"""The tool `workload`: what one workload is made of, how it stands, and what it depends on."""

import asyncio
from typing import Annotated

from pydantic import Field

from opssquad import Cluster, History, Quote, Result, rfc3339, tool

from ._depends import dependencies
from ._focus import concerned, thin, workload_named
from ._kube import kubectl, ref, source
from ._observing import seen_in
from ._read import read
from ._rights import visible
from ._workloadview import lines_of, order, template_of
from .signals.reading import read_signals


@tool(effect="read", deadline=60)
async def workload(
    cluster: Cluster,
    history: History,
    name: str,
    namespace: str,
    kind: Annotated[str, Field(description="Deployment, StatefulSet, DaemonSet or CronJob")] = "Deployment",
) -> Result:
    """One workload: pods, conditions, containers, ConfigMaps, Secrets, Services, dependencies, HPA, PDB."""
    # How much is used is told by another server than the rest, where there is one: it may be silent.
    reading, usage = await asyncio.gather(read(cluster, namespace), visible(cluster, "PodMetrics", namespace))
    if not reading.pods:
        await cluster.get("Namespace", namespace)
    scene = reading.scene
    await history.record(seen_in(scene))
    scene.add(usage or ())
    target = workload_named(name, scene, kind)
    obj = scene.known[target]
    found = thin(concerned(target, read_signals(scene), scene))
    pods = order(scene.pods_of(target))
    needs = dependencies(template_of(obj), namespace, scene)
    scope = f"Cluster {cluster.name}, namespace {namespace}, at {scene.now:%H:%M:%S} UTC"
    sources = {each.locator: each for each in scene.sources(found)}
    sources.setdefault(str(target), Quote(locator=str(target), text=source(obj).text))
    return Result(
        text="\n".join([scope, *lines_of(obj, pods, found, needs, scene)]),
        sources=tuple(sources.values()),
        signals=tuple(found),
        data={
            "workloads": [str(target)],
            "pods": [str(ref(each)) for each in pods],
            "dependencies": list(dict.fromkeys(str(each.service) for each in needs if each.service)),
            "scope": {
                "cluster": cluster.name,
                "namespace": namespace,
                "workload": str(target),
                "at": rfc3339(scene.now),
            },
        },
        commands=(
            kubectl("describe", target.kind.lower(), target.name, namespace=namespace),
            kubectl("get", "pods,svc,endpointslices,hpa,pdb,cm", namespace=namespace),
        ),
    )
