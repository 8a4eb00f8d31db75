"""A condition that an analyzer in the field reports, and the shapes of objects that show such conditions."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.signals.gateways import GROUP

from opssquad import Json
from tests.tools.recorded import one
from tests.tools.signals.network import endpoints, running, service, workload
from tests.tools.signals.objects import (
    ago,
    container,
    event,
    obj,
    pod,
)

ALL = frozenset(
    {
        *("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Service"),
        *("EndpointSlice", "ConfigMap", "Secret", "Ingress", "NetworkPolicy", "IngressClass", "Namespace"),
        *("StorageClass", "PersistentVolume", "PersistentVolumeClaim", "GatewayClass", "Gateway"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "HTTPRoute"),
    }
)
WEB = workload("web", 8080)
TEMPLATE = WEB["spec"]["template"]


@dataclass(frozen=True)
class Row:
    """A condition of an analyzer, objects that show it, and the signal of it; or why it is `silent`."""

    analyzer: str
    condition: str
    objects: tuple[Json, ...]
    gives: str = ""
    silent: str = ""

    def __str__(self) -> str:
        return f"{self.analyzer}: {self.condition}"


def wide(kind: str, name: str, spec: Json | None = None, status: Json | None = None, **meta: Any) -> Json:
    """An object outside of namespaces."""
    made = obj(kind, name, spec, status, **meta)
    made["metadata"].pop("namespace")
    return made


def said(type_: str, status: str, reason: str = "R", message: str = "m") -> Json:
    return {
        "type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(30),
    }  # fmt: skip


def waits(reason: str, message: str = "", init: bool = False) -> tuple[Json, ...]:
    """A pod one of whose containers waits for that reason."""
    status = container(state={"waiting": {"reason": reason, "message": message}})
    field = "initContainerStatuses" if init else "containerStatuses"
    made = pod(phase="Pending", **{field: [status]})
    if init:
        made["spec"]["initContainers"] = [{"name": "app", "image": "web:1"}]
    return (made,)


def ended(code: int, reason: str = "Error") -> Json:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": ago(9), "finishedAt": ago(8)}}


def stuck(reason: str) -> tuple[Json, ...]:
    (made,) = waits("ContainerCreating")
    return made, event(made, reason, "failed to set up")


def hpa(*conditions: Json, target: str = "web", current: int = 1, **spec: Any) -> Json:
    whole = {"scaleTargetRef": {"kind": "Deployment", "name": target}, "minReplicas": 1, "maxReplicas": 5}
    status = {"currentReplicas": current, "conditions": list(conditions)}
    return obj("HorizontalPodAutoscaler", "web", {**whole, **spec}, status)


def ingress(**spec: Any) -> Json:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": "web.example", "http": {"paths": [path]}}]
    return obj("Ingress", "web", {"ingressClassName": "nginx", "rules": rules, **spec}, {})


def gateway(*conditions: Json, cls: str = "edge", **listener: Any) -> Json:
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP", **listener}]
    spec = {"gatewayClassName": cls, "listeners": listeners}
    return obj("Gateway", "edge", spec, {"conditions": list(conditions)}, namespace="infra")


def route(backend: Json | None = None, parent: str = "edge") -> Json:
    spec = {
        "parentRefs": [{"group": GROUP, "kind": "Gateway", "name": parent, "namespace": "infra"}],
        "rules": [{"backendRefs": [backend or {"name": "web", "port": 80}]}],
    }
    return obj("HTTPRoute", "web", spec, {})


def claim(cls: str | None = "fast", phase: str = "Pending") -> Json:
    spec: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    return obj(
        "PersistentVolumeClaim", "data", spec | ({"storageClassName": cls} if cls else {}), {"phase": phase}
    )


def set_up(name: str, kind: str = "StatefulSet", **spec: Any) -> Json:
    return obj(kind, name, {"replicas": 1, "template": copy.deepcopy(TEMPLATE), **spec}, {"replicas": 1})


def recorded(recording: str, kind: str, name: str, change: Callable[[Json], None]) -> Json:
    """A recorded object, broken, in the namespace and at the time of these tests."""
    made = copy.deepcopy(one(recording, kind, name))
    if "namespace" in made["metadata"]:
        made["metadata"]["namespace"] = "n"
    change(made)
    return made


def not_in_time(job: Json) -> None:
    at = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": ago(5)}
    job["status"] = {"failed": 3, "conditions": [at]}


def pressed(node: Json, type_: str, status: str) -> None:
    kept = [each for each in node["status"]["conditions"] if each["type"] != type_]
    node["status"]["conditions"] = [*kept, said(type_, status)]


def node(type_: str, status: str) -> Json:
    return recorded("shop-0412", "Node", "acme-k8s-w1", lambda each: pressed(each, type_, status))


CLASS = wide("IngressClass", "nginx")
GATEWAY_CLASS = wide(
    "GatewayClass", "edge", {"controllerName": "x/y"}, {"conditions": [said("Accepted", "True")]}
)
SERVED = (WEB, running(WEB), service("web"), endpoints("web"))
PDB = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
CALLER = workload("shop", 8080, WEB_URL="http://web:80")
FULL = {"expectedPods": 1, "currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0}
REFERS = workload("web", 8080)
REFERS["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
DAEMON = obj("DaemonSet", "web", {"template": TEMPLATE}, {"desiredNumberScheduled": 3, "numberReady": 2})
PULLS = set_up("web", "DaemonSet")
PULLS["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "registry"}]
SCHEDULE = {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}
RUNS = {"lastScheduleTime": ago(1)}
UTILIZED = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]
ADMITTED = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
GUARDED = obj(
    "Service", "guard", {"selector": {"app": "guard"}, "ports": [{"port": 443}]}, namespace="guard-system"
)
BIG = {"a": "x" * 1_048_000}
