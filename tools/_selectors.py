"""Label selectors as the API means them: `matchLabels` and `matchExpressions`.

Pure functions. For the plain map of a Service, which selects nothing where it is empty, there is
`_kube.selected`.
"""

from collections.abc import Mapping
from typing import Any

from opssquad import Json, Ref

from ._kube import dig
from .signals._scene import Scene

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the server puts on every namespace: its name."""


def matches(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a LabelSelector; an empty one, and none at all, takes everything."""
    plain: Mapping[str, str] = dig(selector, "matchLabels", default={})
    expressions = dig(selector, "matchExpressions", default=())
    return all(labels.get(key) == value for key, value in plain.items()) and all(
        _holds(each, labels) for each in expressions
    )


def _holds(expression: Json, labels: Mapping[str, str]) -> bool:
    key, wanted = expression.get("key", ""), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in wanted
        case "NotIn":
            return labels.get(key) not in wanted
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def namespace_matches(selector: Json | None, namespace: str, scene: Scene) -> bool | None:
    """Whether a namespace's labels satisfy a selector; None where they were not read and it asks for more
    than the name."""
    if not dig(selector, "matchLabels") and not dig(selector, "matchExpressions"):
        return True
    labels: dict[str, Any] | None = dig(
        scene.get(Ref(kind="Namespace", name=namespace)), "metadata", "labels"
    )
    if labels is None:
        asked = {*dig(selector, "matchLabels", default={}), *_keys(selector)}
        if asked != {NAME_LABEL}:
            return None
    return matches(selector, {NAME_LABEL: namespace, **(labels or {})})


def _keys(selector: Json | None) -> set[str]:
    return {each.get("key", "") for each in dig(selector, "matchExpressions", default=())}
