"""Which recorded objects are unhealthy, and whether the truth explains each of them."""

from collections.abc import Iterator

from opssquad.types import Json
from opssquad.worlds.kube.recording.load import Recording
from opssquad.worlds.kube.recording.refs import Key, reference, split
from opssquad.worlds.kube.recording.spec import Truth


def unexplained(recording: Recording, truth: Truth, named: dict[Key, Json]) -> Iterator[str]:
    """Unhealthy objects that are neither the component's, nor owned by it, nor listed as affected."""
    affected = {split(text) for text in truth.affected}
    known = {truth.component.key} | affected
    sick = list(unhealthy(recording.objects))
    for obj, why in sick:
        if not known.intersection(_owners(obj, named)):
            yield f"unexplained: {obj['kind']}/{obj['metadata']['name']} {why}"
    if truth.fault.startswith("Z") and any(not affected.intersection(_owners(obj, named)) for obj, _ in sick):
        yield "a recording without a fault has something unhealthy"
    # K12: a ConfigMap edit that no running pod has read yet leaves everything healthy.
    if truth.fault.startswith("K") and truth.fault != "K12" and not sick:
        yield "nothing is unhealthy in a recording with a fault"


def _owners(obj: Json, named: dict[Key, Json]) -> set[Key]:
    """The object itself and everything that owns it, upwards."""
    found = {reference(obj)}
    for owner in obj["metadata"].get("ownerReferences") or []:
        parent = named.get((owner["kind"], obj["metadata"].get("namespace") or "", owner["name"]))
        if parent:
            found |= _owners(parent, named)
    return found


def unhealthy(objects: list[Json]) -> Iterator[tuple[Json, str]]:
    """Every object that is not as it should be, and why."""
    judges = {
        "Deployment": _workload,
        "StatefulSet": _workload,
        "DaemonSet": _daemons,
        "Pod": _pod,
        "Node": _node,
        "PersistentVolumeClaim": _claim,
        "Job": _job,
        "HorizontalPodAutoscaler": _scaler,
    }
    for obj in objects:
        why = judges[obj["kind"]](obj) if obj["kind"] in judges else ""
        if obj["kind"] == "Service" and _starved(obj, objects):
            why = "has no ready endpoint"
        if why:
            yield obj, why


def _conditions(obj: Json) -> dict[str, str]:
    return {c["type"]: c["status"] for c in (obj.get("status") or {}).get("conditions") or []}


def _workload(obj: Json) -> str:
    status, want = obj.get("status") or {}, obj["spec"].get("replicas", 1)
    ready, unset = status.get("readyReplicas", 0), want if obj["kind"] == "StatefulSet" else 0
    updated = status.get("updatedReplicas", unset)
    return "" if ready == updated == want and want else f"{ready}/{want} ready, {updated} up to date"


def _daemons(obj: Json) -> str:
    status = obj.get("status") or {}
    want, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return "" if ready == want else f"{ready}/{want} ready"


def _pod(obj: Json) -> str:
    status = obj.get("status") or {}
    # What has ended and only waits for a finalizer serves nothing and lacks nothing.
    ended = status.get("phase") == "Failed" and obj["metadata"].get("deletionTimestamp")
    if status.get("phase") == "Succeeded" or ended:
        return ""
    if _conditions(obj).get("Ready") != "True" or obj["metadata"].get("deletionTimestamp"):
        return "not ready"
    restarts = sum(c.get("restartCount", 0) for c in status.get("containerStatuses") or [])
    return f"{restarts} restarts" if restarts > 2 else ""


def _node(obj: Json) -> str:
    conditions = _conditions(obj)
    if conditions.pop("Ready", "") != "True" or "True" in conditions.values():
        return "not ready"
    return "cordoned" if obj["spec"].get("unschedulable") else ""


def _claim(obj: Json) -> str:
    phase = (obj.get("status") or {}).get("phase", "")
    return "" if phase == "Bound" else f"is {phase}"


def _job(obj: Json) -> str:
    return "failed" if _conditions(obj).get("Failed") == "True" else ""


def _scaler(obj: Json) -> str:
    conditions = _conditions(obj)
    return (
        "does not scale"
        if "False" in (conditions.get("ScalingActive"), conditions.get("AbleToScale"))
        else ""
    )


def _starved(service: Json, objects: list[Json]) -> bool:
    """A Service without a ready endpoint, unless the workload behind it is unhealthy itself."""
    selector, space = service["spec"].get("selector"), service["metadata"].get("namespace")
    if not selector:
        return False
    label, name = "kubernetes.io/service-name", service["metadata"]["name"]
    near = [obj for obj in objects if obj["metadata"].get("namespace") == space]
    slices = [obj for obj in near if obj["kind"] == "EndpointSlice"]
    mine = [obj for obj in slices if (obj["metadata"].get("labels") or {}).get(label) == name]
    if any((e.get("conditions") or {}).get("ready") for s in mine for e in s.get("endpoints") or []):
        return False
    behind = [
        obj for obj in near if obj["kind"] in ("Deployment", "StatefulSet") and _selected(obj, selector)
    ]
    return all((obj.get("status") or {}).get("readyReplicas", 0) for obj in behind)


def _selected(workload: Json, selector: dict[str, str]) -> bool:
    labels = workload["spec"]["template"]["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())
