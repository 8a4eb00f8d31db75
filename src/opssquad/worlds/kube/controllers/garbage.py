"""The garbage collector: what has lost its owner goes too; foreground and orphaning deletions."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import copy, is_deleted, key_of
from opssquad.worlds.kube.controllers.plane import Plane

Key = tuple[ResourceKey, str, str]
OWNED = (
    kinds.REPLICA_SETS,
    kinds.PODS,
    kinds.REVISIONS,
    kinds.SLICES,
    kinds.JOBS,
    kinds.STATEFUL_SETS,
    kinds.DEPLOYMENTS,
)
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


class GarbageCollector:
    """Follows owner references."""

    latency = 0.01

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, ...]]:
        """Whatever is owned by something that went, and what waits for those it owns."""
        if change.resource == kinds.EVENTS:
            return
        if change.type == "DELETED":
            uid = change.object["metadata"].get("uid", "")
            for resource, obj in self._dependents(change.object):
                yield ("owned", *resource, *key_of(obj), uid)
            if change.resource == kinds.SERVICES:
                yield ("endpoints", *kinds.ENDPOINTS, *key_of(change.object), uid)
            for owner in change.object["metadata"].get("ownerReferences") or ():
                if key := kinds.KEYS.get(owner["kind"]):
                    namespace = change.object["metadata"].get("namespace", "")
                    yield ("waits", *key, namespace, owner["name"], owner["uid"])
        elif is_deleted(change.object) and change.object["metadata"].get("finalizers"):
            meta = change.object["metadata"]
            yield ("waits", *change.resource, *key_of(change.object), meta.get("uid", ""))

    def sync(self, key: tuple[str, ...]) -> None:
        """Collect one object, or carry a deletion with a finalizer further."""
        what, group, plural, namespace, name, uid = key
        resource = ResourceKey(group, plural)
        obj = self._plane.get(resource, namespace, name)
        if obj is None:
            return
        if what == "endpoints":
            self._plane.remove(resource, obj)
        elif what == "waits" and obj["metadata"].get("uid") == uid and is_deleted(obj):
            self._carry_on(resource, obj)
        elif what == "owned":
            self._collect(resource, obj)

    def _dependents(self, owner: Json) -> list[tuple[ResourceKey, Json]]:
        uid, namespace = owner["metadata"].get("uid"), owner["metadata"].get("namespace", "")
        return [
            (resource, obj)
            for resource in OWNED
            for obj in self._plane.all(resource, namespace)
            if any(o["uid"] == uid for o in obj["metadata"].get("ownerReferences") or ())
        ]

    def _collect(self, resource: ResourceKey, obj: Json) -> None:
        if any(self._lives(o, obj) for o in obj["metadata"].get("ownerReferences") or ()):
            return
        if resource == kinds.PODS:
            self._plane.delete_pod(obj)
        else:
            self._plane.remove(resource, obj)

    def _lives(self, reference: Json, obj: Json) -> bool:
        key = kinds.KEYS.get(reference["kind"])
        owner = self._plane.get(key, obj["metadata"].get("namespace", ""), reference["name"]) if key else None
        return owner is not None and owner["metadata"]["uid"] == reference["uid"]

    def _carry_on(self, resource: ResourceKey, obj: Json) -> None:
        finalizers = obj["metadata"].get("finalizers") or []
        dependents = self._dependents(obj)
        if ORPHAN in finalizers:
            for key, dependent in dependents:
                self._disown(key, dependent, obj)
            self._release(resource, obj, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [(key, child) for key, child in dependents if _blocks(child, obj)]
            for key, child in blocking:
                self._end_first(key, child)
            if not blocking:
                self._release(resource, obj, FOREGROUND)

    def _end_first(self, resource: ResourceKey, obj: Json) -> None:
        if resource == kinds.PODS:
            self._plane.delete_pod(obj)
        elif not self._dependents(obj):
            self._plane.remove(resource, obj)
        elif not is_deleted(obj):
            changed = self._plane.dying(obj, 0)
            changed["metadata"]["finalizers"] = [*(obj["metadata"].get("finalizers") or ()), FOREGROUND]
            self._plane.store.put(resource, changed)

    def _disown(self, resource: ResourceKey, obj: Json, owner: Json) -> None:
        changed = copy(obj)
        uid = owner["metadata"]["uid"]
        kept = [o for o in obj["metadata"]["ownerReferences"] if o["uid"] != uid]
        changed["metadata"]["ownerReferences"] = kept
        if not kept:
            del changed["metadata"]["ownerReferences"]
        self._plane.store.put(resource, changed)

    def _release(self, resource: ResourceKey, obj: Json, finalizer: str) -> None:
        changed = copy(obj)
        changed["metadata"]["finalizers"] = [f for f in obj["metadata"]["finalizers"] if f != finalizer]
        if changed["metadata"]["finalizers"]:
            self._plane.store.put(resource, changed)
        else:
            self._plane.remove(resource, obj)


def _blocks(child: Json, owner: Json) -> bool:
    uid = owner["metadata"]["uid"]
    references = child["metadata"].get("ownerReferences") or ()
    return any(o["uid"] == uid and o.get("blockOwnerDeletion") for o in references)
