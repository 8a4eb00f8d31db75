"""What a workload's environment says it calls: Services by name or cluster IP, and hosts that are none.

Pure functions over a pod template and a scene.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opssquad import Json, Ref

from ._kube import dig, ref
from .signals._scene import Scene
from .signals.replicas import KINDS

HOST = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>\d{1,5}))?(?:[/?].*)?$",
    re.IGNORECASE,
)
NAMES_A_HOST = re.compile(r"HOST|URL|ADDR|ENDPOINT|SERVER|UPSTREAM|STORE|BROKER|_SVC|_URI|DSN", re.IGNORECASE)


@dataclass(frozen=True)
class Dependency:
    """A variable that names a host. `service` is the Service it means; None: no such Service, or outside."""

    variable: str
    host: str
    port: str
    service: Ref | None
    inside: bool


def dependencies(template: Json, namespace: str, scene: Scene) -> list[Dependency]:
    """What the environment of a pod template names, each host and port once."""
    found: dict[tuple[str, str], Dependency] = {}
    for variable, value in environment(template, namespace, scene):
        match = HOST.match(value.strip())
        if not match:
            continue
        host, port = match["host"], match["port"] or ""
        # A bare word may be a Service by chance (`SEARCH_BACKEND=postgres`): something must say it is a host.
        named = bool(NAMES_A_HOST.search(variable)) and not value.isdigit()
        says_host = bool(port) or "://" in value or named
        service = resolve(host, namespace, scene) if says_host else None
        if service or (named and "." in host) or (port and not host.isdigit()):
            inside = ".svc" in host or "." not in host
            found.setdefault((host, port), Dependency(variable, host, port, service, inside))
    return list(found.values())


def elsewhere(scene: Scene) -> dict[str, list[Ref]]:
    """Namespaces that were not read and that workloads of the scene call into, with those workloads; the one
    that most of them call comes first."""
    known = {each["metadata"]["name"] for each in scene.of("Namespace")}
    found: dict[str, list[Ref]] = {}
    for workload in scene.of(*KINDS):
        for space in sorted(_spaces(workload, scene) & known):
            if not scene.covers("Service", space):
                found.setdefault(space, []).append(ref(workload))
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))


def _spaces(workload: Json, scene: Scene) -> set[str]:
    """The second labels of the hosts that a workload's environment names: namespaces, if it means Services
    there."""
    template = dig(workload, "spec", "template", default={})
    values = environment(template, workload["metadata"].get("namespace", ""), scene)
    hosts = (match["host"].split(".") for _, value in values if (match := HOST.match(value.strip())))
    return {labels[1] for labels in hosts if len(labels) == 2 or labels[2:3] == ["svc"]}


def environment(template: Json, namespace: str, scene: Scene) -> Iterator[tuple[str, str]]:
    """The variables of a pod template with their values, as far as those stand in it or in a ConfigMap."""
    for container in dig(template, "spec", "containers", default=()):
        for each in container.get("env") or ():
            yield each["name"], str(each.get("value") or _from_map(each, namespace, scene))
        for each in container.get("envFrom") or ():
            name = dig(each, "configMapRef", "name", default="")
            yield from map_data(name, namespace, scene).items()


def _from_map(variable: Json, namespace: str, scene: Scene) -> str:
    source = dig(variable, "valueFrom", "configMapKeyRef", default={})
    return map_data(source.get("name", ""), namespace, scene).get(source.get("key", ""), "")


def map_data(name: str, namespace: str, scene: Scene) -> dict[str, str]:
    """The data of a ConfigMap, as far as it was read."""
    if not name:
        return {}
    return dict(dig(scene.get(Ref(kind="ConfigMap", namespace=namespace, name=name)), "data", default={}))


def resolve(host: str, namespace: str, scene: Scene) -> Ref | None:
    """The Service that a host name or address means inside the cluster: `db`, `db.shop.svc`, a cluster IP."""
    parts = host.split(".")
    if parts[0] and not host.replace(".", "").isdigit():
        space = parts[1] if len(parts) > 1 else namespace
        inside = len(parts) <= 2 or parts[2] == "svc"
        address = Ref(kind="Service", namespace=space, name=parts[0])
        return address if inside and scene.get(address) else None
    for each in scene.of("Service"):
        if host == dig(each, "spec", "clusterIP"):
            return Ref(kind="Service", namespace=each["metadata"]["namespace"], name=each["metadata"]["name"])
    return None
