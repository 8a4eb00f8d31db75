"""The tool `nodes`: which nodes answer, which take pods, what is on those that do not.

What is wrong with a node is read by `signals.nodes`.
"""

import asyncio
from collections import Counter
from datetime import datetime

from opssquad import Cluster, Json, Result, Signal, ToolError, tool

from ._digest import hanging
from ._kube import age, condition, dig, kubectl, ref, source
from ._pods import is_finished
from ._quantity import parse, show
from ._rights import visible
from ._text import some, table
from .signals._scene import Scene
from .signals.nodes import node_signals

MOST = 20
OWNERS = 12


@tool(effect="read")
async def nodes(cluster: Cluster) -> Result:
    """Nodes: ready, cordoned, under pressure, since when, and which workloads are on the bad ones."""
    listed, pods, events = await asyncio.gather(
        cluster.list("Node"),
        visible(cluster, "Pod", keep=_slim),
        visible(cluster, "Event", fields="involvedObject.kind=Node"),
    )
    if not listed:
        raise ToolError("the cluster lists no nodes")
    now, pods, events = cluster.now(), pods or [], events or []
    scene = Scene(now, [*listed, *pods, *events])
    signals = [signal for each in listed for signal in node_signals(each, scene)]
    bad = {str(each.entity) for each in signals}
    shown = sorted(listed, key=lambda node: str(ref(node)) not in bad)[:MOST]
    carried = Counter(dig(pod, "spec", "nodeName", default="") for pod in pods)
    text = [summary(listed), "", *_table(shown, carried, now)]
    if len(listed) > len(shown):
        text.append(f"and {len(listed) - len(shown)} more nodes, {'all fine' if len(bad) <= MOST else 'cut'}")
    for signal in signals:
        text += ["", *_told(signal, scene)]
    known = scene.sources(signals)
    have = {each.locator for each in known}
    return Result(
        text="\n".join(text),
        sources=(*known, *(s for s in map(source, shown) if s.locator not in have)),
        data={"nodes": [str(ref(each)) for each in shown]},
        signals=tuple(signals),
        commands=(kubectl("get", "nodes", "-o", "wide"),),
    )


def _slim(pod: Json) -> Json | None:
    """What is looked at here of a pod that runs."""
    if is_finished(pod):
        return None
    meta = {
        key: pod["metadata"][key]
        for key in ("name", "namespace", "labels", "ownerReferences")
        if key in pod["metadata"]
    }
    return {"kind": "Pod", "metadata": meta, "spec": {"nodeName": dig(pod, "spec", "nodeName", default="")}}


def status(node: Json) -> str:
    """The STATUS column of `kubectl get nodes`: `Ready`, `NotReady,SchedulingDisabled`."""
    ready = condition(node, "Ready").get("status")
    words = "Ready" if ready == "True" else "NotReady" if ready else "Unknown"
    return f"{words},SchedulingDisabled" if dig(node, "spec", "unschedulable") else words


def summary(listed: list[Json]) -> str:
    """`4 nodes: 3 Ready, 1 NotReady`."""
    counts = Counter(map(status, listed))
    plural = "node" if len(listed) == 1 else "nodes"
    return f"{len(listed)} {plural}: {', '.join(f'{n} {words}' for words, n in counts.most_common())}."


def _table(shown: list[Json], carried: Counter[str], now: datetime) -> list[str]:
    rows = [
        (
            node["metadata"]["name"],
            status(node),
            age(node, now),
            dig(node, "status", "nodeInfo", "kubeletVersion", default="?"),
            str(carried[node["metadata"]["name"]]),
            str(dig(node, "status", "allocatable", "cpu", default="?")),
            _memory(node),
        )
        for node in shown
    ]
    return table(("NAME", "STATUS", "AGE", "VERSION", "PODS", "CPU", "MEMORY"), rows, "")


def _memory(node: Json) -> str:
    text = dig(node, "status", "allocatable", "memory")
    try:
        return show(parse(text), "memory") if text else "?"
    except ValueError:
        return str(text)


def _told(signal: Signal, scene: Scene) -> list[str]:
    """The signal in words, and whose pods are on the node."""
    mine = [pod for pod in scene.of("Pod") if dig(pod, "spec", "nodeName") == signal.entity.name]
    owners = {f"{(up := scene.owner(pod)).kind} {up.namespace}/{up.name}" for pod in mine}
    named = some(sorted(owners), OWNERS)
    return [*hanging("", f"{signal.id}: {signal.text}"), *(hanging("  on it: ", named) if named else [])]
