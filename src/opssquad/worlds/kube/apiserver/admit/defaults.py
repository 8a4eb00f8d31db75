"""Defaults: what the server writes into fields that a body leaves open. The rules are data, `defaults.yaml`.

The few defaults that are computed (image pull policy, requests from limits, host ports) are functions here.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.typed.schema import Field, Type, schema

Names = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """One entry of the data file; paths are split."""

    when: Mapping[Names, Any] = field(default_factory=dict)
    set: Mapping[Names, Any] = field(default_factory=dict)
    copy: Mapping[Names, Names] = field(default_factory=dict)


@lru_cache(maxsize=1)
def rules() -> Mapping[str, list[Rule]]:
    """The rules by type."""
    import yaml

    loaded: dict[str, list[Rule]] = {}
    text = (Path(__file__).parent / "defaults.yaml").read_text(encoding="utf-8")
    for entry in yaml.safe_load(text):
        paths = {part: {_names(k): v for k, v in entry.get(part, {}).items()} for part in ("when", "set")}
        copies = {_names(k): _names(v) for k, v in entry.get("copy", {}).items()}
        loaded.setdefault(entry["type"], []).append(Rule(paths["when"], paths["set"], copies))
    return loaded


def _names(dotted: str) -> Names:
    return tuple(name.replace("\\.", ".") for name in re.split(r"(?<!\\)\.", dotted))


def with_defaults(obj: Json, kind: Type) -> Json:
    """The object with every default filled in; the argument is not changed."""
    filled = _fill(obj, kind)
    return _pod_defaults(filled) if kind.name == "core.v1.Pod" else filled


def _fill(obj: Json, kind: Type) -> Json:
    out = dict(obj)
    for rule in rules().get(kind.name, ()):
        if all(_get(out, names) == value for names, value in rule.when.items()):
            for names, value in rule.set.items():
                out = _put(out, names, value, kind)
            for names, source in rule.copy.items():
                out = _put(out, names, _get(out, source), kind)
    out = COMPUTED.get(kind.name, dict)(out)
    for name, value in out.items():
        inner = kind.fields.get(name)
        if inner and not inner.scalar and value is not None:
            out[name] = _inside(value, inner)
    return out


def _inside(value: Any, inner: Field) -> Any:
    kind = schema().type(inner.leaf)
    if inner.container == "list":
        return [_fill(item, kind) for item in value]
    if inner.container == "map":
        return {key: _fill(item, kind) for key, item in value.items()}
    return _fill(value, kind)


def _get(obj: Any, names: Names) -> Any:
    for name in names:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _put(obj: Json, names: Names, value: Any, kind: Type | None) -> Json:
    """A copy with the value where nothing was."""
    head, rest = names[0], names[1:]
    of = kind.fields.get(head) if kind else None
    present = obj.get(head)
    if rest:
        inner = schema().type(of.leaf) if of and not of.scalar and not of.container else None
        return {**obj, head: _put(present or {}, rest, value, inner)}
    absent = present is None or (of is not None and not of.pointer and not present and not of.container)
    if of is not None and of.container == "list":
        absent = not present
    return {**obj, head: value} if absent and value is not None else obj


def _pull_policy(container: Json) -> Json:
    if container.get("imagePullPolicy"):
        return container
    name, _, _digest = str(container.get("image", "")).partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    latest = tag in ("", "latest") and "@" not in str(container.get("image", ""))
    return {**container, "imagePullPolicy": "Always" if latest else "IfNotPresent"}


def _volume(volume: Json) -> Json:
    return {**volume, "emptyDir": {}} if set(volume) == {"name"} else volume


def _host_ports(spec: Json) -> Json:
    if not spec.get("hostNetwork"):
        return spec
    out = dict(spec)
    for name in ("containers", "initContainers"):
        if name in out:
            out[name] = [_host_port(container) for container in out[name]]
    return out


def _host_port(container: Json) -> Json:
    ports = container.get("ports")
    if not ports:
        return container
    return {**container, "ports": [{**p, "hostPort": p.get("hostPort") or p["containerPort"]} for p in ports]}


def _service_account(spec: Json) -> Json:
    """`serviceAccount` is the old name of `serviceAccountName`; both are kept equal."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    return {**spec, "serviceAccountName": name, "serviceAccount": name} if name else spec


def _labels_of_template(workload: Json) -> Json:
    template = (workload.get("spec") or {}).get("template") or {}
    labels = template.get("metadata", {}).get("labels")
    metadata = workload.get("metadata", {})
    if not labels or metadata.get("labels"):
        return workload
    return {**workload, "metadata": {**metadata, "labels": labels}}


def _pod_defaults(pod: Json) -> Json:
    """Requests that follow from limits; only pods have them filled in, templates do not."""
    spec = dict(pod.get("spec") or {})
    for name in ("containers", "initContainers"):
        if spec.get(name):
            spec[name] = [_requests(container) for container in spec[name]]
    return {**pod, "spec": spec}


def _requests(container: Json) -> Json:
    limits = container.get("resources", {}).get("limits")
    if not limits:
        return container
    resources = container["resources"]
    return {**container, "resources": {**resources, "requests": {**limits, **resources.get("requests", {})}}}


def _secret(secret: Json) -> Json:
    """`stringData` is only for writing: it becomes `data`."""
    if not secret.get("stringData"):
        return secret
    plain = {key: b64encode(value.encode()).decode() for key, value in secret["stringData"].items()}
    kept = {key: value for key, value in secret.items() if key != "stringData"}
    return {**kept, "data": {**(secret.get("data") or {}), **plain}}


COMPUTED = {
    "core.v1.Secret": _secret,
    "core.v1.Container": _pull_policy,
    "core.v1.EphemeralContainer": _pull_policy,
    "core.v1.Volume": _volume,
    "core.v1.PodSpec": lambda spec: _service_account(_host_ports(spec)),
    "apps.v1.ReplicaSet": _labels_of_template,
    "batch.v1.Job": _labels_of_template,
}
