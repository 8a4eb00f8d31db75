"""Label and field selectors: parsed with the server's own complaints, and matched against stored objects.

Which fields a resource can be selected by is data (`data/fields.json`).
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.status import bad_request

Matches = Callable[[Json], bool]

COMMON: dict[str, Mapping[str, str]] = {"metadata.name": {}, "metadata.namespace": {}}
UNKNOWN = '"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def selector(resource: Resource, query: Mapping[str, str]) -> Matches | None:
    """The predicate of `labelSelector` and `fieldSelector` over stored objects; None when everything matches.
    Raises a 400 for what cannot be parsed or selected by."""
    tests: list[Matches] = []
    if text := query.get("labelSelector", ""):
        requirements = labels.parse(text)
        tests.append(lambda obj: labels.matches(requirements, obj["metadata"].get("labels") or {}))
    if text := query.get("fieldSelector", ""):
        tests += [_field_test(resource, *term) for term in field_terms(text)]
    if not tests:
        return None
    return lambda obj: all(test(obj) for test in tests)


def field_terms(text: str) -> list[tuple[str, bool, str]]:
    """`a=b,c!=d` as (field, is it equality, value); `\\` escapes a comma, an equals sign or itself in a
    value.
    """
    terms = []
    for term in _split(text):
        for sign in ("!=", "==", "="):
            name, found, value = term.partition(sign)
            if found:
                terms.append((name, sign != "!=", _unescape(value, text)))
                break
        else:
            raise bad_request(f"invalid selector: \"{text}\"; can't understand '{term}'")
    return terms


def _split(text: str) -> list[str]:
    terms, start, escaped = [], 0, False
    for i, char in enumerate(text):
        if char == "," and not escaped:
            terms.append(text[start:i])
            start = i + 1
        escaped = char == "\\" and not escaped
    return [term for term in [*terms, text[start:]] if term]


def _unescape(value: str, text: str) -> str:
    out, escaped = [], False
    for char in value:
        if escaped and char not in "\\,=":
            raise bad_request(f'invalid field selector: "{text}": invalid escape sequence: \\{char}')
        if char == "\\" and not escaped:
            escaped = True
            continue
        out.append(char)
        escaped = False
    return "".join(out)


def _field_test(resource: Resource, label: str, equal: bool, value: str) -> Matches:
    known = _fields().get(resource.group, {}).get(resource.plural, {"unknown": UNKNOWN, "labels": {}})
    rule = {**COMMON, **known["labels"]}.get(label)
    if rule is None:
        raise bad_request(known["unknown"].format(label=label))
    return lambda obj: (_value(obj, label, rule) == value) is equal


def _value(obj: Json, label: str, rule: Mapping[str, str]) -> str:
    found = _dig(obj, rule.get("path", label))
    if found in (None, "") and "else" in rule:
        found = _dig(obj, rule["else"])
    if found is None:
        return rule.get("default", "")
    return str(found).lower() if isinstance(found, bool) else str(found)


def _dig(obj: Any, path: str) -> Any:
    for key in path.split("."):
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


@cache
def _fields() -> Json:
    loaded: Json = json.loads((files(__package__) / "data" / "fields.json").read_text(encoding="utf-8"))
    return loaded
