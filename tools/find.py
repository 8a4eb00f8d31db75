"""The tool `find`: which workload, namespace and cluster an engineer's words mean."""

import asyncio
from typing import Annotated

from pydantic import Field

from opssquad import Cluster, Json, Quote, Ref, Result, tool

from ._kube import compact, dig, kubectl, ref, selected
from ._match import Candidate, Meaning, understand
from ._rights import visible
from ._text import some, table

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
MOST = 12


@tool(effect="read")
async def find(
    cluster: Cluster,
    what: Annotated[str, Field(description="the engineer's words, as they were said")],
    kind: Annotated[str, Field(description='another kind than workloads, e.g. "Service"')] = "",
    namespace: str = "",
) -> Result:
    """Which workloads words like "the auth service in production" mean; several are all listed: ask."""
    kinds = (kind,) if kind else WORKLOADS
    listed = await asyncio.gather(*(cluster.list(each, namespace, keep=_light) for each in kinds))
    services = [] if kind else await visible(cluster, "Service", namespace, keep=_light) or []
    named = await visible(cluster, "Namespace", keep=_light) or []
    spaces = [each["metadata"]["name"] for each in named]
    objects = {ref(each): each for objects in listed for each in objects}
    meaning = understand(what, _candidates(objects, services), spaces, cluster.name)
    matches = [each.candidate.ref for each in meaning.matches]
    read = "\n".join(compact(_line(objects[each])) for each in matches) or what
    return Result(
        text="\n".join(_text(cluster.name, meaning, objects, namespace)),
        sources=(Quote(locator=f"find {what[:60]}", text=read),),
        data={
            "matches": [str(each) for each in matches],
            "namespaces": list(meaning.spaces),
            "cluster": cluster.name,
            "nearest": list(meaning.nearest),
        },
        commands=(
            kubectl("get", kind or "deploy,sts,ds,cronjobs", namespace=namespace, everywhere=not namespace),
        ),
    )


def _light(obj: Json) -> Json:
    """What matching needs of an object, so that thousands cost little."""
    meta = {
        key: obj["metadata"].get(key) for key in ("name", "namespace", "labels") if key in obj["metadata"]
    }
    spec = {
        "replicas": dig(obj, "spec", "replicas"),
        "selector": dig(obj, "spec", "selector"),
        "labels": dig(obj, "spec", "template", "metadata", "labels"),
    }
    status = {
        key: dig(obj, "status", key) for key in ("readyReplicas", "numberReady", "desiredNumberScheduled")
    }
    return {"kind": obj["kind"], "metadata": meta, "spec": spec, "status": status}


def _candidates(objects: dict[Ref, Json], services: list[Json]) -> list[Candidate]:
    by_space: dict[str, list[Json]] = {}
    for each in services:
        by_space.setdefault(each["metadata"].get("namespace", ""), []).append(each)
    found = []
    for address, obj in objects.items():
        labels = dig(obj, "spec", "labels", default={})
        mine = [
            each["metadata"]["name"]
            for each in by_space.get(address.namespace, ())
            if selected(labels, dig(each, "spec", "selector", default={}))
        ]
        values = {*dig(obj, "metadata", "labels", default={}).values(), *labels.values()}
        found.append(Candidate(address, tuple(sorted(map(str, values))), tuple(mine)))
    return found


def _line(obj: Json) -> Json:
    return {
        "kind": obj["kind"],
        "namespace": obj["metadata"].get("namespace", ""),
        "name": obj["metadata"]["name"],
    }


def _text(cluster: str, meaning: Meaning, objects: dict[Ref, Json], namespace: str) -> list[str]:
    scope = f"Cluster {cluster}, " + (f"namespace {namespace}" if namespace else "all namespaces")
    lines = [scope]
    if meaning.cluster and cluster not in meaning.spaces:
        lines.append(f'"{cluster}" is the cluster\'s name, not a namespace of it.')
    if not meaning.matches:
        near = f" Nearest names: {', '.join(meaning.nearest)}." if meaning.nearest else ""
        spaces = f" Namespaces named: {', '.join(meaning.spaces)}." if meaning.spaces else ""
        return [*lines, f"No workload is meant by these words.{near}{spaces}"]
    count = len(meaning.matches)
    lines.append("1 match" if count == 1 else f"{count} match: ask which one is meant")
    rows = [
        (
            each.candidate.ref.namespace or "-",
            f"{each.candidate.ref.kind} {each.candidate.ref.name}",
            _ready(objects[each.candidate.ref]),
            some(each.candidate.services, 2) or "-",
        )
        for each in meaning.matches[:MOST]
    ]
    lines += table(("NAMESPACE", "WORKLOAD", "READY", "SERVICES"), rows)
    if count > MOST:
        lines.append(f"  and {count - MOST} more")
    return lines


def _ready(obj: Json) -> str:
    status = obj["status"]
    if obj["kind"] == "DaemonSet":
        return f"{status.get('numberReady') or 0}/{status.get('desiredNumberScheduled') or 0}"
    if obj["kind"] in {"Deployment", "StatefulSet"}:
        wanted = dig(obj, "spec", "replicas", default=1)
        return f"{status.get('readyReplicas') or 0}/{wanted}"
    return "-"
