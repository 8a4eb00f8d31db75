"""The types of the Kubernetes API, from `schema.json`: no behaviour, only what each field is.

`schema.json` was derived once from the OpenAPI documents of a 1.36 server (fields, list and patch strategies)
and from the struct tags of the Go client (order, pointers, omission of empty values, protobuf numbers). A
field reads `"<protobuf number> <type> <marks>"`: `*int32` is a pointer, so zero differs from absent; `[]`,
`{}` are list and map; `always` is written even when empty; `merge=name` is the merge key of a strategic merge
patch; `keys=` the keys of a map-like list and `set` a set, for field ownership; a name with `+` is an
embedded struct whose fields stand inline.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

SCALARS = frozenset(
    (
        "string",
        "int32",
        "int64",
        "bool",
        "double",
        "bytes",
        "time",
        "microtime",
        "quantity",
        "intorstring",
        "any",
    )
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type. `container` is "", "list", "map" or "listmap" (a map of lists); `leaf` a scalar or
    a type.
    """

    name: str
    number: int
    container: str
    leaf: str
    pointer: bool = False
    always: bool = False
    atomic: bool = False
    keys: tuple[str, ...] = ()
    is_set: bool = False
    merges: bool = False
    merge_key: str = ""
    replaces: bool = False
    retains_keys: bool = False
    default: Any = None

    @property
    def scalar(self) -> bool:
        return self.leaf in SCALARS


@dataclass(frozen=True)
class Type:
    """A struct of the API: `fields` by JSON name in Go order, embedded structs flattened; `inline` for the
    wire format.
    """

    name: str
    fields: Mapping[str, Field]
    inline: Mapping[int, str]
    atomic: bool

    @cached_property
    def short(self) -> str:
        """The Go name without its package: `DeploymentSpec`."""
        return self.name.rpartition(".")[2]

    @cached_property
    def numbered(self) -> Mapping[int, Field]:
        """Fields by protobuf number, without those of embedded structs."""
        return {f.number: f for name, f in self.fields.items() if f.number and name not in self._embedded}

    @cached_property
    def _embedded(self) -> frozenset[str]:
        return frozenset(name for inner in self.inline.values() for name in schema().type(inner).fields)


class Schema:
    """All types by name (`core.v1.Container`) and the type of each kind."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._kinds: Mapping[str, str] = document["kinds"]
        self._raw: Mapping[str, Mapping[str, str]] = document["types"]
        self._atomic = frozenset(document["atomic"])
        self._types: dict[str, Type] = {}

    def kind(self, api_version: str, kind: str) -> Type | None:
        """The type of a kind such as `apps/v1`, `Deployment`; None for custom resources."""
        name = self._kinds.get(f"{api_version}/{kind}")
        return self.type(name) if name else None

    def versions(self) -> frozenset[str]:
        """Every `group/version` (or `v1`) that has a kind here."""
        return frozenset(key.rpartition("/")[0] for key in self._kinds)

    def names(self) -> tuple[str, ...]:
        """Names of all types."""
        return tuple(self._raw)

    def type(self, name: str) -> Type:
        """A type by name. Raises KeyError."""
        if name not in self._types:
            fields: dict[str, Field] = {}
            inline: dict[int, str] = {}
            for key, text in self._raw[name].items():
                if key.startswith("+"):
                    inline[int(text.partition(" ")[0])] = key[1:]
                    fields.update(self.type(key[1:]).fields)
                else:
                    fields[key] = _field(key, text)
            self._types[name] = Type(name, fields, inline, name in self._atomic)
        return self._types[name]


def _field(name: str, text: str) -> Field:
    number, kind, *marks = text.split(" ")
    pointer, kind = kind.startswith("*"), kind.removeprefix("*")
    container = {"{}[]": "listmap", "{}": "map", "[]": "list"}.get(
        next((prefix for prefix in ("{}[]", "{}", "[]") if kind.startswith(prefix)), ""), ""
    )
    values = {key: value for key, _, value in (mark.partition("=") for mark in marks)}
    return Field(
        name=name,
        number=int(number),
        container=container,
        leaf=kind.lstrip("{}[]"),
        pointer=pointer,
        always="always" in values,
        atomic="atomic" in values,
        keys=tuple(values["keys"].split(",")) if "keys" in values else (),
        is_set="set" in values,
        merges="merge" in values,
        merge_key=values.get("merge", ""),
        replaces="replace" in values,
        retains_keys="retainKeys" in values,
        default=json.loads(values["default"]) if "default" in values else None,
    )


@lru_cache(maxsize=1)
def schema() -> Schema:
    """The one schema, read when first asked for (about 3 ms)."""
    text = (Path(__file__).parent / "schema.json").read_text(encoding="utf-8")
    return Schema(json.loads(text))
