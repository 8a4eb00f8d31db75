"""JSON merge patch (RFC 7386)."""

from typing import Any


def merge(original: Any, patch: Any) -> Any:
    """The patched value: null deletes, objects merge, anything else replaces. Touched objects get sorted
    keys, as the server's library leaves them.
    """
    if not isinstance(patch, dict):
        return patch
    out = dict(original) if isinstance(original, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return {key: out[key] for key in sorted(out)}
