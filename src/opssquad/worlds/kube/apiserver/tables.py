"""Tables: columns from data, cells by kind, rows that carry the object, its metadata or nothing.

Also the PartialObjectMetadata form, which is what rows carry unless asked otherwise.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import jsonpath
from opssquad.worlds.kube.apiserver.ages import since
from opssquad.worlds.kube.apiserver.cells import CELLS
from opssquad.worlds.kube.apiserver.cells.cluster import name_and_creation
from opssquad.worlds.kube.apiserver.cells.pods import conditions
from opssquad.worlds.kube.apiserver.forms import shown
from opssquad.worlds.kube.apiserver.resources import Resource

# An annotation that is not stored: the server adds it to whole DaemonSets, and not to their metadata alone.
ONLY_SHOWN = "deprecated.daemonset.template.generation"


def table(
    resource: Resource,
    objects: Sequence[Json],
    metadata: Mapping[str, Any],
    now: datetime,
    include: str = "Metadata",
    version: str = "v1",
) -> Json:
    """A Table of stored objects. `include` is the query's includeObject: Metadata, Object or None."""
    columns = definitions(resource)
    own = (resource.group, resource.plural) == resource.key or resource.kind == "Event"
    cells = CELLS.get(resource.key) if own else None
    rows = []
    for obj in objects:
        values = cells(obj, now) if cells else _custom_cells(resource, obj, now)
        row: Json = {"cells": values}
        if finished := conditions(obj) if resource.qualified == "pods" else []:
            row["conditions"] = finished
        rows.append({**row, "object": _carried(resource, obj, include, version)})
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": dict(metadata),
        "columnDefinitions": columns,
        "rows": rows if rows or cells or resource.columns else None,
    }


def partial(resource: Resource, obj: Json, version: str = "v1") -> Json:
    """Only the metadata of an object."""
    metadata = shown(obj, resource)["metadata"]
    annotations = metadata.get("annotations") or {}
    if resource.kind == "DaemonSet" and ONLY_SHOWN in annotations:
        kept = {key: value for key, value in annotations.items() if key != ONLY_SHOWN}
        metadata = {key: value for key, value in metadata.items() if key != "annotations"}
        metadata |= {"annotations": kept} if kept else {}
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata}


def definitions(resource: Resource) -> list[Json]:
    """The columns of a resource; of one without columns of its own: Name and Created At."""
    known: list[Json] | None = _columns().get(resource.group, {}).get(resource.plural)
    if known is not None:
        return known
    name = _columns()[""]["limitranges"]
    if not resource.columns:
        default: list[Json] = name
        return default
    return [name[0], *(_custom_column(column) for column in resource.columns)]


def _custom_column(column: Mapping[str, Any]) -> Json:
    return {
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description")
        or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
        "priority": column.get("priority", 0),
    }


def _custom_cells(resource: Resource, obj: Json, now: datetime) -> list[Any]:
    if not resource.columns:
        return name_and_creation(obj, now)
    return [obj["metadata"]["name"], *(_custom_cell(column, obj, now) for column in resource.columns)]


def _custom_cell(column: Mapping[str, Any], obj: Json, now: datetime) -> Any:
    found = jsonpath.find(obj, column["jsonPath"])
    if not found:
        return None
    if column["type"] == "date":
        return since(str(found[0]), now)
    return found[0] if column["type"] in ("integer", "number", "boolean") else jsonpath.text(found)


def _carried(resource: Resource, obj: Json, include: str, version: str) -> Json | None:
    match include:
        case "None":
            return None
        case "Object":
            return shown(obj, resource)
    return partial(resource, obj, version)


@cache
def _columns() -> Json:
    loaded: Json = json.loads((files(__package__) / "data" / "columns.json").read_text(encoding="utf-8"))
    return loaded
