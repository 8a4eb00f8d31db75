"""The cluster as controllers see and write it, at the world's moment, with an event recorder.

It does for controllers what the API server does on a write: uid, creation time, generation, managed fields,
graceful deletion of pods.
"""

from datetime import datetime, timedelta

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.fields.ownership import Writer, updated
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.read import empty
from opssquad.worlds.kube.apiserver.typed.schema import schema
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.events import Recorder
from opssquad.worlds.kube.controllers.kernel import Kernel
from opssquad.worlds.kube.controllers.meta import (
    copy,
    is_deleted,
    is_finished,
    key_of,
)

MANAGER = "kube-controller-manager"
WITH_STATUS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Pod", "Job"})
WITHOUT_GENERATION = frozenset(
    {
        kinds.CONFIG_MAPS,
        kinds.EVENTS,
        kinds.ENDPOINTS,
        kinds.POD_METRICS,
        kinds.NODES,
        kinds.QUOTAS,
        kinds.VOLUMES,
        kinds.SERVICE_ACCOUNTS,
    }
)


class Plane:
    """What controllers share. `seed` makes the names of one world differ from those of another."""

    def __init__(self, kernel: Kernel, seed: str) -> None:
        self.kernel = kernel
        self.store: Store = kernel.store
        self.seed = seed
        self.events = Recorder(self)

    @property
    def now(self) -> datetime:
        """The moment that the world has reached."""
        return self.kernel.now

    @property
    def stamp(self) -> str:
        """Now, as objects hold times."""
        return rfc3339(self.now)

    def get(self, resource: ResourceKey, namespace: str, name: str) -> Json | None:
        """A stored object, never to be changed."""
        return self.store.get(resource, namespace, name)

    def all(self, resource: ResourceKey, namespace: str = "") -> list[Json]:
        """The stored objects of a resource, never to be changed."""
        return self.store.list(resource, namespace)

    def owned(self, resource: ResourceKey, owner: Json) -> list[Json]:
        """The objects of a resource that `owner` controls."""
        uid = owner["metadata"]["uid"]
        return [
            obj
            for obj in self.all(resource, owner["metadata"].get("namespace", ""))
            if any(
                o["uid"] == uid and o.get("controller") for o in obj["metadata"].get("ownerReferences", ())
            )
        ]

    def create(self, resource: ResourceKey, obj: Json, manager: str = MANAGER) -> Json:
        """Store a new object: uid, creation time and generation are given here."""
        api_version, kind = kinds.KINDS[resource]
        meta = {
            **obj["metadata"],
            "uid": naming.uid(self.seed, resource, key_of(obj), self.store.revision),
            "creationTimestamp": self.stamp,
        }
        if resource not in WITHOUT_GENERATION:
            meta["generation"] = 1
        body = {"apiVersion": api_version, "kind": kind, **obj, "metadata": meta}
        return self.store.put(resource, _tracked(None, body, manager, "", self.now))

    def update(self, resource: ResourceKey, obj: Json, manager: str = MANAGER, subresource: str = "") -> Json:
        """Store a changed copy of an object; one that is equal to what is stored is not written.

        The generation moves with everything outside metadata and status, unless a subresource is written.
        """
        stored = self.get(resource, *key_of(obj))
        if stored is None or stored == obj:
            return obj
        if not subresource and "generation" in obj["metadata"] and _moved(stored, obj):
            generation = stored["metadata"].get("generation", 1) + 1
            obj = {**obj, "metadata": {**obj["metadata"], "generation": generation}}
        return self.store.put(resource, _tracked(stored, obj, manager, subresource, self.now))

    def remove(self, resource: ResourceKey, obj: Json) -> None:
        """Take an object away at once."""
        self.store.remove(resource, *key_of(obj))

    def delete_pod(self, pod: Json) -> None:
        """Ask for a pod's end: with its grace period if it is on a node and has not finished."""
        if is_deleted(pod):
            return
        at_once = is_finished(pod) or not pod["spec"].get("nodeName")
        if at_once and not pod["metadata"].get("finalizers"):
            self.remove(kinds.PODS, pod)
            return
        grace = 0 if at_once else pod["spec"].get("terminationGracePeriodSeconds", 30)
        self.store.put(kinds.PODS, self.dying(pod, grace))

    def dying(self, obj: Json, grace: int) -> Json:
        """A copy of an object whose deletion was asked for."""
        changed: Json = copy(obj)
        meta = changed["metadata"]
        meta["generation"] = meta.get("generation", 1) + 1
        meta["deletionTimestamp"] = rfc3339(self.now + timedelta(seconds=grace))
        meta["deletionGracePeriodSeconds"] = grace
        return changed

    def finish(self, resource: ResourceKey, obj: Json) -> None:
        """Take an object away whose deletion was asked for, once no finalizer holds it."""
        if is_deleted(obj) and not obj["metadata"].get("finalizers"):
            self.remove(resource, obj)


def _tracked(before: Json | None, after: Json, manager: str, subresource: str, now: datetime) -> Json:
    """The object with its managedFields brought up to date, as the API server does on an update."""
    kind = schema().kind(after["apiVersion"], after["kind"])
    reset = "spec" if subresource == "status" else "status"
    ignored = ((("f", reset),),) if after["kind"] in WITH_STATUS else ()
    writer = Writer(manager, after["apiVersion"], subresource, rfc3339(now), ignored)
    meta = {k: v for k, v in after["metadata"].items() if k != "managedFields"}
    fields = updated(before or (empty(kind) if kind else {}), after, kind, writer)
    return {**after, "metadata": {**meta, "managedFields": fields} if fields else meta}


def _moved(before: Json, after: Json) -> bool:
    aside = ("metadata", "status")
    return {k: v for k, v in before.items() if k not in aside} != {
        k: v for k, v in after.items() if k not in aside
    }
