"""Which resources the server knows: names, kinds, scope, verbs, subresources, and under which key they are
stored.

The built-in ones come from `data/discovery.json` (what a 1.36 server says of itself); custom ones are added
from CustomResourceDefinitions. How the discovery documents look is in `discovery`, not here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from opssquad.types import Json


class ResourceKey(NamedTuple):
    """Where objects are stored: group and plural. Versions of one resource share a key."""

    group: str
    plural: str


EVENTS = ResourceKey("", "events")
# Resources that are a second form of another one: events.k8s.io shows the events of the core group.
SHOWN_FROM = {ResourceKey("events.k8s.io", "events"): EVENTS}


@dataclass(frozen=True)
class Subresource:
    """One subresource: `log`, `scale`, `status`. The kind may live in another group, as Scale does."""

    name: str
    kind: str
    group: str
    version: str
    verbs: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """One resource in one version, as discovery tells it."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    columns: tuple[Mapping[str, Any], ...] = ()  # additionalPrinterColumns of a custom resource

    @property
    def key(self) -> ResourceKey:
        """The key of the store; events.k8s.io/events is stored as core events."""
        own = ResourceKey(self.group, self.plural)
        return SHOWN_FROM.get(own, own)

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, or `pods` for the core group, as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """`Deployment.apps`, or `Pod` for the core group, as validation errors name it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


class Resources:
    """All resources of a server; `lookup` by path parts, `of_kind` by apiVersion and kind of an object."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.all = tuple(resources)
        self._by_path = {(r.group, r.version, r.plural): r for r in self.all}
        self._by_kind = {(r.api_version, r.kind): r for r in self.all}

    def lookup(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at `/apis/<group>/<version>/<plural>`; the core group is ''."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource that objects of this apiVersion and kind belong to."""
        return self._by_kind.get((api_version, kind))

    def versions(self, group: str) -> list[str]:
        """The versions of a group, preferred first; empty when the group is unknown."""
        return list(dict.fromkeys(r.version for r in self.all if r.group == group))

    def groups(self) -> list[str]:
        """All groups in the order in which discovery lists them; the core group '' first."""
        return list(dict.fromkeys(r.group for r in self.all))

    def extended(self, definitions: Iterable[Json]) -> "Resources":
        """These resources and those of CustomResourceDefinition objects."""
        return Resources([*self.all, *(r for crd in definitions for r in _custom(crd))])


@cache
def document() -> Json:
    """The discovery data: `groups` in the aggregated form, and `storageVersionHashes` by group version."""
    text = (files(__package__) / "data" / "discovery.json").read_text(encoding="utf-8")
    loaded: Json = json.loads(text)
    return loaded


@cache
def builtin() -> Resources:
    """The resources of a stock 1.36 server with the metrics API."""
    return Resources(
        _resource(group["name"], version["version"], entry)
        for group in document()["groups"]
        for version in group["versions"]
        for entry in version["resources"]
    )


def _resource(group: str, version: str, entry: Json) -> Resource:
    return Resource(
        group=group,
        version=version,
        plural=entry["resource"],
        singular=entry["singularResource"],
        kind=entry["responseKind"]["kind"],
        namespaced=entry["scope"] == "Namespaced",
        verbs=tuple(entry["verbs"]),
        short_names=tuple(entry.get("shortNames", ())),
        categories=tuple(entry.get("categories", ())),
        subresources={s["subresource"]: _subresource(s) for s in entry.get("subresources", ())},
    )


def _subresource(entry: Json) -> Subresource:
    kind = entry["responseKind"]
    return Subresource(
        entry["subresource"], kind["kind"], kind["group"], kind["version"], tuple(entry["verbs"])
    )


def _custom(crd: Json) -> Iterable[Resource]:
    spec, names = crd["spec"], crd["spec"]["names"]
    verbs = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
    for version in spec["versions"]:
        if not version.get("served", True):
            continue
        group = spec["group"]
        subresources = {
            name: Subresource(name, *_custom_kind(name, names["kind"]), ("get", "patch", "update"))
            for name in version.get("subresources", {})
        }
        yield Resource(
            group=group,
            version=version["name"],
            plural=names["plural"],
            singular=names.get("singular", names["kind"].lower()),
            kind=names["kind"],
            namespaced=spec.get("scope") == "Namespaced",
            verbs=verbs,
            short_names=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            subresources=subresources,
            columns=tuple(version.get("additionalPrinterColumns", ())),
        )


def _custom_kind(subresource: str, kind: str) -> tuple[str, str, str]:
    return ("Scale", "autoscaling", "v1") if subresource == "scale" else (kind, "", "")
