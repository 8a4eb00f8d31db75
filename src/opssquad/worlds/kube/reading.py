"""Collections of a cluster: pages of objects, the Table form, and watches; Secrets without their values.

Resolving what a kind means, and single objects, are the cluster handle's.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.kube.fitting import fitted, metadata_of
from opssquad.worlds.kube.http import JSON, KubeHTTP, Query
from opssquad.worlds.kube.kinds import Resource
from opssquad.worlds.kube.trouble import ApiError, Unreachable, document
from opssquad.worlds.kube.withhold import withheld

PAGE = 500
RESTARTS = 3
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
NAMES = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
WATCH_SECONDS = 300
Detail = Callable[[tuple[str, ...], tuple[Any, ...]], bool]
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
    found = (metadata_of(resource, item) for item in listed(page, resource))
    return [str(each["name"]) for each in found if each.get("name")]


@dataclass(frozen=True)
class Collection:
    """What to list: all namespaces where `namespace` is ""; `accept` chooses objects or a Table."""

    resource: Resource
    namespace: str = ""
    query: Query = ()
    accept: str = JSON


async def pages(http: KubeHTTP, what: Collection) -> AsyncGenerator[tuple[Query, Json] | None, None]:
    """Every page with the query that gave it. None says that the server has forgotten the list's state (410)
    and all begins anew: forget what came before. Raises ToolError."""
    path, token, restarts = what.resource.path(what.namespace), "", 0
    while True:
        query = [*what.query, ("limit", str(PAGE)), *([("continue", token)] if token else [])]
        try:
            page = await http.read(path, query, what.accept)
        except ApiError as error:
            if error.status != 410 or restarts == RESTARTS:
                raise explained(error, what.resource) from error
            token, restarts = "", restarts + 1
            yield None
            continue
        yield query, page
        metadata = page.get("metadata")
        token = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
        if not token:
            return


def listed(page: Json, resource: Resource, key: str = "items") -> list[Any]:
    """The items of a page, or the rows of a table; null is an empty list, as a Go server writes it. Raises
    ToolError for a document that is no list."""
    found = page.get(key) or []
    if key not in page or not isinstance(found, list):
        said = f"the server answered without a list of {resource.plural}; is it an API server?"
        raise ToolError(said, blind=True)
    return found


async def objects(http: KubeHTTP, what: Collection, keep: Callable[[Json], Any] | None) -> list[Any]:
    """Every object, or what `keep` makes of it; None is dropped at once, so thousands cost no memory."""
    kept: list[Any] = []
    head = {"apiVersion": what.resource.api_version, "kind": what.resource.kind}
    async for found in pages(http, what):
        if found is None:
            kept.clear()
            continue
        read = (fitted(what.resource, item, what.namespace) for item in listed(found[1], what.resource))
        shown = (withheld(what.resource, {**head, **item}) for item in read)
        kept += [made for made in map(keep, shown) if made is not None] if keep else shown
    return kept


async def table(http: KubeHTTP, what: Collection, detail: Detail | None = None) -> Table:
    """The collection as the server prints it. With `detail`, metadata is read only for pages where it says
    yes to a row; it gets the headings and the cells. Raises ToolError where the server gives no tables."""
    query = [*what.query, ("includeObject", "None")] if detail else what.query
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    async for found in pages(http, replace(what, query=query, accept=TABLE)):
        if found is None:
            rows.clear()
            continue
        asked, page = found
        if page.get("kind") != "Table":
            said = f"the server gives no table of {what.resource.plural}; list them instead"
            raise ToolError(said, blind=True)
        headings = listed(page, what.resource, "columnDefinitions")
        columns = columns or tuple(str(c.get("name")) for c in headings if isinstance(c, dict))
        here = _rows(what.resource, page, len(columns))
        if detail and any(detail(columns, row.cells) for row in here):
            # The same continue token gives the same page again, this time with the objects' metadata.
            whole = [pair for pair in asked if pair[0] != "includeObject"]
            again = await http.read(what.resource.path(what.namespace), whole, TABLE)
            here = _rows(what.resource, again, len(columns))
        rows += here
    return Table(columns, tuple(rows))


def _rows(resource: Resource, page: Json, columns: int) -> list[Row]:
    rows = []
    for row in listed(page, resource, "rows"):
        cells = row.get("cells") if isinstance(row, dict) else None
        if not isinstance(cells, list) or len(cells) != columns:
            said = f"the server's table of {resource.plural} has a row that does not fit its columns"
            raise ToolError(said, blind=True)
        metadata = metadata_of(resource, row.get("object"))
        metadata.pop("managedFields", None)
        rows.append(Row(tuple(cells), withheld(resource, {"metadata": metadata})["metadata"]))
    return rows


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
            kind, obj = _event(document(line, http.access))
            place.lost = 0
            if kind == "BOOKMARK":
                metadata = obj.get("metadata") or {}
            else:
                metadata = fitted(what.resource, obj, what.namespace)["metadata"]
            place.version = str(metadata.get("resourceVersion") or place.version)
            if kind != "BOOKMARK":
                yield kind, withheld(what.resource, obj)


def _event(event: Json) -> tuple[str, Json]:
    kind, obj = str(event.get("type")), event.get("object")
    if not isinstance(obj, dict):
        raise ToolError("the watch sent a change without an object; is it an API server?")
    if kind == "ERROR":
        code = obj.get("code")
        said = f"the watch ended: {obj.get('message')}"
        raise ApiError(said, code if isinstance(code, int) else 500, str(obj.get("reason") or ""))
    return kind, obj
