"""Strategic merge patch: lists of structs merge by the merge key that the API defines for them.

Follows the server's rules for `$patch`, `$retainKeys`, `$setElementOrder/...` and
`$deleteFromPrimitiveList/...`.
"""

from collections.abc import Callable
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.typed.schema import Field, Type, schema
from opssquad.worlds.kube.apiserver.typed.words import go_print

DIRECTIVE, RETAIN = "$patch", "$retainKeys"
ORDER, DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


class BadPatch(Exception):
    """A patch whose directives or merge keys make no sense; the text is the server's."""


def strategic_merge(original: Json, patch: Json, kind: Type) -> Json:
    """The patched object; neither argument is changed. Raises BadPatch."""
    return _merge_map(original, patch, kind)


def _merge_map(original: Json, patch: Json, kind: Type | None) -> Json:
    if DIRECTIVE in patch:
        return _directive(patch)
    out = _retained(original, patch)
    for key, value in patch.items():
        if key == RETAIN or key.startswith((ORDER, DELETE)):
            continue
        if value is None:
            out.pop(key, None)
            continue
        out[key] = _merge_value(out.get(key), value, kind.fields.get(key) if kind else None)
    for key, value in patch.items():
        name = key.partition("/")[2]
        if key.startswith(DELETE):
            out[name] = [item for item in out.get(name) or [] if item not in value]
        elif key.startswith(ORDER) and name in out:
            field = kind.fields.get(name) if kind else None
            out[name] = _sorted(out[name], value, original.get(name) or [], _identity(field))
    return out


def _directive(patch: Json) -> Json:
    match patch[DIRECTIVE]:
        case "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case "delete":
            return {}
        case other:
            raise BadPatch(f"Unknown patch type found: {other}")


def _retained(original: Json, patch: Json) -> Json:
    """The original, without the fields that `$retainKeys` does not name."""
    keys = patch.get(RETAIN)
    if keys is None:
        return dict(original)
    if not isinstance(keys, list):
        raise BadPatch("the value of $retainKeys must be a list")
    if missing := [key for key in patch if not key.startswith("$") and key not in keys]:
        raise BadPatch(f"the key {missing[0]} is in the patch but not in its $retainKeys list")
    return {key: value for key, value in original.items() if key in keys}


def _merge_value(original: Any, patch: Any, field: Field | None) -> Any:
    if isinstance(patch, dict) and isinstance(original, dict) and not (field and field.replaces):
        inner = schema().type(field.leaf) if field and not field.scalar and not field.container else None
        return _merge_map(original, patch, inner)
    if isinstance(patch, list) and isinstance(original, list) and field and field.merges:
        return _merge_list(original, patch, field)
    return _clean(patch)


def _clean(value: Any) -> Any:
    """A patch that lands where nothing was: without directives and without nulls."""
    if isinstance(value, dict):
        kept = {key: child for key, child in value.items() if child is not None and not _special(key)}
        return {key: _clean(child) for key, child in kept.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value if not _is_directive(item)]
    return value


def _special(key: str) -> bool:
    return key in (DIRECTIVE, RETAIN) or key.startswith((ORDER, DELETE))


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and (set(item) == {DIRECTIVE} or item.get(DIRECTIVE) == "delete")


def _merge_list(original: list[Any], patch: list[Any], field: Field) -> list[Any]:
    key = field.merge_key
    if not key:
        merged = [*original, *(item for item in patch if item not in original)]
        return _sorted(merged, patch, original, _identity(field))
    for item in patch:
        if not isinstance(item, dict):
            raise BadPatch(f"expected a map in a list of merge key {key}, got {go_print(item)}")
        if key not in item and set(item) != {DIRECTIVE}:
            raise BadPatch(f"map: {go_print(item)} does not contain declared merge key: {key}")
    wanted = [item for item in patch if not _is_directive(item)]
    if {DIRECTIVE: "replace"} in patch:
        return [_clean(item) for item in wanted]
    gone = [item[key] for item in patch if item.get(DIRECTIVE) == "delete" and key in item]
    merged = [item for item in original if item.get(key) not in gone]
    for item in wanted:
        at = next((i for i, old in enumerate(merged) if old.get(key) == item[key]), None)
        if at is None:
            merged.append(_clean(item))
        else:
            merged[at] = _merge_map(merged[at], item, schema().type(field.leaf))
    return _sorted(merged, wanted, original, _identity(field))


def _identity(field: Field | None) -> Callable[[Any], Any]:
    key = field.merge_key if field else ""
    return lambda item: item.get(key) if key and isinstance(item, dict) else item


def _sorted(merged: list[Any], patch: list[Any], server: list[Any], of: Callable[[Any], Any]) -> list[Any]:
    """Items of the patch in the patch's order, the server's other items in theirs, woven together so that the
    server's order holds between two items that it knows.
    """
    patch_order, server_order = [of(item) for item in patch], [of(item) for item in server]
    right = [item for item in merged if of(item) in patch_order]
    right.sort(key=lambda item: patch_order.index(of(item)))
    left = [item for item in merged if of(item) not in patch_order]
    woven: list[Any] = []
    while left and right:
        a, b = of(left[0]), of(right[0])
        first = a in server_order and b in server_order and server_order.index(a) < server_order.index(b)
        woven.append(left.pop(0) if first else right.pop(0))
    return woven + left + right
