"""The objects of the cluster in memory, their resourceVersions, and the log of changes that watches read.

Knows nothing of HTTP, kinds or validation. Synchronous and single-threaded: one event loop owns a store.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from opssquad.times import Clock
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import ResourceKey

REMEMBERED = 10_000  # changes that the log keeps at least; a watch or a list from before them is too old


@dataclass(frozen=True)
class Change:
    """One write. `object` is what is stored now (for DELETED: the last state, with the revision of the
    deletion); `previous` is what was stored before.
    """

    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: ResourceKey
    object: Json
    previous: Json | None


class Store:
    """Objects by resource key, namespace and name.

    Stored dicts are never mutated: whoever wants to change one copies it first and `put`s the copy. Events
    are stored in their core form, whatever API they are shown in.
    """

    def __init__(self, now: Clock, revision: int = 1) -> None:
        self.now = now
        self.revision = revision
        self.oldest = revision  # changes after this one are known; a watch from before it is too old
        self._objects: dict[ResourceKey, dict[tuple[str, str], Json]] = {}
        self._order: dict[
            ResourceKey, list[tuple[str, str]]
        ] = {}  # identities in list order, until one comes or goes
        self._memos: dict[int, tuple[Json, dict[str, bytes]]] = {}
        self._changes: list[Change] = []
        self._waiting: set[asyncio.Future[None]] = set()

    def get(self, resource: ResourceKey, namespace: str, name: str) -> Json | None:
        """The stored object (namespace '' for cluster-scoped ones), or None. Never mutate it."""
        return self._objects.get(resource, {}).get((namespace, name))

    def list(self, resource: ResourceKey, namespace: str = "") -> list[Json]:
        """The objects of a resource, of all namespaces if '' is given, in the order of their keys as etcd
        has it.
        """
        objects = self._objects.get(resource, {})
        if resource not in self._order:
            self._order[resource] = sorted(objects, key=_etcd_order)
        return [objects[k] for k in self._order[resource] if not namespace or k[0] == namespace]

    def resources(self) -> Iterable[ResourceKey]:
        """The keys under which anything is stored."""
        return [key for key, objects in self._objects.items() if objects]

    def memo(self, obj: Json) -> dict[str, bytes]:
        """A place for what readers derive from a stored object; it is forgotten when the object changes."""
        kept = self._memos.get(id(obj))
        if kept is None or kept[0] is not obj:
            kept = self._memos[id(obj)] = (obj, {})
        return kept[1]

    def load(self, resource: ResourceKey, obj: Json) -> None:
        """Put an object of the beginning: it keeps its resourceVersion and no watch is told."""
        self._objects.setdefault(resource, {})[_identity(obj)] = obj
        self._order.pop(resource, None)
        version = str(obj["metadata"].get("resourceVersion", "0"))
        self.revision = max(self.revision, int(version) if version.isdigit() else 0)
        self.oldest = self.revision

    def put(self, resource: ResourceKey, obj: Json) -> Json:
        """Create or replace. The object is given away: it is stored with the next resourceVersion and
        returned.
        """
        objects = self._objects.setdefault(resource, {})
        identity = _identity(obj)
        previous = objects.get(identity)
        self.revision += 1
        stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.revision)}}
        objects[identity] = stored
        if previous is None:
            self._order.pop(resource, None)
        else:
            self._memos.pop(id(previous), None)
        kind: Literal["ADDED", "MODIFIED"] = "MODIFIED" if previous else "ADDED"
        self._record(Change(self.revision, kind, resource, stored, previous))
        return stored

    def remove(self, resource: ResourceKey, namespace: str, name: str) -> Json | None:
        """Take an object away; its last state is returned, None if it was not there."""
        previous = self._objects.get(resource, {}).pop((namespace, name), None)
        if previous is None:
            return None
        self._order.pop(resource, None)
        self._memos.pop(id(previous), None)
        self.revision += 1
        last = {**previous, "metadata": {**previous["metadata"], "resourceVersion": str(self.revision)}}
        self._record(Change(self.revision, "DELETED", resource, last, previous))
        return previous

    def since(self, revision: int) -> Sequence[Change]:
        """The changes after a revision, oldest first. What came before `oldest` is not known."""
        first = len(self._changes)
        while first and self._changes[first - 1].revision > revision:
            first -= 1
        return self._changes[first:]

    async def changed(self, timeout: float) -> bool:
        """Wait for the next change, at most `timeout` seconds; says whether one came."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            async with asyncio.timeout(timeout):
                await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return True

    def copy(self, now: Clock | None = None) -> "Store":
        """A store with the same objects and an empty change log; cheap, because stored dicts are never
        mutated.
        """
        other = Store(now or self.now, self.revision)
        other._objects = {key: dict(objects) for key, objects in self._objects.items()}
        return other

    def _record(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > 2 * REMEMBERED:
            self.oldest = self._changes[-REMEMBERED - 1].revision
            del self._changes[:-REMEMBERED]
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


def _identity(obj: Json) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _etcd_order(identity: tuple[str, str]) -> str:
    namespace, name = identity
    return f"{namespace}/{name}" if namespace else name
