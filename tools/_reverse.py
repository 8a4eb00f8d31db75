"""The JSON patch that leads back from an object to what it was; pure."""

from collections.abc import Iterator
from typing import Any

from opssquad import Json

from ._fields import hidden, secret_name
from ._kube import compact

# What people set; the rest is the server's.
TOPS = ("spec", "data", "binaryData", "type", "rules", "webhooks", "subjects", "roleRef", "immutable")


def reverse(before: Json, after: Json) -> list[Json] | None:
    """Operations that make `before` of `after`; None where they would have to carry a secret's value."""
    operations: list[Json] = []
    for top in TOPS:
        operations += _steps(after.get(top), before.get(top), f"/{top}")
    for part in ("labels", "annotations"):
        now, then = (each["metadata"].get(part) for each in (after, before))
        operations += _steps(now, then, f"/metadata/{part}")
    return None if any(_tells(each) for each in operations) else operations


def _steps(now: Any, then: Any, path: str) -> Iterator[Json]:
    if now == then:
        return
    if then is None:
        yield {"op": "remove", "path": path}
    elif isinstance(now, dict) and isinstance(then, dict):
        for key in [*now, *(key for key in then if key not in now)]:
            yield from _steps(now.get(key), then.get(key), f"{path}/{_escaped(key)}")
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for index, (one, other) in enumerate(zip(now, then, strict=True)):
            yield from _steps(one, other, f"{path}/{index}")
    else:
        yield {"op": "add" if now is None else "replace", "path": path, "value": then}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _tells(operation: Json) -> bool:
    """Whether an operation holds what must not be kept: a variable's value, or that of a telling key.

    A list item has lost its name here, so any value below `/env` counts, as does a whole list of containers.
    """
    path, text = operation["path"], compact(operation.get("value"))
    if operation["op"] == "remove":
        return False
    held = "/env" in path or '"env":' in text or secret_name(path.rpartition("/")[2])
    return held or hidden(text) != text
