"""Access to `facts.yaml`: which resources have a generation, a status, an answer of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource


@dataclass(frozen=True)
class Facts:
    """The data file; the names are its keys."""

    generation: Mapping[str, list[str]]
    status: Mapping[str, Json]
    returns_deleted: frozenset[str]


@lru_cache(maxsize=1)
def facts() -> Facts:
    """The facts, read once."""
    import yaml

    loaded = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text(encoding="utf-8"))
    return Facts(loaded["generation"], loaded["status"], frozenset(loaded["returns_deleted"]))


def has_generation(resource: Resource, custom: bool) -> bool:
    """Whether objects of a resource count their generation."""
    return custom or resource.qualified in facts().generation


def generation_moves(resource: Resource, before: Json, after: Json, custom: bool) -> bool:
    """Whether a write from one object to another counts as a new generation."""
    if custom:
        ignored = ("metadata", "status", "apiVersion", "kind")
        parts = [key for key in {**before, **after} if key not in ignored]
    else:
        parts = facts().generation.get(resource.qualified, [])
    return any(_part(before, part) != _part(after, part) for part in parts)


def _part(obj: Json, dotted: str) -> Any:
    value: Any = obj
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
