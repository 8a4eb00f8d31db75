"""LimitRanges: the requests and limits that containers get when they name none, and what they may name.

Items of type Container only; those for whole pods and claims are stored and not applied.
"""

from collections.abc import Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource, ResourceKey
from opssquad.worlds.kube.apiserver.status import refused
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.quantity import parse

RANGES = ResourceKey("", "limitranges")
NOTE = "kubernetes.io/limit-ranger"
WORDS = {"containers": "container", "initContainers": "init container"}


def completed(_: Store, __: Resource, limit_range: Json) -> Json:
    """A new LimitRange: limits by default are the largest allowed, requests the limits or the least."""
    items = [_completed(item) for item in limit_range.get("spec", {}).get("limits") or []]
    return {**limit_range, "spec": {**limit_range.get("spec", {}), "limits": items}}


def _completed(item: Json) -> Json:
    if item.get("type") != "Container":
        return item
    default = {**item.get("max", {}), **item.get("default", {})}
    request = {**item.get("min", {}), **default, **item.get("defaultRequest", {})}
    return {
        **item,
        **({"default": default} if default else {}),
        **({"defaultRequest": request} if request else {}),
    }


def limited(store: Store, resource: Resource, pod: Json) -> Json:
    """A new pod with what the ranges of its namespace give. Raises ApiStatus 403 for what they forbid."""
    items = [
        item
        for found in store.list(RANGES, pod["metadata"].get("namespace", ""))
        for item in found.get("spec", {}).get("limits") or []
        if item.get("type") == "Container"
    ]
    if not items:
        return pod
    spec, said = dict(pod["spec"]), []
    for field, word in WORDS.items():
        if spec.get(field):
            given = [_given(container, items, word) for container in spec[field]]
            spec[field] = [container for container, _ in given]
            said += [text for _, texts in given for text in texts]
    faults = [fault for field in WORDS for c in spec.get(field) or [] for fault in _faults(c, items)]
    if faults:
        why = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        raise refused(resource, pod["metadata"]["name"], why)
    if not said:
        return {**pod, "spec": spec}
    notes = {**pod["metadata"].get("annotations", {}), NOTE: f"LimitRanger plugin set: {'; '.join(said)}"}
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes}, "spec": spec}


def _given(container: Json, items: list[Json], word: str) -> tuple[Json, list[str]]:
    """The container with its defaults, and what was set in the server's words."""
    resources, said = dict(container.get("resources") or {}), []
    for side, source in (("requests", "defaultRequest"), ("limits", "default")):
        own = resources.get(side) or {}
        new = {k: v for item in items for k, v in item.get(source, {}).items() if k not in own}
        if new:
            resources[side] = {**own, **new}
            said.append(f"{', '.join(sorted(new))} {side[:-1]} for {word} {container['name']}")
    return {**container, "resources": resources}, said


def _faults(container: Json, items: list[Json]) -> Iterator[str]:
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for item in items:
        for name, least in sorted(item.get("min", {}).items()):
            lead = f"minimum {name} usage per Container is {least}"
            yield from _fault(lead, name, {"request": requests, "limit": limits}, least, -1)
        for name, most in sorted(item.get("max", {}).items()):
            lead = f"maximum {name} usage per Container is {most}"
            yield from _fault(lead, name, {"limit": limits, "request": requests}, most, 1)


def _fault(lead: str, name: str, sides: dict[str, Json], bound: str, sign: int) -> Iterator[str]:
    """The first side must be given; the first that is on the wrong side of the bound is told."""
    for place, (side, amounts) in enumerate(sides.items()):
        if name not in amounts:
            if place == 0:
                yield f"{lead}.  No {side} is specified"
                return
        elif sign * (parse(amounts[name]) - parse(bound)) > 0:
            yield f"{lead}, but {side} is {amounts[name]}"
            return
