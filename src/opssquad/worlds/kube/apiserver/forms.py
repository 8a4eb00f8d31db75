"""One stored object, several faces: events.k8s.io events, autoscaling/v1 autoscalers, Scale, items of
lists.

The store holds core events and autoscaling/v2; `shown` and `stored` translate between that and what a
resource's version shows.
"""

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import autoscalers, labels
from opssquad.worlds.kube.apiserver.resources import Resource

# name in events.k8s.io/v1 -> name in core/v1
EVENT_FIELDS = {
    "metadata": "metadata",
    "eventTime": "eventTime",
    "series": "series",
    "reportingController": "reportingComponent",
    "reportingInstance": "reportingInstance",
    "action": "action",
    "reason": "reason",
    "regarding": "involvedObject",
    "related": "related",
    "note": "message",
    "type": "type",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
# Fields that the core form always has, with what stands there when nothing does.
EVENT_ALWAYS: Json = {
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}


def shown(obj: Json, resource: Resource) -> Json:
    """A stored object as a resource's version shows it, kind and apiVersion first. The input is not
    changed.
    """
    body = obj
    if resource.kind == "Event" and resource.group:
        body = _newer_event(obj)
    elif resource.group == "autoscaling" and resource.version == "v1":
        body = autoscalers.to_v1(obj)
    return {"kind": resource.kind, "apiVersion": resource.api_version, **_without_type(body)}


def stored(obj: Json, resource: Resource) -> Json:
    """The reverse of `shown`: what a client sent in this version, as the store keeps it."""
    if resource.kind == "Event" and resource.group:
        body = {core: obj[newer] for newer, core in EVENT_FIELDS.items() if newer in obj}
        return {"kind": "Event", "apiVersion": "v1", **EVENT_ALWAYS, **body}
    if resource.group == "autoscaling" and resource.version == "v1":
        return autoscalers.to_v2(obj)
    return obj


def item(obj: Json, resource: Resource, builtin: bool) -> Json:
    """As an item of a list: built-in kinds leave out kind and apiVersion, custom ones keep them."""
    whole = shown(obj, resource)
    return _without_type(whole) if builtin else whole


def scale(obj: Json) -> Json:
    """The Scale of a Deployment, ReplicaSet or StatefulSet: same name, uid and resourceVersion, selector
    as text.
    """
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    said: Json = {"replicas": status.get("replicas", 0)}
    selector = spec.get("selector")
    if selector:
        plain = "matchLabels" not in selector and "matchExpressions" not in selector
        said["selector"] = labels.text({"matchLabels": selector} if plain else selector)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": said,
    }


def _without_type(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def _newer_event(obj: Json) -> Json:
    body = {newer: obj[core] for newer, core in EVENT_FIELDS.items() if core in obj}
    body.setdefault("eventTime", None)
    return {key: value for key, value in body.items() if value != "" or key == "note"}
