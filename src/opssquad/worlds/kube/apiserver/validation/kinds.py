"""Kinds that make no pods: Service, ConfigMap, Secret, HorizontalPodAutoscaler, Event and a few more."""

import re
from collections.abc import Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.validation.words import (
    at_least,
    duplicate,
    invalid,
    port,
    required,
    unsupported,
)

SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def service(obj: Json) -> Iterator[Cause]:
    """A Service."""
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", "ClusterIP"), spec.get("ports") or []
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if kind not in SERVICE_TYPES:
        yield unsupported("spec.type", kind, SERVICE_TYPES)
    names: set[str] = set()
    for index, entry in enumerate(ports):
        where, name = f"spec.ports[{index}]", entry.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{where}.name")
        if name and name in names:
            yield duplicate(f"{where}.name", name)
        names.add(name)
        yield from port(f"{where}.port", entry.get("port", 0))
        yield from port(f"{where}.targetPort", entry.get("targetPort"))


def config_map(obj: Json) -> Iterator[Cause]:
    """A ConfigMap."""
    yield from _keys("data", obj.get("data") or {})
    yield from _keys("binaryData", obj.get("binaryData") or {})


def secret(obj: Json) -> Iterator[Cause]:
    """A Secret."""
    yield from _keys("data", obj.get("data") or {})


def _keys(field: str, values: Json) -> Iterator[Cause]:
    for key in values:
        if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
            yield invalid(f"{field}[{key}]", key, CONFIG_KEY)


def autoscaler(obj: Json) -> Iterator[Cause]:
    """A HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    yield from at_least("spec.minReplicas", least, 1)
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")


def event(obj: Json) -> Iterator[Cause]:
    """An Event, in its core form."""
    namespace = obj["metadata"].get("namespace", "")
    about = (obj.get("involvedObject") or {}).get("namespace", "")
    if about != namespace and not (about == "" and namespace in ("default", "kube-system")):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")


def disruption_budget(obj: Json) -> Iterator[Cause]:
    """A PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")


def network_policy(obj: Json) -> Iterator[Cause]:
    """A NetworkPolicy."""
    for index, kind in enumerate((obj.get("spec") or {}).get("policyTypes") or []):
        if kind not in ("Ingress", "Egress"):
            yield unsupported(f"spec.policyTypes[{index}]", kind, ("Egress", "Ingress"))
