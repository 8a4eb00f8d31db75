"""GET of one object or a list, in the form the client asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import forms, negotiate, tables
from opssquad.worlds.kube.apiserver.encoding import encode
from opssquad.worlds.kube.apiserver.lists import page
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.resources import Resource, builtin
from opssquad.worlds.kube.apiserver.status import not_found
from opssquad.worlds.kube.apiserver.store import Store

METRICS = "metrics.k8s.io"
# Scale has no path of its own, only that of what is scaled.
SCALES = Resource("autoscaling", "v1", "scales", "scale", "Scale", True)
# The metrics API is another server's, with Status objects of its own making.
NO_METRICS: Json = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "NotFound",
    "code": 404,
    "message": "not found",
}


def get(store: Store, request: Request) -> Reply:
    """One object, its status (which is the whole object) or its scale."""
    if request.resource.group == METRICS and store.get(request.resource.key, *_where(request)) is None:
        return Reply(404, NO_METRICS)
    obj = stored_object(store, request)
    if request.subresource == "scale":
        return Reply(200, one(store, replace(request, resource=SCALES), forms.scale(obj)))
    return Reply(200, one(store, request, obj))


def list_(store: Store, request: Request) -> Reply:
    """A list, chunked if the client wants it so."""
    form = negotiate.objects(request.headers.get("accept", ""))
    resource = request.resource
    found = page(store, request)
    match form.shape:
        case "Table":
            include = request.query.get("includeObject", "Metadata")
            now = store.now()
            body = tables.table(resource, found.objects, found.metadata, now, include, form.version)
        case "PartialObjectMetadata":
            items = [tables.partial(resource, obj, form.version) for obj in found.objects]
            body = _list("PartialObjectMetadataList", f"meta.k8s.io/{form.version}", found.metadata, items)
        case _:
            metadata = {} if resource.group == METRICS else found.metadata
            body = _list(f"{resource.kind}List", resource.api_version, metadata, [])
            return _items(store, resource, found.objects, body, form.encoding)
    return Reply(200, body)


def _items(
    store: Store, resource: Resource, objects: Sequence[Json], body: Json, encoding: Literal["json", "yaml"]
) -> Reply:
    """A list with these items. In JSON each object is encoded once and kept: lists of thousands are read
    often.
    """
    builtin_kind = is_builtin(resource)
    if encoding == "yaml":
        return Reply(200, {**body, "items": [forms.item(obj, resource, builtin_kind) for obj in objects]})
    parts = []
    for obj in objects:
        memo = store.memo(obj)
        if resource.api_version not in memo:
            memo[resource.api_version] = encode(forms.item(obj, resource, builtin_kind))
        parts.append(memo[resource.api_version])
    head = encode(body).removesuffix(b"]}")
    return Reply(200, head + b",".join(parts) + b"]}\n", {"Content-Type": "application/json"})


def one(store: Store, request: Request, obj: Json) -> Json:
    """A stored object in the form that a request accepts."""
    form = negotiate.objects(request.headers.get("accept", ""))
    match form.shape:
        case "Table":
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            include = request.query.get("includeObject", "Metadata")
            return tables.table(request.resource, [obj], metadata, store.now(), include, form.version)
        case "PartialObjectMetadata":
            return tables.partial(request.resource, obj, form.version)
    return forms.shown(obj, request.resource)


def stored_object(store: Store, request: Request) -> Json:
    """The object that a request names. Raises 404."""
    obj = store.get(request.resource.key, *_where(request))
    if obj is None:
        raise not_found(request.resource, request.name)
    return obj


def _where(request: Request) -> tuple[str, str]:
    return request.namespace if request.resource.namespaced else "", request.name


def is_builtin(resource: Resource) -> bool:
    """Whether a resource is one of the server's own and not from a CustomResourceDefinition or another
    server.
    """
    own = builtin().lookup(resource.group, resource.version, resource.plural)
    return own is not None and resource.group != METRICS


def _list(kind: str, version: str, metadata: Mapping[str, Any], items: list[Json]) -> Json:
    return {"kind": kind, "apiVersion": version, "metadata": dict(metadata), "items": items}
