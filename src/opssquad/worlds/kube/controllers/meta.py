"""What every controller asks of an object: owners, labels, conditions, readiness. Pure functions on dicts."""

from datetime import datetime, timedelta
from typing import Any

from opssquad.times import parse_time
from opssquad.types import Json


def copy(value: Any) -> Any:
    """A deep copy of JSON data; stored objects are copied before they are changed."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def name_of(obj: Json) -> str:
    """metadata.name."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Json) -> str:
    """metadata.namespace, "" for cluster-scoped objects."""
    return str(obj["metadata"].get("namespace", ""))


def key_of(obj: Json) -> tuple[str, str]:
    """Namespace and name, the key that most controllers queue."""
    return namespace_of(obj), name_of(obj)


def labels_of(obj: Json) -> dict[str, str]:
    """metadata.labels, empty when there are none."""
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Json) -> dict[str, str]:
    """metadata.annotations, empty when there are none."""
    return obj["metadata"].get("annotations") or {}


def status_of(obj: Json) -> Json:
    """The status, empty when nobody has written one."""
    return obj.get("status") or {}


def is_deleted(obj: Json) -> bool:
    """Whether its deletion was asked for."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def controller_of(obj: Json) -> Json | None:
    """The owner reference of the controller that manages it."""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def reference_to(owner: Json) -> Json:
    """The owner reference that a controller puts on what it creates."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj_status: Json, kind: str) -> Json | None:
    """The condition of a type in a status, or None."""
    return next((c for c in obj_status.get("conditions") or [] if c["type"] == kind), None)


def is_true(obj: Json, kind: str) -> bool:
    """Whether an object's condition of this type is True."""
    found = condition(status_of(obj), kind)
    return found is not None and found["status"] == "True"


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition is True."""
    return is_true(pod, "Ready")


def is_finished(pod: Json) -> bool:
    """Whether all its containers have ended for good."""
    return status_of(pod).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Json) -> bool:
    """Not finished and not being deleted: what counts as a replica."""
    return not is_finished(pod) and not is_deleted(pod)


def ready_since(pod: Json) -> datetime | None:
    """When a ready pod became ready; None if it is not."""
    found = condition(status_of(pod), "Ready")
    return parse_time(found["lastTransitionTime"]) if found and found["status"] == "True" else None


def is_available(pod: Json, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least `min_ready_seconds`."""
    since = ready_since(pod)
    return since is not None and (
        not min_ready_seconds or since + timedelta(seconds=min_ready_seconds) <= now
    )


def scaled(value: int | str, total: int, up: bool) -> int:
    """An int, or a percentage of `total` rounded up or down."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%")) * total
    return -(-percent // 100) if up else percent // 100


def drop_zeros(counts: Json, keep: frozenset[str]) -> Json:
    """Counts as the API writes them: zero is left out, but for the fields in `keep`."""
    return {field: value for field, value in counts.items() if value or field in keep}
