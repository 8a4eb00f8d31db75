"""What a workload's own settings say about whom it calls and how it finds them: ports that a Service does not
have, and a DNS policy that leaves the cluster's names out."""

import re
from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal

from .._depends import Dependency, dependencies, environment
from .._fields import secret_name, tells
from .._kube import dig, quote_at, ref, source
from ._scene import Scene, make

HOST_OF = re.compile(r"_?(?:HOST(?:NAME)?|ADDR(?:ESS)?|SERVER)$", re.IGNORECASE)


def environment_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`env.wrong_port` and `workload.outside_dns`."""
    template = dig(workload, "spec", "template", default={})
    space = workload["metadata"].get("namespace", "")
    for each in dependencies(template, space, scene):
        service = scene.get(each.service) if each.service else None
        port = each.port or port_beside(each, template, space, scene)
        if (
            service
            and port.isdecimal()
            and len(port) <= 5
            and (has := _listens(service))
            and int(port) not in has
        ):
            yield _wrong_port(workload, each, port, service, scene)
    yield from _outside(workload, scene)


def port_beside(named: Dependency, template: Json, space: str, scene: Scene) -> str:
    """The port in the variable that goes with a host: `DB_PORT` beside `DB_HOST`."""
    stem = HOST_OF.sub("", named.variable)
    known = dict(environment(template, space, scene))
    return known.get(f"{stem}_PORT", "").strip() if stem != named.variable and stem else ""


def _listens(service: Json) -> set[int]:
    """The ports of a Service; none where any may be called: pods by their names, and what is outside."""
    if dig(service, "spec", "clusterIP") == "None" or dig(service, "spec", "type") == "ExternalName":
        return set()
    return {int(each.get("port") or 0) for each in dig(service, "spec", "ports", default=())} - {0}


def _wrong_port(workload: Json, named: Dependency, port: str, service: Json, scene: Scene) -> Signal:
    ports = sorted(_listens(service))
    name = service["metadata"]["name"]
    return make(
        "env.wrong_port",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: {named.variable} names {named.host}:{port}, but "
        f"Service {name} has no such port (it has {', '.join(map(str, ports))})",
        [*_quotes(workload, named, scene), quote_at(service, "spec", "ports", 0)],
        data={
            "variable": named.variable,
            "host": named.host,
            "port": int(port),
            "service": str(ref(service)),
            "ports": ports,
            **({"file": str(named.place.config)} if named.place and named.place.config else {}),
            **(_set_right(workload, named, port, ports[0], scene) if len(ports) == 1 else {}),
        },
    )


def _set_right(workload: Json, named: Dependency, port: str, right: int, scene: Scene) -> Json:
    """How the setting names the only port that the Service has: `env` of a container, or the key of a
    ConfigMap (`config`); nothing where it may hold a secret, or where it cannot be told apart."""
    if named.place:
        # A whole file is its owner's to write: it may hold more than may be shown, and may change meanwhile.
        return {}
    variable = named.variable if named.port else f"{HOST_OF.sub('', named.variable)}_PORT"
    space = workload["metadata"].get("namespace", "")
    for container in dig(workload, "spec", "template", "spec", "containers", default=()):
        for each in container.get("env") or ():
            key = dig(each, "valueFrom", "configMapKeyRef", default={})
            if each["name"] == variable and key:
                return _config(key.get("name", ""), key.get("key", ""), port, right, scene, space)
            if each["name"] == variable:
                value = _replaced(variable, each.get("value"), port, right)
                return (
                    {"env": {"container": container["name"], "set": f"{variable}={value}"}} if value else {}
                )
        for each in container.get("envFrom") or ():
            name = dig(each, "configMapRef", "name", default="")
            if found := _config(name, variable, port, right, scene, space):
                return found
    return {}


def _config(name: str, key: str, port: str, right: int, scene: Scene, space: str) -> Json:
    config = scene.get(Ref(kind="ConfigMap", namespace=space, name=name or "-"))
    value = _replaced(key, dig(config, "data", key), port, right)
    return {"config": {"name": name, "key": key, "value": value, "says": value}} if value else {}


def _replaced(name: str, value: str | None, port: str, right: int) -> str:
    """The value with the other port; empty where that is not the one place it stands in, or for a secret."""
    places = re.findall(rf"(?<!\d){port}(?!\d)", value or "")
    if value is None or len(places) != 1 or secret_name(name) or tells(value):
        return ""
    return re.sub(rf"(?<!\d){port}(?!\d)", str(right), value)


def _quotes(workload: Json, named: Dependency, scene: Scene) -> list[Quote]:
    if not named.place:
        return _stands(workload, named.variable, scene)
    obj = scene.get(named.place.config) if named.place.config else workload
    whole_word = re.compile(rf"(?<![\w.-]){re.escape(named.host)}(?::\d+)?(?![\w-])")
    if obj and (found := whole_word.search(source(obj).text)):
        return [Quote(locator=str(ref(obj)), text=found[0])]
    return [quote_at(workload, "metadata", "name")]


def _stands(workload: Json, variable: str, scene: Scene) -> list[Quote]:
    """Where a variable is set, in the template or a ConfigMap; not its value where that may be a secret."""
    space = workload["metadata"].get("namespace", "")
    for container in dig(workload, "spec", "template", "spec", "containers", default=()):
        for index, each in enumerate(container.get("env") or ()):
            key = dig(each, "valueFrom", "configMapKeyRef", default={})
            if each["name"] == variable and key:
                return _in_map(key.get("name", ""), key.get("key", ""), space, scene)
            if each["name"] == variable:
                plain = "@" not in str(each.get("value") or "") and not secret_name(variable)
                field = "value" if plain else "name"
                return list(scene.template(ref(workload), container["name"], "env", index, field))
        for each in container.get("envFrom") or ():
            name = dig(each, "configMapRef", "name", default="")
            if found := _in_map(name, variable, space, scene):
                return found
    return [quote_at(workload, "metadata", "name")]


def _in_map(name: str, key: str, space: str, scene: Scene) -> list[Quote]:
    config = scene.get(Ref(kind="ConfigMap", namespace=space, name=name or "-"))
    value = dig(config, "data", key)
    return [quote_at(config, "data", key)] if config and value is not None and "@" not in value else []


def _outside(workload: Json, scene: Scene) -> Iterator[Signal]:
    spec = dig(workload, "spec", "template", "spec", default={})
    policy, host = spec.get("dnsPolicy") or "ClusterFirst", bool(spec.get("hostNetwork"))
    servers = dig(spec, "dnsConfig", "nameservers", default=[])
    inside = {dig(each, "spec", "clusterIP") for each in scene.of("Service")} & set(servers)
    if inside or not (policy in {"Default", "None"} or (host and policy == "ClusterFirst")):
        return
    told = f"asks {', '.join(map(str, servers))}" if policy == "None" else "asks the servers of its node"
    field = "dnsPolicy" if spec.get("dnsPolicy") else "hostNetwork"
    yield make(
        "workload.outside_dns",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: with dnsPolicy {policy}"
        + (" on the host's network" if host else "")
        + f" it {told}, not the cluster's DNS",
        [quote_at(workload, "spec", "template", "spec", field)],
        severity="info",
        data={"policy": policy, "host_network": host, "nameservers": servers},
    )
