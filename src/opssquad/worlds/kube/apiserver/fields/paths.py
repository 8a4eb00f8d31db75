"""Sets of field paths, and their form in `managedFields` (FieldsV1).

A path is a tuple of steps: `("f", name)` a field, `("k", ((key, value), ...))` an item of a keyed list,
`("v", value)` an item of a set. A path in a set is owned; `metadata.labels` may be owned apart from what is
below it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opssquad.worlds.kube.apiserver.typed.words import go_json

Step = tuple[str, Any]
Path = tuple[Step, ...]
Paths = frozenset[Path]


def to_fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """Nested as the API shows it, keys sorted; "." says that a path with children is itself owned."""
    tree: dict[str, Any] = {}
    owned: list[dict[str, Any]] = []
    for path in paths:
        node = tree
        for step in path:
            node = node.setdefault(_name(step), {})
        owned.append(node)
    for node in owned:
        if node:
            node["."] = {}
    return _ordered(tree)


def from_fields_v1(tree: Mapping[str, Any]) -> Paths:
    """The paths of a FieldsV1 document. Raises ValueError if it is none."""
    found: set[Path] = set()
    _collect(tree, (), found)
    return frozenset(found)


def _collect(tree: Mapping[str, Any], path: Path, found: set[Path]) -> None:
    if not isinstance(tree, Mapping):
        raise ValueError(f"a set of fields is an object, not {tree!r}")
    for name, child in tree.items():
        if name == ".":
            found.add(path)
            continue
        step = (*path, _step(name))
        if child:
            _collect(child, step, found)
        else:
            found.add(step)


def _ordered(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _ordered(tree[name]) for name in sorted(tree)}


def _name(step: Step) -> str:
    kind, value = step
    if kind == "f":
        return f"f:{value}"
    return f"{kind}:{go_json(dict(value) if kind == 'k' else value)}"


def _step(name: str) -> Step:
    kind, _, text = name.partition(":")
    if kind == "f":
        return ("f", text)
    value = json.loads(text)
    if kind == "k" and isinstance(value, dict):
        return ("k", tuple(sorted(value.items())))
    if kind == "v" and not isinstance(value, dict | list):
        return ("v", value)
    raise ValueError(f"no step of a path: {name}")


def show(path: Path) -> str:
    """As conflicts print it: `.spec.template.spec.containers[name="nginx"].image`."""
    return "".join(_shown(step) for step in path)


def _shown(step: Step) -> str:
    kind, value = step
    if kind == "f":
        return f".{value}"
    if kind == "k":
        return "[" + ",".join(f"{key}={go_json(part)}" for key, part in value) + "]"
    return f"[={go_json(value)}]"
