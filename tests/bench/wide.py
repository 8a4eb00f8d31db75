"""A cluster with thousands of Services and policies as a recording folder, for `path`.

One workload of a recorded incident, with its Service, endpoints and pods, is multiplied under other names;
each namespace has policies that let its workloads call each other and the DNS.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5
from zlib import crc32

import yaml

from tests.bench.large import SOURCE, SPACE, Json

FAMILY = "api-gateway"
KINDS = {"Deployment", "ReplicaSet", "Service", "EndpointSlice", "Pod"}


@dataclass(frozen=True)
class Size:
    """How wide; everything is spread evenly over the namespaces."""

    services: int = 2_000
    pods: int = 10_000
    policies: int = 1_000
    namespaces: int = 50
    nodes: int = 500


def write(folder: Path, size: Size | None = None) -> Path:
    """Write the recording and return its folder."""
    (folder / "cluster").mkdir(parents=True)
    incident = yaml.safe_load((SOURCE / "incident.yaml").read_text(encoding="utf-8"))
    incident |= {"id": folder.name, "title": "A wide cluster", "alerts": []}
    (folder / "incident.yaml").write_text(yaml.safe_dump(incident), encoding="utf-8")
    (folder / "world.yaml").write_text("outcomes: []\ndefault: {pods: ready}\n", encoding="utf-8")
    with gzip.open(folder / "cluster" / "objects.jsonl.gz", "wt", compresslevel=1, encoding="utf-8") as out:
        out.writelines(json.dumps(obj, separators=(",", ":")) + "\n" for obj in objects(size or Size()))
    return folder


def objects(size: Size) -> Iterator[Json]:
    """Every object of the wide cluster."""
    with gzip.open(SOURCE / "cluster" / "objects.jsonl.gz", "rt", encoding="utf-8") as lines:
        source = [json.loads(line) for line in lines]
    nodes = [each for each in source if each["kind"] == "Node"]
    for number in range(size.nodes):
        name = f"node-{number}"
        yield _copied(
            nodes[number % len(nodes)], {nodes[number % len(nodes)]["metadata"]["name"]: name}, name
        )
    space = next(o for o in source if o["kind"] == "Namespace" and o["metadata"]["name"] == SPACE)
    family = [each for each in source if each["kind"] in KINDS and _is_of(each)]
    yield from _system(space, family, size)
    for number in range(size.namespaces):
        name = f"team-{number:02}"
        yield _copied(space, {SPACE: name}, name)
        for one in range(size.services // size.namespaces):
            following = f"http://svc-{(one + 1) % (size.services // size.namespaces):03}:8080"
            yield from _workload(family, name, f"svc-{one:03}", size, following)
        for one in range(size.policies // size.namespaces):
            yield _policy(name, one)


def _system(space: Json, family: list[Json], size: Size) -> Iterator[Json]:
    """The namespace of the system, with kube-proxy on every node and a DNS of two pods."""
    place = "kube-system"
    yield _copied(space, {SPACE: place}, place)
    pod = next(each for each in family if each["kind"] == "Pod")
    agents = [("kube-proxy", f"node-{n}") for n in range(size.nodes)]
    for number, (name, node) in enumerate((*agents, ("kube-dns", "node-0"), ("kube-dns", "node-1"))):
        made = _copied(pod, {SPACE: place, FAMILY: name}, f"{place}/{number}")
        made["metadata"] |= {
            "name": f"{name}-{number:05}",
            "labels": {"k8s-app": name},
            "ownerReferences": [],
        }
        made["spec"]["nodeName"] = node
        yield made
    service = next(each for each in family if each["kind"] == "Service")
    dns = _copied(service, {SPACE: place, FAMILY: "kube-dns"}, f"{place}/dns")
    dns["spec"] |= {
        "selector": {"k8s-app": "kube-dns"},
        "ports": [{"port": 53, "protocol": "UDP", "name": "dns"}],
    }
    yield dns
    ends = next(each for each in family if each["kind"] == "EndpointSlice")
    yield _copied(ends, {SPACE: place, FAMILY: "kube-dns"}, f"{place}/ends")


def _is_of(obj: Json) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return obj["metadata"]["namespace"] == SPACE and FAMILY in (
        labels.get("app"),
        labels.get("app.kubernetes.io/name"),
    )


def _workload(family: list[Json], space: str, name: str, size: Size, following: str) -> Iterator[Json]:
    replicas, salt = size.pods // size.services, f"{space}/{name}"
    pods = [each for each in family if each["kind"] == "Pod"]
    names = {SPACE: space, FAMILY: name}
    made = []
    for number in range(replicas):
        pod = _copied(pods[number % len(pods)], names, f"{salt}/{number}", own=salt)
        spot = crc32(f"{salt}/{number}".encode())
        pod["metadata"]["name"] = f"{pod['metadata']['name'].rsplit('-', 1)[0]}-{number:05}"
        pod["spec"]["nodeName"] = f"node-{spot % size.nodes}"
        pod["status"] |= {"podIP": f"10.{spot >> 16 & 255}.{spot >> 8 & 255}.{spot & 255}", "podIPs": []}
        made.append(pod)
    yield from made
    for each in family:
        if each["kind"] != "Pod":
            copied = _copied(each, names, salt, own=salt)
            if each["kind"] == "EndpointSlice":
                copied["endpoints"] = [_end(pod) for pod in made]
            if each["kind"] == "Deployment":
                calls = {"name": "NEXT_URL", "value": following}
                copied["spec"]["template"]["spec"]["containers"][0]["env"] = [calls]
            yield copied


def _end(pod: Json) -> Json:
    target = {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    at = {"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True}}
    return {**at, "nodeName": pod["spec"]["nodeName"], "targetRef": target}


def _policy(space: str, number: int) -> Json:
    """One workload's: from its whole namespace and by labels and addresses of others, to all and the DNS."""
    others = {"matchExpressions": [{"key": "team", "operator": "In", "values": [f"t{number}"]}]}
    block = {"cidr": "10.0.0.0/8", "except": [f"10.{number}.0.0/16"]}
    peers = [{"podSelector": {}}, {"namespaceSelector": others}, {"ipBlock": block}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": f"p-{number:03}",
            "namespace": space,
            "uid": str(uuid5(UUID(int=0), f"{space}{number}")),
        },
        "spec": {
            "podSelector": {"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]}
            if number % 2
            else {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers}],
            "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 1, "endPort": 65535}]}],
        },
    }


def _copied(obj: Json, names: dict[str, str], salt: str, own: str = "") -> Json:
    text = json.dumps(obj)
    for old, new in names.items():
        text = text.replace(old, new)
    copied: Json = json.loads(text)
    metadata = copied["metadata"]
    metadata["uid"] = str(uuid5(UUID(metadata["uid"]), salt))
    for each in metadata.get("ownerReferences") or []:
        each["uid"] = str(uuid5(UUID(each["uid"]), own or salt))
    return copied
