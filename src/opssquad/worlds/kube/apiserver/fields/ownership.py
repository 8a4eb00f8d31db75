"""Ownership of fields through updates and applies: pure functions from objects to `managedFields`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.fields.managers import Manager, entries, managers_of
from opssquad.worlds.kube.apiserver.fields.paths import Path, Paths
from opssquad.worlds.kube.apiserver.fields.walk import (
    Comparison,
    compare,
    field_set,
    merge,
    root,
    without,
)
from opssquad.worlds.kube.apiserver.typed.schema import Type

UNOWNED = frozenset(
    {
        (("f", "apiVersion"),),
        (("f", "kind"),),
        (("f", "metadata"),),
        *(
            (("f", "metadata"), ("f", name))
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    }
)


@dataclass(frozen=True)
class Writer:
    """Who writes: the manager's name, the version and subresource written through, and when (RFC 3339)."""

    name: str
    api_version: str
    subresource: str
    time: str
    ignored: tuple[Path, ...] = ()  # fields that this endpoint resets, so that nobody comes to own them by it

    def manager(self, operation: str, paths: Iterable[Path] = ()) -> Manager:
        """The entry of this writer."""
        return Manager(self.name, operation, self.api_version, self.subresource, self.time, frozenset(paths))

    def skips(self, path: Path) -> bool:
        """Whether ownership of a path is not recorded."""
        return path in UNOWNED or any(path[: len(prefix)] == prefix for prefix in self.ignored)


class Conflicts(Exception):
    """Fields that others manage with another value: pairs of manager and path."""

    def __init__(self, found: list[tuple[Manager, Path]]) -> None:
        super().__init__(f"{len(found)} conflicts")
        self.found = found


def updated(before: Json, after: Json, kind: Type | None, writer: Writer) -> list[Json]:
    """`managedFields` after an update from one object to another."""
    change = compare(_bare(before), _bare(after), kind).without(writer.skips)
    managers = _shift(_given(after) or managers_of(before), change, None)
    return entries(_with(managers, writer, change.added | change.modified))


def _given(obj: Json) -> list[Manager]:
    """The managers that a client sent along; what cannot be read counts as not sent."""
    try:
        return managers_of(obj)
    except ValueError:
        return []


def _with(managers: list[Manager], writer: Writer, gained: set[Path]) -> list[Manager]:
    if not gained:
        return managers
    own = writer.manager("Update")
    before = next((m for m in managers if m.identity == own.identity), own)
    rest = [m for m in managers if m.identity != own.identity]
    return [*rest, own.owning(before.paths | gained, writer.time)]


def _shift(managers: list[Manager], change: Comparison, keep: Manager | None) -> list[Manager]:
    """Everybody but `keep` loses what was modified or removed."""
    lost = frozenset(change.modified | change.added | change.removed)
    return [m if m is keep else m.owning(m.paths - lost) for m in managers]


def applied(
    live: Json, config: Json, kind: Type | None, writer: Writer, force: bool
) -> tuple[Json, list[Manager]]:
    """A server-side apply: the merged object and its managers. Raises Conflicts unless forced.

    What this manager applied before and does not apply now goes, if nobody else owns it.
    """
    bare = _bare(live)
    own = writer.manager("Apply", (p for p in field_set(config, kind) if not writer.skips(p)))
    before = managers_of(live)
    last = next((m for m in before if m.identity == own.identity), replace(own, time="", paths=frozenset()))
    managers = [*(m for m in before if m.identity != own.identity), own]
    merged = merge(bare, config, root(kind))
    merged = without(merged, _abandoned(last.paths, managers), root(kind))
    change = compare(bare, merged, kind).without(writer.skips)
    conflicts = _conflicts(managers, own, change)
    if conflicts and not force:
        raise Conflicts(conflicts)
    # The server notes the time of an apply only when it changed the object.
    time = writer.time if change else last.time
    return merged, [
        replace(m, time=time) if m is own else m for m in _shift(managers, change, own) if m.paths
    ]


def _abandoned(last: Paths, managers: list[Manager]) -> Paths:
    owned = _closed(path for manager in managers for path in manager.paths)
    return _closed(last) - owned


def _closed(paths: Iterable[Path]) -> Paths:
    """The paths and everything above them."""
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


def _conflicts(managers: list[Manager], own: Manager, change: Comparison) -> list[tuple[Manager, Path]]:
    touched = change.modified | change.added
    return [
        (manager, path)
        for manager in managers
        if manager.identity != own.identity
        for path in sorted(manager.paths & touched, key=_order)
    ]


def _order(path: Path) -> tuple[tuple[bool, str], ...]:
    """The server's order: at each level first what ends there, then what goes deeper."""
    last = len(path) - 1
    return tuple((at < last, f"{kind}:{value}") for at, (kind, value) in enumerate(path))


def _bare(obj: Json) -> Json:
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}
