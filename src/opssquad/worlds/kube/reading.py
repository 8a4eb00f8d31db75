"""Collections of a cluster: pages of objects, the Table form, and watches; Secrets without their values.

Resolving what a kind means, and single objects, are the cluster handle's.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.kube.http import JSON, KubeHTTP, Query
from opssquad.worlds.kube.kinds import Resource
from opssquad.worlds.kube.trouble import ApiError, Unreachable
from opssquad.worlds.kube.withhold import withheld

PAGE = 500
RESTARTS = 3
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
NAMES = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
WATCH_SECONDS = 300
PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a Table: its cells in column order, and the object's metadata without managedFields."""

    cells: tuple[Any, ...]
    metadata: Json

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace", ""))


@dataclass(frozen=True, slots=True)
class Table:
    """A collection as the server prints it, wide columns included: cheap for thousands of objects."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, name: str) -> int:
        """The index of a column by its heading, in any case. Raises ToolError with the headings."""
        for index, heading in enumerate(self.columns):
            if heading.lower() == name.lower():
                return index
        raise ToolError(f"the server's table has no column {name!r}, only: {', '.join(self.columns)}")


def selection(labels: str = "", fields: str = "") -> list[tuple[str, str]]:
    """Selectors as query parameters."""
    given = (("labelSelector", labels), ("fieldSelector", fields))
    return [(key, value) for key, value in given if value]


def absent(error: ApiError) -> bool:
    """Whether a 404 is about the object; one without a name is about the kind, which is not served at all."""
    return error.status == 404 and bool(error.details.get("name"))


def explained(error: ApiError, resource: Resource) -> ToolError:
    """The error as it is, or in better words for a kind that the cluster does not serve."""
    if error.status == 404 and not absent(error):
        return ToolError(f"this cluster serves no {resource.kind} ({resource.api_version})")
    return error


async def names(http: KubeHTTP, resource: Resource, namespace: str) -> list[str]:
    """The names of the first page of a collection; none where this login may not list it."""
    try:
        page = await http.read(resource.path(namespace), [("limit", str(PAGE))], NAMES)
    except ApiError:
        return []
    return [item["metadata"]["name"] for item in page.get("items") or []]


@dataclass(frozen=True)
class Collection:
    """What to list: all namespaces where `namespace` is ""; `accept` chooses objects or a Table."""

    resource: Resource
    namespace: str = ""
    query: Query = ()
    accept: str = JSON


async def pages(
    http: KubeHTTP, what: Collection, each: Callable[[Json], None], restart: Callable[[], None]
) -> None:
    """Feed every page to `each`. When the server has forgotten the list's state (410), all begins anew after
    `restart`. Raises ToolError."""
    path, token, restarts = what.resource.path(what.namespace), "", 0
    while True:
        query = [*what.query, ("limit", str(PAGE)), *([("continue", token)] if token else [])]
        try:
            page = await http.read(path, query, what.accept)
        except ApiError as error:
            if error.status != 410 or restarts == RESTARTS:
                raise explained(error, what.resource) from error
            token, restarts = "", restarts + 1
            restart()
            continue
        each(page)
        token = str(page.get("metadata", {}).get("continue") or "")
        if not token:
            return


async def objects(http: KubeHTTP, what: Collection, keep: Callable[[Json], Any] | None) -> list[Any]:
    """Every object, or what `keep` makes of it; None is dropped at once, so thousands cost no memory."""
    kept: list[Any] = []
    resource = what.resource
    head = {"apiVersion": resource.api_version, "kind": resource.kind}

    def each(page: Json) -> None:
        for item in page.get("items") or []:
            shown = withheld(resource, {**head, **item})
            made = keep(shown) if keep else shown
            if made is not None:
                kept.append(made)

    await pages(http, what, each, kept.clear)
    return kept


async def table(http: KubeHTTP, what: Collection) -> Table:
    """The collection as the server prints it. Raises ToolError where the server gives no tables."""
    columns: list[str] = []
    rows: list[Row] = []

    def each(page: Json) -> None:
        if page.get("kind") != "Table":
            raise ToolError(f"the server gives no table of {what.resource.plural}; list them instead")
        if not columns:
            columns.extend(str(c["name"]) for c in page.get("columnDefinitions") or [])
        for row in page.get("rows") or []:
            metadata = withheld(what.resource, row.get("object") or {}).get("metadata") or {}
            metadata.pop("managedFields", None)
            rows.append(Row(tuple(row.get("cells") or ()), metadata))

    await pages(http, replace(what, accept=TABLE), each, rows.clear)
    return Table(tuple(columns), tuple(rows))


@dataclass
class _Place:
    """How far a watch has come: a resourceVersion ("" = begin anew), and connections lost in a row."""

    version: str
    lost: int = 0


async def watch(http: KubeHTTP, what: Collection, since: str) -> AsyncGenerator[tuple[str, Json], None]:
    """Changes as (ADDED | MODIFIED | DELETED, object), for as long as the caller listens.

    A closed connection is taken up where it ended. When the server has forgotten that point, everything there
    is comes again as ADDED. Raises ToolError.
    """
    place = _Place(since)
    while True:
        try:
            async with aclosing(_changes(http, what, place)) as changes:
                async for change in changes:
                    yield change
        except ApiError as error:
            if error.status != 410:
                raise explained(error, what.resource) from error
            place.version = ""
        except Unreachable as error:
            place.lost += 1
            if place.lost > RESTARTS or not error.passing:
                raise
        await asyncio.sleep(PAUSE * 2**place.lost)


async def _changes(http: KubeHTTP, what: Collection, place: _Place) -> AsyncGenerator[tuple[str, Json], None]:
    """The changes of one connection; bookmarks only move the place."""
    query = [*what.query, ("watch", "true"), ("allowWatchBookmarks", "true")]
    query += [("timeoutSeconds", str(WATCH_SECONDS))]
    query += [("resourceVersion", place.version)] if place.version else []
    async with aclosing(http.lines(what.resource.path(what.namespace), query)) as lines:
        async for line in lines:
            kind, obj = _event(line)
            place.version = str(obj.get("metadata", {}).get("resourceVersion") or place.version)
            place.lost = 0
            if kind != "BOOKMARK":
                yield kind, withheld(what.resource, obj)


def _event(line: bytes) -> tuple[str, Json]:
    event = json.loads(line)
    kind, obj = str(event.get("type")), event.get("object") or {}
    if kind == "ERROR":
        code = int(obj.get("code") or 500)
        raise ApiError(f"the watch ended: {obj.get('message')}", code, str(obj.get("reason") or ""))
    return kind, obj
