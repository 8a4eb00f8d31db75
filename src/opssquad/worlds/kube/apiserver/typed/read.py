"""A JSON tree read into a type of the API and printed again, as a Go server does with every body.

Unknown fields fall away (and are named), empty optional fields are left out, quantities and times get their
canonical form, fields their order. Nothing here knows about defaults or validation.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from opssquad.worlds.kube.apiserver.typed import quantity
from opssquad.worlds.kube.apiserver.typed.schema import Field, Type, schema

Dialect = Literal["json", "unstructured"]
"""How a mismatch is worded: by the JSON decoder (create, update, merge patch) or by the converter (strategic
patch).
"""

ZERO: Mapping[str, Any] = {
    "string": "",
    "int32": 0,
    "int64": 0,
    "double": 0,
    "bool": False,
    "quantity": "0",
    "intorstring": 0,
}
GO_KIND = {"bytes": "[]uint8", "double": "float64", "time": "v1.Time", "microtime": "v1.MicroTime"}


class Mismatch(Exception):
    """A value that does not fit its type; the text is the server's."""


def read(kind: Type, value: Mapping[str, Any], dialect: Dialect = "json") -> tuple[dict[str, Any], list[str]]:
    """The object in canonical form, and the paths of unknown fields. Raises Mismatch."""
    reader = _Reader(dialect)
    return reader.struct(kind, value, (), ""), reader.unknown


def empty(kind: Type) -> dict[str, Any]:
    """What an object of this type prints when nothing was set: `{"metadata": {}, "spec": {...}}`."""
    return read(kind, {})[0]


def duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads(object_pairs_hook=...)`: the last value wins, names given twice are kept aside for
    `doubled`.
    """
    seen = Doubled(pairs)
    if len(seen) < len(pairs):
        names = [name for name, _ in pairs]
        seen.names = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    return seen


class Doubled(dict[str, Any]):
    """A JSON object that remembers which names it was given twice."""

    names: list[str] = []


def doubled(value: Any, path: str = "") -> Iterator[str]:
    """Paths of the fields given twice in a tree read with `duplicates`."""
    if isinstance(value, dict):
        for name in getattr(value, "names", []):
            yield f"{path}.{name}".lstrip(".")
        for name, child in value.items():
            yield from doubled(child, f"{path}.{name}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from doubled(child, f"{path}[{index}]")


class _Reader:
    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.unknown: list[str] = []

    def struct(self, kind: Type, value: Any, owner: tuple[str, str] | tuple[()], path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            if self.dialect == "unstructured":
                raise Mismatch(f"cannot restore struct from: {_go_kind(value)}")
            raise self.wrong(value, owner, f"v1.{kind.short}")
        for name in value:
            if name not in kind.fields:
                self.unknown.append(f"{path}.{name}".lstrip("."))
        out: dict[str, Any] = {}
        for name, field in kind.fields.items():
            given = value.get(name)
            if given is None:
                self.absent(field, out)
                continue
            inner = (kind.short, ".".join(part for part in (*owner[1:], name) if part))
            read = self.field(field, given, inner, f"{path}.{name}")
            if field.always or not _omitted(field, read):
                out[name] = read
        return out

    def absent(self, field: Field, out: dict[str, Any]) -> None:
        if not field.always:
            return
        if field.container or field.pointer or field.leaf in ("time", "microtime", "any", "bytes"):
            out[field.name] = None
        elif field.scalar:
            out[field.name] = ZERO[field.leaf]
        else:
            out[field.name] = self.struct(schema().type(field.leaf), {}, (), "")

    def field(self, field: Field, value: Any, owner: tuple[str, str], path: str) -> Any:
        if field.container == "list":
            return self.items(field, value, owner, path)
        if field.container:
            if not isinstance(value, dict):
                if self.dialect == "unstructured":
                    raise Mismatch(f"cannot restore map from {_go_kind(value)}")
                raise self.wrong(value, owner, f"map[string]{_go_type(field)}")
            read = self.items if field.container == "listmap" else self.one
            return {key: read(field, value[key], owner, f"{path}.{key}") for key in sorted(value)}
        return self.one(field, value, owner, path)

    def items(self, field: Field, value: Any, owner: tuple[str, str], path: str) -> list[Any]:
        if not isinstance(value, list):
            if self.dialect == "unstructured":
                raise Mismatch(f"cannot restore slice from {_go_kind(value)}")
            raise self.wrong(value, owner, f"[]{_go_type(field)}")
        return [self.one(field, item, owner, f"{path}[{index}]") for index, item in enumerate(value)]

    def one(self, field: Field, value: Any, owner: tuple[str, str], path: str) -> Any:
        if not field.scalar:
            return self.struct(schema().type(field.leaf), {} if value is None else value, owner, path)
        if value is None:
            return ZERO.get(field.leaf)
        return self.scalar(field.leaf, value, owner)

    def scalar(self, leaf: str, value: Any, owner: tuple[str, str]) -> Any:
        if leaf == "any":
            return value
        try:
            fits, read = _scalar(leaf, value)
        except ValueError as error:
            raise Mismatch(str(error)) from error
        if fits:
            return read
        if self.dialect == "unstructured":
            raise Mismatch(f"unrecognized type: {GO_KIND.get(leaf, leaf)}")
        raise self.wrong(value, owner, GO_KIND.get(leaf, leaf))

    def wrong(self, value: Any, owner: tuple[str, str] | tuple[()], go_type: str) -> Mismatch:
        where = f"Go struct field {owner[0]}.{owner[1]}" if owner else "Go value"
        return Mismatch(f"json: cannot unmarshal {_json_kind(value)} into {where} of type {go_type}")


def _scalar(leaf: str, value: Any) -> tuple[bool, Any]:
    """Whether the value fits the scalar, and its canonical form. Raises ValueError in the server's words."""
    text, number = isinstance(value, str), isinstance(value, int | float) and not isinstance(value, bool)
    match leaf:
        case "string":
            return text, value
        case "bool":
            return isinstance(value, bool), value
        case "int32" | "int64":
            return number and value == int(value), int(value) if number else 0
        case "double":
            return number, value
        case "quantity":
            return text or number, quantity.canonical(value) if text or number else ""
        case "intorstring":
            return text or (number and value == int(value)), value
        case "bytes":
            return text, _base64(value) if text else ""
        case _:
            return text, _time(leaf, value) if text else ""


def _base64(text: str) -> str:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode()
    except binascii.Error as error:
        bad = next((i for i, c in enumerate(text) if not (c.isalnum() or c in "+/=")), len(text) // 4 * 4)
        raise ValueError(f"illegal base64 data at input byte {bad}") from error


def _time(leaf: str, text: str) -> str:
    layout = "2006-01-02T15:04:05Z07:00" if leaf == "time" else "2006-01-02T15:04:05.000000Z07:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"') from error
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if leaf == "time" else "%Y-%m-%dT%H:%M:%S.%fZ")


def _omitted(field: Field, value: Any) -> bool:
    if field.container:
        return not value
    if field.pointer or not field.scalar:
        return False
    return value is None or (field.leaf in ZERO and value == ZERO[field.leaf]) or value == ""


def _go_type(field: Field) -> str:
    return GO_KIND.get(field.leaf, field.leaf) if field.scalar else "v1." + field.leaf.rpartition(".")[2]


def _go_kind(value: Any) -> str:
    return {str: "string", bool: "bool", int: "int64", float: "float64", list: "slice", dict: "map"}[
        type(value)
    ]


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if isinstance(value, float) else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
