"""The tool `revisions`: how every revision that has pods stands now, kept for later."""

import asyncio
from typing import Annotated

from pydantic import Field

from opssquad import Cluster, History, Json, Result, rfc3339, tool

from ._kube import dig, kubectl, source
from ._observing import KINDS, observations


@tool(effect="read", deadline=60)
async def revisions(
    cluster: Cluster,
    history: History,
    namespace: Annotated[str, Field(description='"" looks at the whole cluster')] = "",
) -> Result:
    """How each revision of each workload stands now: its pods, how many are ready, their restarts. Kept, so
    that it can be told when the pods are gone."""
    kinds = (*KINDS, "ReplicaSet", "ControllerRevision")
    pods, *found = await asyncio.gather(
        cluster.list("Pod", namespace, keep=_light), *(cluster.list(k, namespace, keep=_bare) for k in kinds)
    )
    if not pods and namespace:
        await cluster.get("Namespace", namespace)
    objects = [each for listed in found for each in listed]
    workloads = [each for each in objects if each["kind"] in KINDS]
    keepers = [each for each in objects if each["kind"] not in KINDS]
    seen = observations(workloads, keepers, pods, cluster.now())
    news = await history.record(seen)
    lines = [
        f"{each.workload} {each.words()}{'' if each.current else ' (not the current one)'}" for each in seen
    ]
    where = f"namespace {namespace}" if namespace else "all namespaces"
    return Result(
        text="\n".join([f"Revisions with pods in {where}, at {cluster.now():%H:%M:%S} UTC:", *lines]),
        sources=tuple(source(each) for each in workloads),
        data={
            "workloads": list(dict.fromkeys(str(each.workload) for each in seen)),
            "revisions": [
                {"workload": str(each.workload), "revision": each.revision, "text": each.words()}
                for each in seen
            ],
            "news": [{"workload": str(each.workload), "revision": each.revision} for each in news],
            "at": rfc3339(cluster.now()),
        },
        commands=(kubectl("get", "deploy,rs,sts,ds,pods", namespace=namespace, everywhere=not namespace),),
    )


def _light(pod: Json) -> Json:
    """What a look keeps of a pod, so that thousands cost little."""
    spec = {"initContainers": dig(pod, "spec", "initContainers", default=[])}
    return {**_bare(pod), "spec": spec, "status": pod.get("status") or {}}


def _bare(obj: Json) -> Json:
    """An object without its template and the record of its fields."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    spec = {key: value for key, value in (obj.get("spec") or {}).items() if key != "template"}
    return {**{key: value for key, value in obj.items() if key != "data"}, "metadata": meta, "spec": spec}
