"""Pod specs and templates: containers, environment, ports, mounts, probes, resources."""

from collections.abc import Iterable, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.typed.quantity import parse
from opssquad.worlds.kube.apiserver.validation.metadata import LABEL, label_causes, name_causes
from opssquad.worlds.kube.apiserver.validation.words import (
    duplicate,
    forbidden,
    invalid,
    missing,
    not_negative,
    port,
    required,
    unsupported,
)

PULL = ("Always", "IfNotPresent", "Never")
RESTART = ("Always", "OnFailure", "Never")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
ONE_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")


def template_causes(field: str, template: Json, claims: Iterable[str] = ()) -> Iterator[Cause]:
    """Of a pod template; `claims` are volumes that it gets from claim templates."""
    yield from label_causes(f"{field}.metadata.labels", template.get("metadata", {}).get("labels") or {})
    yield from pod_spec_causes(f"{field}.spec", template.get("spec") or {}, claims)


def pod_spec_causes(field: str, spec: Json, claims: Iterable[str] = ()) -> Iterator[Cause]:
    """Of a pod spec."""
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        yield from _named(f"{field}.volumes[{index}].name", volume.get("name", ""), volumes)
    volumes.update(claims)
    if not spec.get("containers"):
        yield required(f"{field}.containers")
    names: set[str] = set()
    for part in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(part) or []):
            where = f"{field}.{part}[{index}]"
            yield from _named(f"{where}.name", container.get("name", ""), names)
            yield from _container(where, container, volumes)
    if spec.get("restartPolicy") not in RESTART:
        yield unsupported(f"{field}.restartPolicy", spec.get("restartPolicy", ""), RESTART)
    yield from not_negative(
        f"{field}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds")
    )


def _named(field: str, name: str, seen: set[str]) -> Iterator[Cause]:
    if not name:
        yield required(field)
        return
    yield from name_causes(field, name, LABEL)
    if name in seen:
        yield duplicate(field, name)
    seen.add(name)


def _container(field: str, container: Json, volumes: set[str]) -> Iterator[Cause]:
    image = container.get("image", "")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield invalid(f"{field}.image", image, "must not have leading or trailing whitespace")
    yield from _ports(f"{field}.ports", container.get("ports") or [])
    yield from _env(f"{field}.env", container.get("env") or [])
    yield from _mounts(f"{field}.volumeMounts", container.get("volumeMounts") or [], volumes)
    if container.get("imagePullPolicy", "Always") not in PULL:
        yield unsupported(f"{field}.imagePullPolicy", container["imagePullPolicy"], PULL)
    yield from _resources(f"{field}.resources", container.get("resources") or {})
    for name in PROBES:
        if probe := container.get(name):
            yield from _probe(f"{field}.{name}", name, probe)


def _ports(field: str, ports: list[Json]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, entry in enumerate(ports):
        name = entry.get("name")
        if name and name in seen:
            yield duplicate(f"{field}[{index}].name", name)
        seen.add(name or "")
        if not entry.get("containerPort"):
            yield required(f"{field}[{index}].containerPort")
        yield from port(f"{field}[{index}].containerPort", entry.get("containerPort") or 1)
        if entry.get("protocol", "TCP") not in ("TCP", "UDP", "SCTP"):
            yield unsupported(f"{field}[{index}].protocol", entry["protocol"], ("SCTP", "TCP", "UDP"))


def _env(field: str, env: list[Json]) -> Iterator[Cause]:
    for index, entry in enumerate(env):
        where, source = f"{field}[{index}]", entry.get("valueFrom")
        if not entry.get("name"):
            yield required(f"{where}.name")
        elif "=" in entry["name"]:
            yield invalid(f"{where}.name", entry["name"], ENV_NAME)
        if source is None:
            continue
        if len(source) != 1:
            said = "may not have more than one field specified at a time" if source else ONE_SOURCE
            yield invalid(f"{where}.valueFrom", "", said)
        if entry.get("value"):
            yield invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
        for name in ("configMapKeyRef", "secretKeyRef"):
            if name in source and not source[name].get("key"):
                yield required(f"{where}.valueFrom.{name}.key")


def _mounts(field: str, mounts: list[Json], volumes: set[str]) -> Iterator[Cause]:
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        where = f"{field}[{index}]"
        if not mount.get("name"):
            yield required(f"{where}.name")
        elif mount["name"] not in volumes:
            yield missing(f"{where}.name", mount["name"])
        path = mount.get("mountPath", "")
        if not path:
            yield required(f"{where}.mountPath")
        elif path in paths:
            yield invalid(f"{where}.mountPath", path, "must be unique")
        paths.add(path)


def _resources(field: str, resources: Json) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            if parse(value) < 0:
                yield invalid(f"{field}.{part}.{name}", value, "must be greater than or equal to 0")
    for name, value in requests.items():
        if name in limits and parse(value) > parse(limits[name]):
            said = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{field}.requests", value, said)


def _probe(field: str, kind: str, probe: Json) -> Iterator[Cause]:
    handlers = [name for name in HANDLERS if name in probe]
    if not handlers:
        yield required(field, "must specify a handler type")
    for name in handlers[1:]:
        yield forbidden(f"{field}.{name}", "may not specify more than 1 handler type")
    for name in (
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ):
        yield from not_negative(f"{field}.{name}", probe.get(name))
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1")
    for name in ("httpGet", "tcpSocket"):
        if name in probe:
            yield from port(f"{field}.{name}.port", probe[name].get("port"))
