"""Objects that the recordings have none of, and copies of recordings that have them."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def with_more(recording: Path, copy: Path, more: list[Json]) -> Path:
    """A copy of the recording with more objects."""
    shutil.copytree(recording, copy)
    file = copy / "cluster" / "objects.jsonl.gz"
    lines = [json.dumps(obj).encode() + b"\n" for obj in more]
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b"".join(lines)))
    return copy


def meta(name: str, **more: str) -> Json:
    return {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "creationTimestamp": "2026-04-01T00:00:00Z",
        **more,
    }


def definition(plural: str, kind: str) -> Json:
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    schema: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta(f"{plural}.example.com"),
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def widget() -> Json:
    spec = {"size": 3}
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": meta("blue", namespace="shop"),
        "spec": spec,
    }


def role(name: str) -> Json:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    kind = "ClusterRole"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": meta(name),
        "rules": rules,
    }


def viewer() -> list[Json]:
    """The default account of the namespace may view it, as the server's own role says."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}
    return [{**head, "metadata": meta("looks", namespace="shop"), "roleRef": role, "subjects": [subject]}]


def event(name: str, **about: str) -> Json:
    """An event in the namespace `default`, about a thing of that name."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(name, namespace="default"),
        "involvedObject": {"kind": "Pod" if about else "Node", "name": "it", **about},
        "reason": "Seen",
        "message": "it was seen",
        "type": "Normal",
        "firstTimestamp": "2026-04-12T10:30:00Z",
        "lastTimestamp": "2026-04-12T10:30:00Z",
        "count": 1,
    }
