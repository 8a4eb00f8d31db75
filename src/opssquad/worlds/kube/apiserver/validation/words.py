"""The causes that validation is made of: required, invalid, unsupported, forbidden, duplicate, not found."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.typed.words import go_json


def required(field: str, why: str = "") -> Cause:
    """`Required value`."""
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def invalid(field: str, value: Any, why: str) -> Cause:
    """`Invalid value: -1: must be ...`."""
    return Cause("FieldValueInvalid", f"Invalid value: {go_json(value)}: {why}", field)


def unsupported(field: str, value: Any, supported: Iterable[str]) -> Cause:
    """`Unsupported value: "x": supported values: "a", "b"`."""
    listed = ", ".join(json.dumps(name) for name in supported)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {go_json(value)}: supported values: {listed}", field
    )


def forbidden(field: str, why: str) -> Cause:
    """`Forbidden: ...`."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def duplicate(field: str, value: Any) -> Cause:
    """`Duplicate value: "x"`."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {go_json(value)}", field)


def missing(field: str, value: Any) -> Cause:
    """`Not found: "x"`."""
    return Cause("FieldValueNotFound", f"Not found: {go_json(value)}", field)


def not_negative(field: str, value: int | None) -> Iterator[Cause]:
    """Refuses numbers below zero; None is fine."""
    if value is not None and value < 0:
        yield invalid(field, value, "must be greater than or equal to 0")


def at_least(field: str, value: int | None, least: int) -> Iterator[Cause]:
    """Refuses numbers below `least`; None is fine."""
    if value is not None and value < least:
        yield invalid(field, value, f"must be greater than or equal to {least}")


def port(field: str, value: Any) -> Iterator[Cause]:
    """Refuses what is no port number."""
    if isinstance(value, int) and not 1 <= value <= 65535:
        yield invalid(field, value, "must be between 1 and 65535, inclusive")
