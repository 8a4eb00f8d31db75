"""A large cluster as a recording folder: real objects of a recorded incident, multiplied.

Most workloads are well; a few are the broken ones of the original. Names, uids and owners stay coherent.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

import yaml

from tests.bench.measure import ROOT

Json = dict[str, Any]
SOURCE = ROOT / "evals" / "recordings" / "auth-0308"
SPACE = "authentication"
WELL = ("api-gateway", "login-ui", "token-service", "user-directory")
BROKEN = "auth-service"


@dataclass(frozen=True)
class Size:
    """How large: spread evenly over the namespaces, of which the last ones hold a broken workload."""

    pods: int = 10_000
    nodes: int = 500
    events: int = 20_000
    namespaces: int = 50
    broken: int = 2


def write(folder: Path, size: Size | None = None) -> Path:
    """Write the recording and return its folder."""
    size = size or Size()
    (folder / "cluster").mkdir(parents=True)
    incident = yaml.safe_load((SOURCE / "incident.yaml").read_text(encoding="utf-8"))
    incident |= {"id": folder.name, "title": "A large cluster", "alerts": []}
    (folder / "incident.yaml").write_text(yaml.safe_dump(incident), encoding="utf-8")
    (folder / "world.yaml").write_text("outcomes: []\ndefault: {pods: ready}\n", encoding="utf-8")
    with gzip.open(folder / "cluster" / "objects.jsonl.gz", "wt", compresslevel=1, encoding="utf-8") as out:
        out.writelines(json.dumps(obj, separators=(",", ":")) + "\n" for obj in objects(size))
    return folder


def objects(size: Size) -> Iterator[Json]:
    """Every object of the large cluster."""
    with gzip.open(SOURCE / "cluster" / "objects.jsonl.gz", "rt", encoding="utf-8") as lines:
        source = [json.loads(line) for line in lines]
    nodes = [obj for obj in source if obj["kind"] == "Node"]
    for number in range(size.nodes):
        yield _copy(
            nodes[number % len(nodes)],
            f"node-{number}",
            {nodes[number % len(nodes)]["metadata"]["name"]: f"node-{number}"},
        )
    events = [o for o in source if o["apiVersion"] == "v1" and o["kind"] == "Event" and o["type"] == "Normal"]
    space = next(o for o in source if o["kind"] == "Namespace" and o["metadata"]["name"] == SPACE)
    for number in range(size.namespaces):
        name = f"team-{number:02}"
        yield _copy(space, name, {SPACE: name})
        replicas = size.pods // size.namespaces // len(WELL)
        for family in WELL:
            yield from _family(source, family, name, replicas, size.nodes)
        if number >= size.namespaces - size.broken:
            yield from _family(source, BROKEN, name, 3, size.nodes)
        for event in range(size.events // size.namespaces):
            yield _copy(events[event % len(events)], f"{name}-{event}", {SPACE: name}, f"event-{event}")


def _family(source: list[Json], workload: str, space: str, replicas: int, nodes: int) -> Iterator[Json]:
    """A Deployment with its ReplicaSets, Service and endpoints, and as many pods as wanted."""
    change = {SPACE: space}
    for obj in source:
        if obj["kind"] in {"Deployment", "ReplicaSet", "Service", "EndpointSlice"} and _of(obj, workload):
            yield _sized(_copy(obj, space, change), replicas)
    pods = [obj for obj in source if obj["kind"] == "Pod" and _of(obj, workload)]
    for number in range(replicas):
        pod = pods[number % len(pods)]
        name = f"{pod['metadata']['name'].rsplit('-', 1)[0]}-{number:05}"
        node = {pod["spec"]["nodeName"]: f"node-{crc32(f'{space}{number}'.encode()) % nodes}"}
        yield _copy(pod, f"{space}-{name}", {**change, **node}, name, own=True)


def _of(obj: Json, workload: str) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return (
        str(labels.get("app") or labels.get("app.kubernetes.io/name") or obj["metadata"]["name"]) == workload
    )


def _sized(obj: Json, replicas: int) -> Json:
    """Counts of a workload as they are with so many pods, where it had any."""
    if obj["kind"] in {"Deployment", "ReplicaSet"} and obj["spec"].get("replicas"):
        obj["spec"]["replicas"] = replicas
        for key in (
            "replicas",
            "readyReplicas",
            "availableReplicas",
            "updatedReplicas",
            "fullyLabeledReplicas",
        ):
            if obj["status"].get(key):
                obj["status"][key] = replicas
    return obj


def _copy(obj: Json, salt: str, names: dict[str, str], name: str = "", own: bool = False) -> Json:
    """A copy with other names; uids follow from the old one and the namespace, so that owners still match."""
    space = names.get(SPACE, salt)
    text = json.dumps(obj)
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    copied: Json = json.loads(text)
    metadata = copied["metadata"]
    metadata["uid"] = _uid(metadata["uid"], salt if own or name else space)
    for owner in metadata.get("ownerReferences") or []:
        owner["uid"] = _uid(owner["uid"], space)
    if name:
        metadata["name"] = name
    return copied


def _uid(old: str, salt: str) -> str:
    return str(uuid5(UUID(old), salt))
