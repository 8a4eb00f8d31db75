"""Which rule of world.yaml a pod falls under: matching of workload, template and objects."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.patch.strategic import strategic_merge
from opssquad.worlds.kube.apiserver.typed.quantity import parse
from opssquad.worlds.kube.apiserver.typed.schema import schema
from opssquad.worlds.kube.recording.fates import Fate
from opssquad.worlds.kube.recording.refs import split
from opssquad.worlds.kube.recording.spec import (
    ObjectRule,
    ProbeShape,
    Resources,
    TemplateRule,
    WorldRules,
)

Find = Callable[[str, str, str], Json | None]
"""Kind, namespace and name to the object as it is now."""
COMPARISON = re.compile(r"(>=|<=|>|<)?\s*(.+)")
MISSING = object()


def fate(rules: WorldRules, workload: str, spec: Json, find: Find) -> Fate:
    """What becomes of a pod with this spec that belongs to `workload` (Kind/namespace/name)."""
    for outcome in rules.outcomes:
        when = outcome.when
        if (
            fnmatchcase(workload, when.workload)
            and suits(when.template, spec)
            and all(holds(rule, find) for rule in when.objects)
        ):
            return outcome.pods
    return rules.default.pods


def rewritten(rules: WorldRules, workload: str, spec: Json, find: Find) -> Json:
    """The spec of a new pod of `workload` as mutating webhooks leave it."""
    pod = schema().kind("v1", "Pod")
    assert pod is not None, "the schema always holds pods"
    for rewrite in rules.rewrites:
        when = rewrite.when
        if (
            fnmatchcase(workload, when.workload)
            and suits(when.template, spec)
            and all(holds(rule, find) for rule in when.objects)
        ):
            spec = strategic_merge({"spec": spec}, {"spec": rewrite.spec}, pod)["spec"]
    return spec


def suits(rule: TemplateRule, spec: Json) -> bool:
    """Whether a pod template's spec is as the rule asks."""
    return all(_template(rule, spec))


def _template(rule: TemplateRule, spec: Json) -> Iterator[bool]:
    main = spec["containers"][0]
    if rule.image is not None:
        yield fnmatchcase(main["image"], rule.image)
    env = {entry["name"]: entry.get("value") for entry in main.get("env", ())}
    for name, pattern in rule.env.items():
        yield env.get(name) is not None and fnmatchcase(env[name], pattern)
    if rule.resources:
        yield from _resources(rule.resources, main.get("resources") or {})
    if rule.probe:
        for kind in ("readiness", "liveness"):
            yield _probe(getattr(rule.probe, kind), main.get(f"{kind}Probe") or {})
    yield from _elsewhere(rule, spec)


def _resources(rule: Resources, have: Json) -> Iterator[bool]:
    for side, bounds in (("limits", rule.limits), ("requests", rule.requests)):
        for name, bound in bounds.items():
            yield compares((have.get(side) or {}).get(name), bound)


def _elsewhere(rule: TemplateRule, spec: Json) -> Iterator[bool]:
    """What is asked of any container, of init containers and of volumes."""
    inits = spec.get("initContainers", ())
    for field, pattern in (("command", rule.command), ("args", rule.args)):
        if pattern is not None:
            words = [" ".join(c[field]) for c in (*inits, *spec["containers"]) if c.get(field)]
            yield any(fnmatchcase(word, pattern) for word in words)
    if rule.init is not None:
        yield any(container["name"] == rule.init for container in inits)
    if rule.volumes:
        claims = [
            (v.get("persistentVolumeClaim") or {}).get("claimName", "") for v in spec.get("volumes", ())
        ]
        yield any(fnmatchcase(claim, rule.volumes.persistentVolumeClaim) for claim in claims if claim)
    for path, value in rule.equals.items():
        found = _at(spec, path)
        yield found is MISSING if value is None else found == value


def _probe(shape: ProbeShape | None, probe: Json) -> bool:
    if shape is None:
        return True
    asked: Json = next((probe[kind] for kind in ("httpGet", "tcpSocket", "grpc") if kind in probe), {})
    path = shape.path is None or fnmatchcase(str(asked.get("path", "")), shape.path)
    return path and (shape.port is None or fnmatchcase(str(asked.get("port", "")), shape.port))


def compares(have: str | None, bound: str) -> bool:
    """Whether a quantity satisfies `400Mi`, `>=x`, `>x`, `<x` or `<=x`. What is not set satisfies nothing."""
    found = COMPARISON.fullmatch(bound)
    if have is None or found is None:
        return False
    left, right = parse(have), parse(found[2])
    match found[1]:
        case ">=":
            return left >= right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case "<":
            return left < right
    return left == right


def holds(rule: ObjectRule, find: Find) -> bool:
    """Whether everything that a rule asks of an object is so."""
    obj = find(*split(rule.ref))
    if rule.absent:
        return obj is None
    if obj is None:
        return False
    if rule.has is not None and _at(obj, rule.has) is MISSING:
        return False
    if any(_at(obj, path) != value for path, value in rule.equals.items()):
        return False
    return all(_amount(_at(obj, path)) >= parse(least) for path, least in rule.at_least.items())


def _amount(value: Any) -> Fraction:
    return parse(value) if isinstance(value, str | int | float) else Fraction(-1)


def _at(value: Any, path: str) -> Any:
    """The value at a dotted path; keys may hold dots themselves, as `spec.hard.limits.memory` does, and a
    number is a place in a list."""
    if not path:
        return value
    if isinstance(value, list):
        place, _, rest = path.partition(".")
        return _at(value[int(place)], rest) if place.isdigit() and int(place) < len(value) else MISSING
    if not isinstance(value, dict):
        return MISSING
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        key = ".".join(parts[:end])
        if key in value and (found := _at(value[key], ".".join(parts[end:]))) is not MISSING:
            return found
    return MISSING
