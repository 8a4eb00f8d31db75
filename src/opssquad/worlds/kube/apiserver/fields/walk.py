"""Walks over typed objects: which fields an object sets, what changed between two, merging and pruning by
paths.

Pure functions over dicts and a type of the schema; an unknown type (a custom resource) is walked by its
values: objects field by field, lists as one value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.fields.paths import Path, Paths, Step
from opssquad.worlds.kube.apiserver.typed.schema import Field, Type, schema


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value at some place is taken: `atomic` as one value, `keyed`/`set` as a list of items, else by
    children.
    """

    type: Type | None = None
    field: Field | None = None
    inside: bool = False

    @property
    def atomic(self) -> bool:
        """Changes as a whole only."""
        if self.field and self.field.container == "list" and not self.inside:
            return not (self.field.keys or self.field.is_set)
        return bool((self.field and self.field.atomic) or (self.type and self.type.atomic))

    def child(self, name: str) -> "Shape":
        """The shape of a field of this struct or map."""
        if self.field and self.field.container == "map" and not self.inside:
            return _leaf(self.field)
        if self.type and name in self.type.fields:
            inner = self.type.fields[name]
            return Shape(field=inner) if inner.container else _leaf(inner, inner)
        return Shape()

    def items(self, value: list[Any]) -> list[tuple[Step, Any]]:
        """The items of a keyed list or set with their steps; a missing key is taken from the default."""
        if self.field and self.field.is_set:
            return [(("v", item), item) for item in value]
        keys = self.field.keys if self.field else ()
        return [(("k", self._key(item, keys)), item) for item in value]

    def _key(self, item: Json, keys: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
        named = schema().type(self.field.leaf).fields if self.field and not self.field.scalar else {}
        found = ((key, item.get(key, named[key].default if key in named else None)) for key in sorted(keys))
        return tuple((key, value) for key, value in found if value is not None)

    @property
    def item(self) -> "Shape":
        """The shape of an item."""
        return _leaf(self.field) if self.field else Shape()


def _leaf(of: Field, atomic_from: Field | None = None) -> Shape:
    kind = None if of.scalar else schema().type(of.leaf)
    return Shape(type=kind, field=atomic_from, inside=True)


def root(kind: Type | None) -> Shape:
    """The shape of a whole object."""
    return Shape(type=kind)


def is_list(shape: Shape, value: Any) -> bool:
    """Whether a value is walked item by item."""
    return isinstance(value, list) and bool(shape.field) and not shape.atomic


def field_set(value: Json, kind: Type | None) -> Paths:
    """Every field that an object sets."""
    return frozenset(_set_paths(value, root(kind), ()))


def _set_paths(value: Any, shape: Shape, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and value and not shape.atomic:
        children = [(("f", key), child, shape.child(key)) for key, child in value.items()]
    elif is_list(shape, value) and value:
        children = [(step, child, shape.item) for step, child in shape.items(value)]
        # An item of a keyed list is owned as such, its fields besides.
    else:
        yield path
        return
    for step, child, inner in children:
        if step[0] == "k" and child:
            yield (*path, step)
        yield from _set_paths(child, inner, (*path, step))


@dataclass
class Comparison:
    """What changed from one object to another."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)

    def without(self, ignored: Callable[[Path], bool]) -> "Comparison":
        """The same, but for some paths."""
        return Comparison(*({p for p in part if not ignored(p)} for part in vars(self).values()))


MISSING = object()


def compare(before: Json, after: Json, kind: Type | None) -> Comparison:
    """What was added, modified and removed; leaves, and containers that came or went."""
    found = Comparison()
    _compare(before, after, root(kind), (), found)
    return found


def _compare(before: Any, after: Any, shape: Shape, path: Path, found: Comparison) -> None:
    sides = [side for side in (before, after) if side is not MISSING]
    walked = [side for side in sides if _children(side, shape)]
    if shape.atomic or not walked:
        _leaf_change(before, after, path, found)
        return
    left = _children(before, shape) if before is not MISSING else {}
    right = _children(after, shape) if after is not MISSING else {}
    for step in {**left, **right}:
        inner = shape.child(step[1]) if step[0] == "f" else shape.item
        _compare(left.get(step, MISSING), right.get(step, MISSING), inner, (*path, step), found)
    if before is MISSING:
        found.added.add(path)
    elif after is MISSING:
        found.removed.add(path)


def _children(value: Any, shape: Shape) -> dict[Step, Any]:
    if isinstance(value, dict):
        return {("f", key): child for key, child in value.items()}
    return dict(shape.items(value)) if is_list(shape, value) else {}


def _leaf_change(before: Any, after: Any, path: Path, found: Comparison) -> None:
    if before is MISSING:
        found.added.add(path)
    elif after is MISSING:
        found.removed.add(path)
    elif before != after:
        found.modified.add(path)


def merge(live: Any, config: Any, shape: Shape) -> Any:
    """The live value with the config laid over it: structs and keyed lists merge, the rest is replaced."""
    if isinstance(live, dict) and isinstance(config, dict) and not shape.atomic:
        merged = dict(live)
        for key, value in config.items():
            merged[key] = merge(live[key], value, shape.child(key)) if key in live else value
        return merged
    if is_list(shape, config) and isinstance(live, list):
        return _merge_items(live, config, shape)
    return config


def _merge_items(live: list[Any], config: list[Any], shape: Shape) -> list[Any]:
    """The server's weave: live items keep their place, shared ones come in the order of the config."""
    ours, theirs = dict(shape.items(live)), dict(shape.items(config))
    left, right, merged = list(ours), list(theirs), set[Step]()
    out: list[Any] = []

    def take(step: Step) -> None:
        merged.add(step)
        out.append(merge(ours[step], theirs[step], shape.item) if step in ours else theirs[step])

    while left or right:
        shared = next((step for step in theirs if step in ours and step not in merged), None)
        if left and right and left[0] == right[0]:
            take(left.pop(0))
            right.pop(0)
        elif left and right and left[0] in theirs and shared not in (None, left[0]):
            left.pop(0)
        elif left and left[0] not in theirs:
            out.append(ours[left.pop(0)])
        elif left and left[0] in merged:
            left.pop(0)
        else:
            take(right.pop(0))
    return out


def without(value: Any, gone: Paths, shape: Shape, path: Path = ()) -> Any:
    """The value without the given fields and list items."""
    if isinstance(value, dict) and not shape.atomic:
        return {
            key: without(child, gone, shape.child(key), (*path, ("f", key)))
            for key, child in value.items()
            if (*path, ("f", key)) not in gone
        }
    if is_list(shape, value):
        return [
            without(child, gone, shape.item, (*path, step))
            for step, child in shape.items(value)
            if (*path, step) not in gone
        ]
    return value
