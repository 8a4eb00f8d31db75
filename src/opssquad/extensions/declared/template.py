"""Texts with holes: `{name}` is filled with an argument, once and as it is; what an argument holds is never
looked at for holes again. `{{name}}` stands for `{name}` itself.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_HOLE = re.compile(r"\{\{(\w+)\}\}|\{([A-Za-z_]\w*)\}")


def holes(value: Any) -> list[str]:
    """The names of the holes of a text, or of a structure of texts."""
    match value:
        case str():
            return [found[2] for found in _HOLE.finditer(value) if found[2]]
        case dict():
            return [each for inner in value.values() for each in holes(inner)]
        case list() | tuple():
            return [each for inner in value for each in holes(inner)]
        case _:
            return []


def fill(text: str, values: Mapping[str, Any], encode: Callable[[str], str] = str) -> str:
    """The text with its holes filled, each argument encoded; one that was left out gives nothing."""

    def filled(found: re.Match[str]) -> str:
        return encode(said(values.get(found[2]))) if found[2] else f"{{{found[1]}}}"

    return _HOLE.sub(filled, text)


def fill_all(value: Any, values: Mapping[str, Any]) -> Any:
    """The same over a structure. A text that is one hole takes the argument's own type, and what stands for
    an argument that was left out is left out."""
    match value:
        case str():
            whole = _HOLE.fullmatch(value)
            return values.get(whole[2]) if whole and whole[2] else fill(value, values)
        case dict():
            return {key: fill_all(each, values) for key, each in value.items() if not absent(each, values)}
        case list():
            return [fill_all(each, values) for each in value if not absent(each, values)]
        case _:
            return value


def absent(value: Any, values: Mapping[str, Any]) -> bool:
    """Whether a text has a hole for an argument that was left out."""
    return isinstance(value, str) and any(values.get(each) is None for each in holes(value))


def said(value: Any) -> str:
    """An argument as text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case _:
            return str(value)
