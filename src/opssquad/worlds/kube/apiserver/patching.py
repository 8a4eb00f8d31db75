"""PATCH: which patch a media type means, what goes wrong with it, and the object that comes out."""

import json
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.applying import apply
from opssquad.worlds.kube.apiserver.bodies import Expected, custom, json_fault, load_yaml, media_type, typed
from opssquad.worlds.kube.apiserver.objects import Writing, reply
from opssquad.worlds.kube.apiserver.options import write_options
from opssquad.worlds.kube.apiserver.patch.merge import merge
from opssquad.worlds.kube.apiserver.patch.operations import PatchFailed, apply_operations
from opssquad.worlds.kube.apiserver.patch.strategic import BadPatch, strategic_merge
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.status import (
    ApiStatus,
    Cause,
    bad_request,
    invalid,
    not_found,
    unprocessable,
    unsupported_media_type,
)
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.read import Dialect, Mismatch, doubled, duplicates, read
from opssquad.worlds.kube.apiserver.typed.schema import Type
from opssquad.worlds.kube.apiserver.typed.words import go_json, go_print
from opssquad.worlds.kube.apiserver.update import change, check_identity, owned

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
OPERATIONS = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
NOT_A_MAP = (
    "error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
)
NOT_A_LIST = (
    "error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
)


def patch(store: Store, request: Request) -> Reply:
    """PATCH of an object or its status. Raises ApiStatus."""
    kind = media_type(request)
    if kind not in (STRATEGIC, MERGE, OPERATIONS, APPLY):
        raise unsupported_media_type("415: Unsupported Media Type", {})
    writing = Writing(store, request, write_options(request, apply=kind == APPLY))
    if kind == APPLY:
        return apply(writing, load_yaml(request.body))
    before = writing.found()
    if before is None:
        raise not_found(request.resource, request.name)
    after, warnings = patched(writing, before, writing.kind)
    check_identity(writing, after)
    after = owned(writing, before, writing.defaulted(after))
    return reply(200, change(writing, before, after), warnings)


def patched(writing: Writing, before: Json, kind: Type | None) -> tuple[Json, list[str]]:
    """The object with the request's patch applied, in canonical form, and the warnings. Raises ApiStatus."""
    body, media = _body(writing.request), media_type(writing.request)
    after = _applied(before, body, media, kind)
    if isinstance(after, dict):
        after = typed(after, Expected(before["apiVersion"], before["kind"], kind))
    if kind is None:
        return custom(_map(after), writing.expected), []
    if media == STRATEGIC:
        return _read(writing, after, kind, "unstructured", go_print(body), body)
    return _read(writing, after, kind, "json", go_json(after), body)


def _applied(before: Json, body: Any, media: str, kind: Type | None) -> Any:
    """The bare result of a patch, which may be anything. Raises ApiStatus."""
    if media == OPERATIONS:
        return _operated(before, body)
    if media == STRATEGIC and kind is not None:
        return _strategic(before, body, kind)
    if media == MERGE:
        return merge(before, _map(body))
    raise unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )


def _read(
    writing: Writing, after: Any, kind: Type, dialect: Dialect, shown: str, body: Any
) -> tuple[Json, list[str]]:
    try:
        obj, unknown = read(kind, after, dialect)
    except Mismatch as error:
        raise _invalid_patch(shown, str(error)) from error
    faults = [f'duplicate field "{path}"' for path in doubled(body)]
    faults += [f'unknown field "{path}"' for path in unknown]
    if faults and writing.options.validation == "Strict":
        raise _invalid_patch(shown, f"strict decoding error: {', '.join(faults)}")
    return obj, faults if writing.options.validation == "Warn" else []


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body, object_pairs_hook=duplicates)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {json_fault(error, request.body)}") from error


def _map(body: Any) -> Json:
    if not isinstance(body, dict):
        raise bad_request(NOT_A_MAP.format(kind=_kind(body)))
    return body


def _strategic(before: Json, body: Any, kind: Type) -> Json:
    try:
        return strategic_merge(before, _map(body), kind)
    except BadPatch as error:
        raise bad_request(str(error)) from error


def _operated(before: Json, body: Any) -> Any:
    if not isinstance(body, list):
        raise bad_request(NOT_A_LIST.format(kind=_kind(body)))
    try:
        return apply_operations(before, body)
    except PatchFailed as error:
        raise unprocessable() from error


def _kind(value: Any) -> str:
    for kind, name in ((dict, "object"), (list, "array"), (str, "string"), (bool, "bool")):
        if isinstance(value, kind):
            return name
    return "number"


def _invalid_patch(shown: str, why: str) -> ApiStatus:
    said = f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}"
    return invalid("", "", "", [Cause("FieldValueInvalid", said, "patch")])
