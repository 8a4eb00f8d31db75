"""Small API objects for the tests of signals: what a server would send, and no more than a test is about."""

from datetime import timedelta
from typing import Any

from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import Json, Signal, parse_time, rfc3339

NOW = parse_time("2026-01-01T12:00:00Z")


def ago(minutes: float) -> str:
    """The time stamp of that many minutes before NOW."""
    return rfc3339(NOW - timedelta(minutes=minutes))


def obj(kind: str, name: str, spec: Json | None = None, status: Json | None = None, **meta: Any) -> Json:
    """An object in the namespace `n`, an hour old unless `meta` says otherwise."""
    metadata = {"name": name, "namespace": "n", "creationTimestamp": ago(60), **meta}
    return {"kind": kind, "metadata": metadata, "spec": spec or {}, "status": status or {}}


def pod(name: str = "web-1", ready: bool = False, **status: Any) -> Json:
    """A running pod with one container `app` of the workload Deployment/n/web."""
    up = {"kind": "ReplicaSet", "name": "web-h1", "controller": True}
    at = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(30)}
    labels = {"app": "web", "pod-template-hash": "h1"}
    spec = {"nodeName": "n1", "containers": [{"name": "app", "image": "web:1"}]}
    shown = {"phase": "Running", "startTime": ago(50), "conditions": [at], **status}
    return obj("Pod", name, spec, shown, ownerReferences=[up], labels=labels)


def container(ready: bool = False, restarts: int = 0, **state: Any) -> Json:
    """The status of the container `app`; `state` and `lastState` as the kubelet writes them."""
    return {"name": "app", "ready": ready, "restartCount": restarts, "image": "web:1", **state}


def deployment(replicas: int = 2, ready: int = 0, **status: Any) -> Json:
    """The Deployment `web`."""
    spec = {
        "replicas": replicas,
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "web:1", "ports": [{"containerPort": 80}]}]},
        },
    }
    shown = {"readyReplicas": ready, "replicas": replicas, "updatedReplicas": replicas, **status}
    return obj("Deployment", "web", spec, shown)


def event(about: Json, reason: str, message: str, minutes: float = 1, count: int = 1) -> Json:
    """A Warning event about an object, last seen so many minutes ago."""
    target = {"kind": about["kind"], "name": about["metadata"]["name"], "namespace": "n"}
    stamp = {"firstTimestamp": ago(minutes + 1), "lastTimestamp": ago(minutes), "count": count}
    body = {"involvedObject": target, "reason": reason, "message": message, "type": "Warning", **stamp}
    name = f"{about['metadata']['name']}.{reason}{minutes}"
    return {
        **body,
        "kind": "Event",
        "metadata": {"name": name, "namespace": "n", "creationTimestamp": ago(60)},
    }


def told(*objects: Json, complete: frozenset[str] | None = None) -> dict[str, Signal]:
    """The signals of these objects by name; every quote must stand in the sources."""
    scene = Scene(NOW, objects, complete)
    found = read_signals(scene)
    sources = {each.locator: each.text for each in scene.sources(found)}
    assert all(quote.text in sources[quote.locator] for each in found for quote in each.quotes)
    return {each.id: each for each in found}
