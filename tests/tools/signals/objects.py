"""Small API objects for the tests of signals: what a server would send, and no more than a test is about."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from tools._addresses import Directory
from tools._kube import ref
from tools._loglines import entries
from tools._pods import Past
from tools.signals._case import Case, Read
from tools.signals._scene import Scene, make
from tools.signals.calls import called
from tools.signals.logs import log_signals
from tools.signals.reading import read_signals

from opssquad import Json, Signal, parse_time, rfc3339
from opssquad.diagnosis.differential import rank
from opssquad.findings import Hypothesis
from opssquad.squad.knowledge import known_faults

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


def every(*objects: Json) -> list[Signal]:
    """All the signals of these objects."""
    return read_signals(Scene(NOW, objects))


def logged(about: Json, *lines: str, name: str = "app", code: int = 0, minutes: float = 1) -> list[Signal]:
    """What these lines of a container's log prove; with a `code` it ended so."""
    text = "\n".join(f"{ago(minutes)} {line}" for line in lines)
    read = Read(about, name, bool(code), text, Past(code, "Error") if code else None)
    said = entries(text)
    found = log_signals(Case([read], said, NOW, Directory(()), called(said)))
    assert all(quote.text in text for each in found for quote in each.quotes)
    return found


def rolled_out(workload: Json, *fields: str, minutes: float = 40) -> Signal:
    """The signal of a rollout that changed these fields, as `changes` gives it."""
    at = NOW - timedelta(minutes=minutes)
    diff = [{"field": each, "from": "a", "to": "b", "container": "app"} for each in fields]
    data = {"revision": 2, "at": rfc3339(at), "by": "", "cause": "", "back_to": None, "diff": diff}
    text = f"{ref(workload).name} revision 2 rolled out: {', '.join(fields)}"
    return make("rollout.recent", workload, ref(workload), text, (), severity="info", at=at, data=data)


def ranked(*objects: Json, more: Iterable[Signal] = ()) -> list[Hypothesis]:
    """The hypotheses about these objects, and about signals that further calls gave, best first."""
    catalogue = known_faults("k8s", None).catalogue
    return rank(catalogue, [*every(*objects), *more])


def faults(*objects: Json, more: Iterable[Signal] = ()) -> list[str]:
    """Their faults alone."""
    return [each.fault for each in ranked(*objects, more=more)]
