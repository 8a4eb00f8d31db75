"""A HorizontalPodAutoscaler in autoscaling/v1: one CPU target in the spec, all else in annotations.

Like the server, v1 carries what it has no field for in annotations, so that an autoscaler that is read and
written through v1 loses nothing. The values there are those of v2.
"""

import json
from typing import Any

from opssquad.types import Json

LEAD = "autoscaling.alpha.kubernetes.io/"
TARGET = "targetCPUUtilizationPercentage"
USED = "currentCPUUtilizationPercentage"
# Annotation -> where its value stands in v2.
KEPT = {
    f"{LEAD}metrics": ("spec", "metrics"),
    f"{LEAD}behavior": ("spec", "behavior"),
    f"{LEAD}current-metrics": ("status", "currentMetrics"),
    f"{LEAD}conditions": ("status", "conditions"),
}


def to_v1(obj: Json) -> Json:
    """A v2 autoscaler as v1 shows it."""
    parts = {"spec": dict(obj["spec"]), "status": dict(obj.get("status") or {})}
    for part, metrics, field in (("spec", "metrics", TARGET), ("status", "currentMetrics", USED)):
        rest = []
        for metric in parts[part].pop(metrics, None) or []:
            share = _cpu_share(metric)
            if share is None or field in parts[part]:
                rest.append(metric)
            else:
                parts[part][field] = share
        parts[part][metrics] = rest
    notes = {}
    for note, (part, field) in KEPT.items():
        if value := parts[part].pop(field, None):
            notes[note] = json.dumps(value, separators=(",", ":"))
    return {**obj, "metadata": _annotated(obj["metadata"], notes), **parts}


def to_v2(obj: Json) -> Json:
    """The reverse: a v1 autoscaler as it is stored."""
    parts = {"spec": dict(obj.get("spec") or {}), "status": dict(obj.get("status") or {})}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    for note, (part, field) in KEPT.items():
        if value := _read(annotations.get(note, "")):
            parts[part][field] = value
    goal, used = parts["spec"].pop(TARGET, None), parts["status"].pop(USED, None)
    if goal is not None:
        target = {"type": "Utilization", "averageUtilization": goal}
        _prepend(parts["spec"], "metrics", {"name": "cpu", "target": target})
    if used is not None:
        _prepend(parts["status"], "currentMetrics", {"name": "cpu", "current": {"averageUtilization": used}})
    metadata = _annotated(obj.get("metadata") or {}, {})
    return {**obj, "apiVersion": "autoscaling/v2", "metadata": metadata, **parts}


def _read(note: str) -> Any:
    """The value of an annotation; None if it is not there or, as anybody may write it, cannot be read."""
    try:
        return json.loads(note)
    except ValueError:
        return None


def _cpu_share(metric: Json) -> int | None:
    """The utilization of a metric about the pods' CPU; None for any other metric."""
    resource = metric.get("resource") or {}
    if metric["type"] != "Resource" or resource.get("name") != "cpu":
        return None
    share: int | None = (resource.get("target") or resource.get("current") or {}).get("averageUtilization")
    return share


def _prepend(part: Json, field: str, resource: Json) -> None:
    part[field] = [{"type": "Resource", "resource": resource}, *part.get(field, [])]


def _annotated(metadata: Json, notes: dict[str, str]) -> Json:
    """Metadata with these annotations of v1 and no other of them."""
    given = metadata.get("annotations") or {}
    annotations = {key: value for key, value in given.items() if key not in KEPT} | notes
    bare = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**bare, "annotations": annotations} if annotations else bare
