"""Protobuf request bodies, which kubectl sends for some commands whatever the server would like, read as JSON
trees.

A body is the four bytes `k8s\\0` and a `runtime.Unknown`: 1 type meta (1 apiVersion, 2 kind), 2 the object's
bytes. Field numbers come from the schema. Only decoding: every answer is JSON.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opssquad.worlds.kube.apiserver.typed.schema import Field, Type, schema

MAGIC = b"k8s\x00"
Wire = tuple[int, Any]


class BadWire(ValueError):
    """Bytes that are no protobuf message of the expected form."""


def decode(body: bytes) -> dict[str, Any]:
    """The object of a request body, with apiVersion and kind. Raises BadWire."""
    if not body.startswith(MAGIC):
        raise BadWire(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    outer = dict(_fields(body[len(MAGIC) :]))
    meta = dict(_fields(outer.get(1, b"")))
    api_version, kind = _text(meta.get(1, b"")), _text(meta.get(2, b""))
    known = schema().kind(api_version, kind)
    if known is None:
        raise BadWire(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_message(outer.get(2, b""), known)}


def _message(data: bytes, kind: Type) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for number, value in _fields(data):
        if number in kind.inline:
            out.update(_message(value, schema().type(kind.inline[number])))
            continue
        field = kind.numbered.get(number)
        if field is None:
            continue
        if field.container == "list":
            out.setdefault(field.name, []).append(_value(value, field))
        elif field.container:
            entry = dict(_fields(value))
            out.setdefault(field.name, {})[_text(entry.get(1, b""))] = _entry(entry.get(2, b""), field)
        else:
            out[field.name] = _value(value, field)
    return out


def _entry(value: Any, field: Field) -> Any:
    if field.container == "listmap":
        return [_text(item) for _, item in _fields(value)]
    return _value(value, field)


def _value(value: Any, field: Field) -> Any:
    match field.leaf:
        case "string":
            return _text(value)
        case "bool":
            return bool(_number(value))
        case "int32" | "int64":
            return _number(value) - (1 << 64) if _number(value) >> 63 else value
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "time" | "microtime":
            return _moment(value, field.leaf)
        case "quantity":
            return _text(dict(_fields(value)).get(1, b"")) or "0"
        case "intorstring":
            parts = dict(_fields(value))
            return _text(parts.get(3, b"")) if parts.get(1) else parts.get(2, 0)
        case "any":
            raw = _text(dict(_fields(value)).get(1, b""))
            return json.loads(raw) if raw else None
        case "double":
            raise BadWire(f"a floating point number in {field.name}")
        case leaf:
            return _message(value, schema().type(leaf))


def _moment(value: Any, leaf: str) -> str | None:
    if not _bytes(value):
        return None
    parts = dict(_fields(value))
    seconds, nanos = _number(parts.get(1, 0)), _number(parts.get(2, 0))
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)
    except (OverflowError, OSError, ValueError) as error:
        raise BadWire(f"no moment: {seconds} seconds and {nanos} nanoseconds") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if leaf == "time" else "%Y-%m-%dT%H:%M:%S.%fZ")


def _fields(value: Any) -> Iterator[Wire]:
    data, at = _bytes(value), 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
            case 2:
                length, at = _varint(data, at)
                if at + length > len(data):
                    raise BadWire("unexpected EOF")
                yield key >> 3, data[at : at + length]
                at += length
            case 1:
                at += 8
            case 5:
                at += 4
            case other:
                raise BadWire(f"illegal wireType {other}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise BadWire("unexpected EOF")


def _bytes(value: Any) -> bytes:
    """The bytes of a field that must hold some."""
    if not isinstance(value, bytes):
        raise BadWire("a number where a text or message belongs")
    return value


def _number(value: Any) -> int:
    """The number of a field that must hold one."""
    if not isinstance(value, int):
        raise BadWire("a text or message where a number belongs")
    return value


def _text(value: Any) -> str:
    try:
        return _bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadWire("string field contains invalid UTF-8") from error
