"""OpenAPI v3: the index and the documents that `apply`, `create -f` and `explain` ask for.

The documents are those of a real 1.36 server, kept in one file with the schemas that they share kept once
(`data/openapi.json.gz`). Custom resources get a document with their operations and no schema.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.reads import is_builtin
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.resources import Resource, Resources

ROOT = "/openapi/v3"
WITHOUT_DOCUMENT = "metrics.k8s.io"
ACTIONS = {"get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}
VALIDATION = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def answer(resources: Resources, path: str, query: Mapping[str, str]) -> Reply | None:
    """The index or a document; None for paths that have none."""
    if path == ROOT:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return Reply(
            200, {"paths": {name: {"serverRelativeURL": _url(name)} for name in _names(resources)}}, headers
        )
    name = path.removeprefix(ROOT + "/")
    if name == path or name not in _names(resources):
        return None
    headers = {"ETag": f'"{_tag()}"', "Vary": "Accept"}
    if "hash" in query:
        headers["Cache-Control"] = "public, immutable"
    return Reply(200, _document(resources, name), headers)


def _url(name: str) -> str:
    return f"{ROOT}/{name}?hash={_tag()}"


def _names(resources: Resources) -> list[str]:
    return sorted({*_bundled()["documents"], *(f"apis/{r.api_version}" for r in _custom(resources))})


def _custom(resources: Resources) -> list[Resource]:
    return [r for r in resources.all if not is_builtin(r) and r.group != WITHOUT_DOCUMENT]


def _document(resources: Resources, name: str) -> Json:
    bundled = _bundled()
    if name not in bundled["documents"]:
        return _custom_document([r for r in _custom(resources) if f"apis/{r.api_version}" == name])
    entry = bundled["documents"][name]
    schemas = {**{key: bundled["schemas"][key] for key in entry["schemas"]}, **entry["own"]}
    document: Json = entry["document"]
    components = document.get("components")
    if components is None:
        return document
    return {**document, "components": {**components, **({"schemas": schemas} if schemas else {})}}


def _custom_document(resources: list[Resource]) -> Json:
    paths: Json = {}
    for resource in resources:
        scope = "namespaces/{namespace}/" if resource.namespaced else ""
        many = f"/apis/{resource.api_version}/{scope}{resource.plural}"
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        for verb, action in ACTIONS.items():
            if verb in resource.verbs:
                operation = {"x-kubernetes-group-version-kind": kind, "parameters": [VALIDATION]}
                where = many if verb == "create" else f"{many}/{{name}}"
                paths.setdefault(where, {})[action] = operation
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "1.36"}, "paths": paths}


@cache
def _raw() -> bytes:
    return (files(__package__) / "data" / "openapi.json.gz").read_bytes()


@cache
def _tag() -> str:
    return hashlib.sha512(_raw()).hexdigest().upper()


@cache
def _bundled() -> Json:
    loaded: Json = json.loads(gzip.decompress(_raw()))
    return loaded
