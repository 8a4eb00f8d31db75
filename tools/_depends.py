"""What a workload's configuration says it calls: Services by name or cluster IP, and hosts that are none.

Pure functions over a pod template and a scene.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opssquad import Json, Ref

from ._addresses import endpoints
from ._kube import dig, ref
from ._mentions import Place, mentioned, written
from .signals._scene import Scene
from .signals.replicas import KINDS

HOST = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>\d{1,5}))?(?:[/?].*)?$",
    re.IGNORECASE,
)
NAMES_A_HOST = re.compile(r"HOST|URL|ADDR|ENDPOINT|SERVER|UPSTREAM|STORE|BROKER|_SVC|_URI|DSN", re.IGNORECASE)


@dataclass(frozen=True)
class Dependency:
    """A setting that names a host: a variable, or what stands at `place`. `service` is the Service it means;
    None: no such Service, or outside."""

    variable: str
    host: str
    port: str
    service: Ref | None
    inside: bool
    place: Place | None = None


def dependencies(template: Json, namespace: str, scene: Scene) -> list[Dependency]:
    """What environment, arguments and files of a pod template name, each host and port once. Of arguments and
    files only Services that exist: a word there may mean anything else."""
    found: dict[tuple[str, str], Dependency] = {}
    for variable, value in environment(template, namespace, scene):
        for each in _of_variable(variable, str(value or "").strip(), namespace, scene):
            found.setdefault((each.host, each.port), each)
    for place, text in written(template, namespace, scene):
        for named in mentioned(text):
            if service := resolve(named.host, namespace, scene):
                port = str(named.port or "")
                each = Dependency(place.what, named.host, port, service, True, place)
                found.setdefault((each.host, each.port), each)
    return list(found.values())


def _of_variable(variable: str, value: str, namespace: str, scene: Scene) -> Iterator[Dependency]:
    match = HOST.match(value)
    if not match:
        # More than one host, or one within other words: `a:9092,b:9092`, `jdbc:postgresql://db:5432/x`.
        for named in endpoints(value):
            if service := resolve(named.host, namespace, scene):
                yield Dependency(variable, named.host, str(named.port), service, True)
        return
    host, port = match["host"], match["port"] or ""
    # A bare word may be a Service by chance (`SEARCH_BACKEND=postgres`): something must say it is a host.
    named_so = bool(NAMES_A_HOST.search(variable)) and not value.isdigit()
    says_host = bool(port) or "://" in value or named_so
    service = resolve(host, namespace, scene) if says_host else None
    if service or (named_so and "." in host) or (port and not host.isdigit()):
        inside = ".svc" in host or "." not in host
        yield Dependency(variable, host, port, service, inside)


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
    """The second labels of the hosts that a workload's configuration names: namespaces, if it means Services
    there."""
    template, space = dig(workload, "spec", "template", default={}), workload["metadata"].get("namespace", "")
    values = environment(template, space, scene)
    hosts = [match["host"] for _, value in values if (match := HOST.match(value.strip()))]
    hosts += [each.host for _, text in written(template, space, scene) for each in mentioned(text)]
    labels = (host.split(".") for host in hosts)
    return {each[1] for each in labels if len(each) == 2 or each[2:3] == ["svc"]}


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
