"""Server-side apply: PATCH with `application/apply-patch+yaml`."""

import json
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.create import create_object
from opssquad.worlds.kube.apiserver.fields.managers import Manager, entries
from opssquad.worlds.kube.apiserver.fields.ownership import Conflicts, applied
from opssquad.worlds.kube.apiserver.fields.paths import Path, show
from opssquad.worlds.kube.apiserver.fields.walk import compare, field_set
from opssquad.worlds.kube.apiserver.objects import Writing, reply
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.status import ApiStatus, Cause, bad_request, internal
from opssquad.worlds.kube.apiserver.typed.read import Mismatch, read
from opssquad.worlds.kube.apiserver.typed.schema import Type, schema
from opssquad.worlds.kube.apiserver.typed.words import go_json
from opssquad.worlds.kube.apiserver.update import change, check_identity, with_managers

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def apply(writing: Writing, config: Json) -> Reply:
    """Merge the configuration into the object, or create it. Raises ApiStatus 409 on conflicts."""
    _check(writing, config)
    before = writing.found()
    if before is None:
        created = create_object(writing, _named(writing, config), apply=True)
        return reply(201, created)
    merged, managers = _apply(writing, before, config)
    merged = _with_last_applied(writing, before, merged, config)
    after = with_managers(writing.defaulted(merged), entries(managers))
    return reply(200, change(writing, before, after))


def _check(writing: Writing, config: Json) -> None:
    api_version, kind = config.get("apiVersion", ""), config.get("kind", "")
    if not kind or not api_version:
        group, _, version = str(api_version).rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={kind}")
    _check_fields(writing, config)
    check_identity(writing, config)
    if (config.get("metadata") or {}).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")


def _check_fields(writing: Writing, config: Json) -> None:
    """Refuse fields that the type does not have, or that have another type. Raises ApiStatus."""
    api_version, kind = config["apiVersion"], config["kind"]
    what = f"{writing.namespace}/{writing.request.name}; {api_version}, Kind={kind}"
    try:
        if writing.kind is None:
            read(schema().type("meta.v1.ObjectMeta"), config.get("metadata") or {}, "unstructured")
            return
        unknown = read(writing.kind, config, "unstructured")[1]
    except Mismatch as error:
        raise internal(f"failed to create typed patch object ({what}): {error}") from error
    if unknown:
        lines = [f".{path}: field not declared in schema" for path in unknown]
        said = lines[0] if len(lines) == 1 else "errors:\n" + "\n".join(f"  {line}" for line in lines)
        raise internal(f"failed to create typed patch object ({what}): {said}")


def _named(writing: Writing, config: Json) -> Json:
    metadata = {**(config.get("metadata") or {}), "name": writing.request.name}
    return {**config, "metadata": metadata}


def _apply(writing: Writing, before: Json, config: Json) -> tuple[Json, list[Manager]]:
    """The merge; kubectl may take over what its client-side apply set last, if it still stands so."""
    writer = writing.writer(writing.request.subresource)
    try:
        return applied(before, config, writing.kind, writer, writing.options.force)
    except Conflicts as conflicts:
        left = conflicts.found
        if writing.options.manager == "kubectl":
            allowed = _client_side(before, writing.kind)
            left = [(manager, path) for manager, path in left if path not in allowed]
        if left:
            raise _conflict(left) from conflicts
    return applied(before, config, writing.kind, writer, force=True)


def _client_side(live: Json, kind: Type | None) -> set[Path]:
    """The fields of the last client-side apply that have their value still."""
    text = live["metadata"].get("annotations", {}).get(LAST_APPLIED)
    if not text:
        return set()
    last: Json = json.loads(text)
    moved = compare(last, live, kind).modified
    return {path for path in field_set(last, kind) if path not in moved}


def _conflict(found: list[tuple[Manager, Path]]) -> ApiStatus:
    found = sorted(found, key=lambda pair: pair[0].identity)  # stable: the fields keep their order
    causes = [
        Cause("FieldManagerConflict", f"conflict with {_who(manager)}", show(path)) for manager, path in found
    ]
    several = len(found) != 1
    by_manager: dict[str, list[str]] = {}
    for manager, path in found:
        by_manager.setdefault(_who(manager), []).append(show(path))
    if several:
        parts = [
            f"conflicts with {who}:" + "".join(f"\n- {p}" for p in paths) for who, paths in by_manager.items()
        ]
        said = "\n".join(parts)
    else:
        [(who, [only])] = by_manager.items()
        said = f"conflict with {who}: {only}"
    message = f"Apply failed with {len(found)} conflict{'s' if several else ''}: {said}"
    return ApiStatus(409, "Conflict", message, {"causes": [cause.json() for cause in causes]})


def _who(manager: Manager) -> str:
    place = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    # An applier is the same whatever version it applies in; the server then leaves the version out.
    version = "" if manager.applied else f" using {manager.api_version}"
    return f'"{manager.name}"{place}{version}'


def _with_last_applied(writing: Writing, before: Json, merged: Json, config: Json) -> Json:
    """kubectl's annotation follows along, so that a client-side apply can take over again."""
    annotations = before["metadata"].get("annotations", {})
    if writing.options.manager != "kubectl" or LAST_APPLIED not in annotations:
        return merged
    metadata = dict(config.get("metadata") or {})
    if "annotations" in metadata:
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
    said = go_json(_sorted({**config, "metadata": metadata})) + "\n"
    inner = {**merged["metadata"].get("annotations", {}), LAST_APPLIED: said}
    return {**merged, "metadata": {**merged["metadata"], "annotations": inner}}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
