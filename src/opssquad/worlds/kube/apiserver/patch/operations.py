"""JSON patch (RFC 6902): a list of operations, all or none."""

from typing import Any


class PatchFailed(Exception):
    """A test that does not hold, or a path that is not there."""


def apply_operations(original: Any, operations: list[dict[str, Any]]) -> Any:
    """The patched value; the original is not changed. Raises PatchFailed."""
    import jsonpatch  # late: only this kind of patch needs it

    try:
        return jsonpatch.JsonPatch(operations).apply(original)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as error:
        raise PatchFailed(str(error)) from error
