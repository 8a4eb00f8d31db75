"""The life of namespaces: what a new one is given, and how one that was deleted is emptied and goes."""

from collections.abc import Iterable, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import copy, is_deleted, name_of, namespace_of
from opssquad.worlds.kube.controllers.plane import Plane

ACCOUNT, ROOT_CA = "default", "kube-root-ca.crt"


class NamespaceController:
    """Fills new namespaces and empties those that are to go."""

    latency = 0.05

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[str]:
        """A namespace that is new or to go, and one that is to go when something in it went."""
        if change.resource == kinds.NAMESPACES and change.type != "DELETED":
            if change.type == "ADDED" or is_deleted(change.object):
                yield name_of(change.object)
        elif change.type == "DELETED" and (namespace := namespace_of(change.object)):
            found = self._plane.get(kinds.NAMESPACES, "", namespace)
            if found and is_deleted(found):
                yield namespace

    def sync(self, name: str) -> None:
        """One look at a namespace."""
        namespace = self._plane.get(kinds.NAMESPACES, "", name)
        if namespace is None:
            return
        if not is_deleted(namespace):
            self._fill(name)
            return
        for resource, obj in list(self._content(name)):
            self._end(resource, obj)
        if not any(self._content(name)):
            self._plane.remove(kinds.NAMESPACES, namespace)

    def _fill(self, namespace: str) -> None:
        """The service account that pods run as, and the certificate that they trust."""
        if self._plane.get(kinds.SERVICE_ACCOUNTS, namespace, ACCOUNT) is None:
            account = {"metadata": {"name": ACCOUNT, "namespace": namespace}}
            self._plane.create(kinds.SERVICE_ACCOUNTS, account)
        roots = [obj for obj in self._plane.all(kinds.CONFIG_MAPS) if name_of(obj) == ROOT_CA]
        if roots and not any(namespace_of(obj) == namespace for obj in roots):
            metadata = {"name": ROOT_CA, "namespace": namespace}
            if notes := roots[0]["metadata"].get("annotations"):
                metadata["annotations"] = copy(notes)
            self._plane.create(
                kinds.CONFIG_MAPS, {"metadata": metadata, "data": copy(roots[0].get("data") or {})}
            )

    def _content(self, namespace: str) -> Iterator[tuple[ResourceKey, Json]]:
        """Everything in a namespace; pods come last, when nobody is left who would make new ones."""
        keys = self._plane.store.resources()
        for resource in sorted(keys, key=lambda key: key == kinds.PODS):
            if resource == kinds.NAMESPACES:
                continue
            for obj in self._plane.all(resource, namespace):
                if namespace_of(obj) == namespace:
                    yield resource, obj

    def _end(self, resource: ResourceKey, obj: Json) -> None:
        if resource == kinds.PODS:
            self._plane.delete_pod(obj)
        elif not obj["metadata"].get("finalizers"):
            self._plane.remove(resource, obj)
        elif not is_deleted(obj):
            self._plane.store.put(resource, self._plane.dying(obj, 0))
