"""The entries of `metadata.managedFields` as values: who, how, in which version, which fields."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from opssquad.worlds.kube.apiserver.fields.paths import Paths, from_fields_v1, to_fields_v1

MAX_UPDATERS = 10
ANCIENT = "ancient-changes"


@dataclass(frozen=True)
class Manager:
    """One entry. Appliers are told apart by name and subresource, updaters by version too."""

    name: str
    operation: str
    api_version: str
    subresource: str
    time: str
    paths: Paths

    @property
    def applied(self) -> bool:
        """Whether it owns by server-side apply."""
        return self.operation == "Apply"

    @property
    def identity(self) -> tuple[str, ...]:
        """What two writes of the same manager have in common."""
        version = "" if self.applied else self.api_version
        return self.name, self.operation, version, self.subresource

    def owning(self, paths: Iterable[Any], time: str = "") -> "Manager":
        """The same manager with other fields, at another time if given."""
        return replace(self, paths=frozenset(paths), time=time or self.time)


def managers_of(obj: dict[str, Any]) -> list[Manager]:
    """The managers that an object names. Raises ValueError if their fields are in no known form."""
    return [
        Manager(
            name=entry.get("manager", ""),
            operation=entry.get("operation", "Update"),
            api_version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource", ""),
            time=entry.get("time", ""),
            paths=from_fields_v1(entry.get("fieldsV1", {})),
        )
        for entry in obj.get("metadata", {}).get("managedFields") or []
    ]


def entries(managers: Iterable[Manager]) -> list[dict[str, Any]]:
    """The list for `metadata.managedFields`: appliers first, then by time and name; those without fields left
    out.
    """
    kept = _capped([manager for manager in managers if manager.paths])
    kept.sort(key=lambda m: (m.operation, m.time, m.name, m.api_version, m.subresource))
    return [_entry(manager) for manager in kept]


def _entry(manager: Manager) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields_v1(manager.paths),
    }
    if not manager.time:
        del entry["time"]
    return {**entry, "subresource": manager.subresource} if manager.subresource else entry


def _capped(managers: list[Manager]) -> list[Manager]:
    """At most ten updaters: the oldest are rolled into one."""
    updaters = sorted((m for m in managers if not m.applied), key=lambda m: m.time)
    if len(updaters) <= MAX_UPDATERS:
        return managers
    old = updaters[: len(updaters) - MAX_UPDATERS + 1]
    paths = frozenset[Any]().union(*(m.paths for m in old))
    rolled = replace(old[-1], name=ANCIENT, subresource="", paths=paths)
    return [m for m in managers if m not in old] + [rolled]
