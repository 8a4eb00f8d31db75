"""What an engineer sees of an object while it changes, so that two runs of the controllers can be
compared.

Two runs of real controllers never write the same versions at the same moments; but a rollout, a pod's life
or a Job go through the same faces in the same order. A face is a short tuple; what is compared for each
object is its sequence of distinct faces.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tests.conformance.world import pristine

Json = Mapping[str, Any]
Face = tuple[Any, ...]
GENERATED = re.compile(r"^(?P<lead>.+-)[bcdfghjklmnpqrstvwxz2456789]{5}$|^(?P<event>.+\.)[0-9a-f]{16}$")


def sequences(events: Iterable[Json]) -> dict[str, list[Face]]:
    """For each object of a watch (generated names by order of appearance) its sequence of distinct faces."""
    found: dict[str, list[Face]] = {}
    names: dict[str, str] = {}
    for event in events:
        for name, seen in _faces(event):
            faces = found.setdefault(_known_as(name, names), [])
            if not faces or faces[-1] != seen:
                faces.append(seen)
    return found


def _known_as(name: str, names: dict[str, str]) -> str:
    """A name of the start as it is; a generated one by its order of appearance."""
    generated = GENERATED.match(name)
    if name in names_at_start() or not generated:
        return name
    return names.setdefault(name, f"{generated['lead'] or generated['event']}#{len(names) + 1}")


@cache
def names_at_start() -> frozenset[str]:
    """The names of all objects at the start."""
    store = pristine()
    return frozenset(o["metadata"]["name"] for key in store.resources() for o in store.list(key))


def _faces(event: Json) -> list[tuple[str, Face]]:
    kind, obj = event["type"], event["object"]
    if kind == "BOOKMARK":
        return []
    gone = ("gone",) if kind == "DELETED" else ()
    if obj["kind"] == "Table":
        return [(row["cells"][0], (*row["cells"][1:3], *gone)) for row in obj["rows"]]
    return [(obj["metadata"]["name"], (*face(obj), *gone))]


def face(obj: Json) -> Face:
    """The face of one object."""
    status = obj.get("status") or {}
    match obj["kind"]:
        case "Deployment":
            return _rollout(obj, status)
        case "Pod":
            leaving = "deletionTimestamp" in obj["metadata"]
            return (status.get("phase"), _condition(status, "Ready"), "leaving" if leaving else "")
        case "Job":
            held = sorted(c["type"] for c in status.get("conditions") or [] if c["status"] == "True")
            return (*held, status.get("succeeded", 0), status.get("failed", 0))
        case "Event":
            return (obj["reason"], obj["message"])
    return ()


def _rollout(obj: Json, status: Json) -> Face:
    """What `kubectl rollout status` says, and how many pods serve."""
    wanted = obj["spec"].get("replicas", 1)
    if obj["metadata"]["generation"] > status.get("observedGeneration", 0):
        return ("waiting to be observed",)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return (f"{updated} out of {wanted} new replicas have been updated",)
    if total > updated:
        return (f"{total - updated} old replicas are pending termination",)
    if available < updated:
        return (f"{available} of {updated} updated replicas are available",)
    return ("successfully rolled out",)


def _condition(status: Json, kind: str) -> str:
    return next((c["status"] for c in status.get("conditions") or [] if c["type"] == kind), "")
