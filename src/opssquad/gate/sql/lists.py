"""The lists of what only reads, as data: `grammar.yaml` and `functions.yaml`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path

from opssquad.documents import read_yaml
from opssquad.types import Value


class Grammar(Value):
    """The content of `grammar.yaml`; what each list is for is said there."""

    nodes: frozenset[str]
    explained: frozenset[str]
    types: frozenset[str]
    samples: frozenset[str]
    options: frozenset[str]
    columns: frozenset[str]
    refused: Mapping[str, str]


class Group(Value):
    """Functions that have one reason in common; names of refused ones may be patterns such as `lo_*`."""

    why: str
    names: tuple[str, ...]


class Functions(Value):
    """The content of `functions.yaml`; what each part is for is said there."""

    reads: Mapping[str, Group]
    volatile: Mapping[str, str]
    never: Mapping[str, Group]

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Every function that may be called."""
        named = (name for group in self.reads.values() for name in group.names)
        return frozenset((*named, *self.volatile))

    def against(self, name: str) -> str | None:
        """Why a function is never called; None for one that nothing is said of."""
        for group in self.never.values():
            if any(fnmatchcase(name, each) for each in group.names):
                return group.why
        return None


@cache
def grammar() -> Grammar:
    """The grammar that came with the product."""
    return read_yaml(Path(__file__).with_name("grammar.yaml"), Grammar)


@cache
def functions() -> Functions:
    """The functions that came with the product."""
    return read_yaml(Path(__file__).with_name("functions.yaml"), Functions)
