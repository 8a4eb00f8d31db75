"""Rows of the cluster's own affairs: nodes, namespaces, events, leases, roles, priorities, webhooks."""

from datetime import datetime
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.ages import age, since

NONE, UNKNOWN = "<none>", "<unknown>"
ROLE = "node-role.kubernetes.io/"


def namespace(obj: Json, now: datetime) -> list[Any]:
    """Name, Status, Age."""
    return [obj["metadata"]["name"], obj.get("status", {}).get("phase", ""), age(obj, now)]


def node(obj: Json, now: datetime) -> list[Any]:
    """Name, Status, Roles, Age, Version; wide: addresses, OS image, kernel, container runtime."""
    status = obj.get("status", {})
    info = status.get("nodeInfo", {})
    kernel = info.get("kernelVersion") or UNKNOWN
    if info.get("kernelVersion") and info.get("architecture"):
        kernel = f"{kernel} ({info['architecture']})"
    return [
        obj["metadata"]["name"],
        _readiness(obj),
        _roles(obj["metadata"].get("labels") or {}),
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _readiness(obj: Json) -> str:
    conditions = obj.get("status", {}).get("conditions") or []
    ready = next((c["status"] for c in conditions if c["type"] == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    return word + (",SchedulingDisabled" if obj.get("spec", {}).get("unschedulable") else "")


def _roles(labels: Json) -> str:
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    return ",".join(sorted(role for role in roles if role)) or NONE


def _address(status: Json, kind: str) -> str:
    return next((a["address"] for a in status.get("addresses") or [] if a["type"] == kind), NONE)


def event(obj: Json, now: datetime) -> list[Any]:
    """Last Seen, Type, Reason, Object; wide: Subobject, Source; Message; wide: First Seen, Count, Name."""
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = since(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last, count = since(series.get("lastObservedTime"), now), series.get("count", 0)
    about = obj["involvedObject"]
    target = about.get("kind", "").lower() + (f"/{about['name']}" if about.get("name") else "")
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        target,
        about.get("fieldPath", ""),
        _source(obj),
        obj.get("message", "").strip(),
        first,
        count,
        obj["metadata"]["name"],
    ]


def _source(obj: Json) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent", "")
    host = source.get("host") or obj.get("reportingInstance", "")
    return f"{component}, {host}" if host else component


def name_and_creation(obj: Json, now: datetime) -> list[Any]:
    """Name, Created At: the columns of what has no printer of its own."""
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


def role_binding(obj: Json, now: datetime) -> list[Any]:
    """Name, Role, Age; wide: Users, Groups, ServiceAccounts."""
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or []:
        scope = f"{subject.get('namespace', '')}/" if subject["kind"] == "ServiceAccount" else ""
        subjects[subject["kind"]].append(scope + subject["name"])
    role = f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"
    return [obj["metadata"]["name"], role, age(obj, now), *(", ".join(s) for s in subjects.values())]


def csi_node(obj: Json, now: datetime) -> list[Any]:
    """Name, Drivers, Age."""
    return [obj["metadata"]["name"], len(obj.get("spec", {}).get("drivers") or []), age(obj, now)]


def lease(obj: Json, now: datetime) -> list[Any]:
    """Name, Holder, Age."""
    return [obj["metadata"]["name"], obj.get("spec", {}).get("holderIdentity", ""), age(obj, now)]


def api_service(obj: Json, now: datetime) -> list[Any]:
    """Name, Service, Available, Age."""
    service = obj["spec"].get("service")
    where = f"{service['namespace']}/{service['name']}" if service else "Local"
    condition = next(
        (c for c in obj.get("status", {}).get("conditions") or [] if c["type"] == "Available"), None
    )
    state = "Unknown"
    if condition:
        state = (
            "True"
            if condition["status"] == "True"
            else f"{condition['status']} ({condition.get('reason', '')})"
        )
    return [obj["metadata"]["name"], where, state, age(obj, now)]


def priority_class(obj: Json, now: datetime) -> list[Any]:
    """Name, Value, Global-Default, Age, PreemptionPolicy."""
    policy = obj.get("preemptionPolicy", "")
    cells = [obj.get("value", 0), obj.get("globalDefault", False), age(obj, now), policy]
    return [obj["metadata"]["name"], *cells]


def webhooks(obj: Json, now: datetime) -> list[Any]:
    """Name, Webhooks (their number), Age."""
    return [obj["metadata"]["name"], len(obj.get("webhooks") or []), age(obj, now)]
