"""The nodes of a cluster as their kubelets report them, and what the metrics API says of nodes and pods."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from opssquad.evals.scenarios.spec import Cluster
from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.typed.quantity import canonical, parse
from opssquad.worlds.kube.controllers import naming
from opssquad.worlds.kube.controllers.meta import is_ready

FIRST_REVISION = 40_000_000
CONDITIONS = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
SILENCE = timedelta(seconds=167)
"""How long before a node is held to be silent it last wrote its status; leases, which come oftener, tell."""
HEARTBEAT = (10, 280)
"""Seconds before the clock within which a node that is well has reported."""


def nodes(cluster: Cluster, born: datetime) -> list[Json]:
    """Every node, ready since its birth."""
    return [
        _node(cluster, number, born + timedelta(seconds=40 * number))
        for number in range(1, cluster.nodes + 1)
    ]


def _node(cluster: Cluster, number: int, born: datetime) -> Json:
    name, stamp = cluster.node.replace("$n", str(number)), rfc3339(born)
    zone = "abc"[(number - 1) % 3]
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": f"zone-{zone}",
    }
    size = {"cpu": cluster.cpu, "memory": cluster.memory, "pods": "110", "ephemeral-storage": "83873772Ki"}
    conditions = [
        {
            "type": kind,
            "status": status,
            "lastHeartbeatTime": stamp,
            "lastTransitionTime": stamp,
            "reason": reason,
            "message": message,
        }
        for kind, (status, reason, message) in CONDITIONS.items()
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": naming.uid("node", name),
            "resourceVersion": str(FIRST_REVISION + number),
            "creationTimestamp": stamp,
            "labels": labels,
        },
        "spec": {"podCIDR": f"10.244.{number}.0/24", "podCIDRs": [f"10.244.{number}.0/24"]},
        "status": {
            "capacity": size,
            "allocatable": size,
            "conditions": conditions,
            "addresses": [
                {"type": "InternalIP", "address": f"{cluster.network}.{10 + number}"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _machine(name, cluster.kubernetes),
        },
    }


def _machine(node: str, version: str) -> Json:
    return {
        "machineID": naming.digest("machine", node)[:32],
        "systemUUID": naming.uid("system", node),
        "bootID": naming.uid("boot", node),
        "kernelVersion": "6.8.0-71-generic",
        "osImage": "Ubuntu 24.04.3 LTS",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }


def reported(node: Json, now: datetime, well: bool) -> Json:
    """The status of a node whose kubelet has reported that all is well, or nothing for too long, as of a
    moment."""
    made = []
    for old in node["status"]["conditions"]:
        silent = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        status, reason, message = CONDITIONS[old["type"]] if well else silent
        heard = now if well else now - SILENCE
        stamps = {"lastHeartbeatTime": rfc3339(heard), "lastTransitionTime": rfc3339(now)}
        made.append({**old, **stamps, "status": status, "reason": reason, "message": message})
    return {"status": {"conditions": made}}


def beat(node: Json, clock: datetime, rng: random.Random) -> None:
    """A node that is well has reported a moment ago."""
    stamp = rfc3339(clock - timedelta(seconds=rng.randint(*HEARTBEAT)))
    for condition in node["status"]["conditions"]:
        if condition["reason"].startswith("Kubelet"):
            condition["lastHeartbeatTime"] = stamp


def metrics(
    objects: Sequence[Json], clock: datetime, rng: random.Random, load: Mapping[str, Mapping[str, str]]
) -> Iterator[Json]:
    """What the metrics API shows: a part of what each ready pod requests, or for the first container what
    `load` says by the pod's uid; and its sum by node."""
    stamp = rfc3339(clock - timedelta(seconds=rng.randint(5, 50)))
    used: dict[str, list[float]] = {}
    for pod in (obj for obj in objects if obj["kind"] == "Pod" and is_ready(obj)):
        containers = [_usage(container, rng) for container in pod["spec"]["containers"]]
        containers[0]["usage"] |= load.get(pod["metadata"]["uid"], {})
        total = used.setdefault(pod["spec"]["nodeName"], [0.2, 8e8])
        for each in containers:
            total[0] += float(parse(each["usage"]["cpu"]))
            total[1] += float(parse(each["usage"]["memory"]))
        yield _sample("PodMetrics", pod, stamp) | {"containers": containers}
    for node in (obj for obj in objects if obj["kind"] == "Node" and obj["metadata"]["name"] in used):
        cpu, memory = used[node["metadata"]["name"]]
        usage = {"cpu": f"{int(cpu * 1e9)}n", "memory": f"{int(memory / 1024)}Ki"}
        yield _sample("NodeMetrics", node, stamp) | {"usage": usage}


def _usage(container: Json, rng: random.Random) -> Json:
    wanted = (container.get("resources") or {}).get("requests") or {}
    cpu, memory = parse(wanted.get("cpu", "20m")), parse(wanted.get("memory", "64Mi"))
    share = rng.uniform(0.25, 0.7)
    used = {
        "cpu": f"{int(float(cpu) * share * 1e9)}n",
        "memory": canonical(f"{int(float(memory) * share / 1024)}Ki"),
    }
    return {"name": container["name"], "usage": used}


def _sample(kind: str, about: Json, stamp: str) -> Json:
    meta = {k: about["metadata"][k] for k in ("name", "namespace", "labels") if k in about["metadata"]}
    meta["creationTimestamp"] = stamp
    head = {"apiVersion": "metrics.k8s.io/v1beta1", "kind": kind, "metadata": meta}
    return head | {"timestamp": stamp, "window": "30s"}
