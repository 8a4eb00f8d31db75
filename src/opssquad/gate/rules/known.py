"""The content of `objects.yaml`: how calls name the object that they are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from opssquad.documents import read_yaml
from opssquad.types import Value


class ToolNames(Value):
    """What the object of one tool is, where the call does not say its kind; "" is not known."""

    kind: str


class LineForm(Value):
    """How the operands of a kubectl command name objects."""

    form: Literal["objects", "named", "none"]
    kind: str = ""


@dataclass(frozen=True)
class Called:
    """A built-in kind and the groups that serve it."""

    kind: str
    groups: frozenset[str]


class Known(Value):
    """How calls name objects, and what kinds are called."""

    arguments: Mapping[str, str]
    kind: str
    tools: Mapping[str, ToolNames]
    lines: Mapping[str, LineForm]
    categories: tuple[str, ...]
    kinds: Mapping[str, Mapping[str, tuple[str, ...]]]

    @cached_property
    def called(self) -> Mapping[str, Called]:
        """Built-in kinds by everything that they are called, in lower case, without a group."""
        groups: dict[str, set[str]] = {}
        for api, kinds in self.kinds.items():
            for kind in kinds:
                groups.setdefault(kind, set()).add(api.rpartition("/")[0])
        return {
            name.lower(): Called(kind, frozenset(groups[kind]))
            for kinds in self.kinds.values()
            for kind, names in kinds.items()
            for name in (kind, *names)
        }


@cache
def known() -> Known:
    """What came with the product."""
    return read_yaml(Path(__file__).with_name("objects.yaml"), Known)
