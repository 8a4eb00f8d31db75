"""Init containers that run on and on: which, since when, and what their command waits for."""

import re
from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Ref, Signal, duration

from .._depends import resolve
from .._kube import dig, quote_at
from .._pods import Container, containers, is_sidecar
from ._scene import Scene, make
from .services import ready_addresses

LONG = timedelta(minutes=5)
"""A migration or a download may take so long; what takes longer is worth a look."""
ASKS = re.compile(
    r"\b(?:nslookup|getent(?: hosts| ahosts)?|host|dig|ping|nc|ncat|telnet|curl|wget|pg_isready|mysqladmin"
    r"|redis-cli|grpcurl|wait-for(?:-it)?(?:\.sh)?|dockerize)\b(?P<words>[^;|&\n]*)"
)
"""What shell commands use to find out whether something else is there."""
NAMED = re.compile(
    r"(?:\w+://)?(?P<host>[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*)(?::\d+)?(?:/\S*)?", re.IGNORECASE
)
VARIABLE = re.compile(r"\$(?:\((\w+)\)|\{(\w+)\}|(\w+))")


def init_signals(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`init.waiting` for an init container that has been running for minutes and holds up all the others."""
    for each in containers(pod):
        since = each.running_since
        waits = each.init and not each.ready and not is_sidecar(pod, each.name)
        if waits and since is not None and scene.now - since >= LONG:
            yield _waiting(pod, each, scene.now - since, scene)


def _waiting(pod: Json, each: Container, span: timedelta, scene: Scene) -> Signal:
    owner = scene.owner(pod)
    space = pod["metadata"].get("namespace", "")
    host, service, why = _asked(_command(pod, each.name), space, scene)
    told = {
        "service_missing": f"; it asks for {host}, and there is no such Service",
        "no_endpoints": f"; it asks for {host}, whose Service has no ready endpoint",
        "answers": f"; it asks for {host}",
    }
    command = scene.template(owner, each.name, "command") or scene.template(owner, each.name, "args")
    return make(
        "init.waiting",
        pod,
        owner,
        f"{pod['metadata']['name']}: init container {each.name} has been running for {duration(span)}, "
        f"so the others wait{told.get(why, '')}",
        (quote_at(pod, "status", *each.where, "state", "running"), *command),
        severity="critical",
        at=each.running_since,
        data={
            "container": each.name,
            "lasts": duration(span),
            "asks": host,
            "service": str(service or ""),
            "why": why,
            "missing": str(missing) if why == "service_missing" and (missing := _named(host, space)) else "",
            "used_by": [str(owner)],
        },
    )


def _command(pod: Json, container: str) -> str:
    """Command and arguments as one text, variables of its own environment filled in."""
    for each in dig(pod, "spec", "initContainers", default=()):
        if each["name"] == container:
            env = {one["name"]: str(one.get("value") or "") for one in each.get("env") or ()}
            words = "\n".join((*(each.get("command") or ()), *(each.get("args") or ())))
            return _filled(words, env)
    return ""


def _filled(words: str, env: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: env.get(next(filter(None, found.groups())), found[0]), words)


def _asked(command: str, space: str, scene: Scene) -> tuple[str, Ref | None, str]:
    """The host that a command asks for, its Service, and how that stands: `service_missing`, `no_endpoints`,
    `answers`; three times nothing where the command names none."""
    told: list[tuple[str, Ref | None, str]] = []
    for asks in ASKS.finditer(command):
        for word in asks["words"].split():
            named = NAMED.fullmatch(word.strip("\"'()"))
            host = named["host"] if named else ""
            if service := resolve(host, space, scene) if host else None:
                told.append((host, service, _standing(service, scene)))
            elif host and _inside(host, space, asks[0]) and "Service" in scene.complete:
                told.append((host, None, "service_missing"))
    order = ("service_missing", "no_endpoints", "answers")
    return min(told, key=lambda each: order.index(each[2]), default=("", None, ""))


def _named(host: str, space: str) -> Ref | None:
    """The Service of that name, whether there is one or not."""
    name, *rest = host.split(".")
    return Ref(kind="Service", namespace=rest[0] if rest else space, name=name) if name else None


def _inside(host: str, space: str, asks: str) -> bool:
    """Whether a name that no Service has must be one of this namespace: by its form, or asked of the DNS as
    it is. Another word of a command may be anything, and other namespaces may not have been read."""
    name, *rest = host.split(".")
    if rest:
        return rest[0] == space and rest[1:2] in ([], ["svc"])
    return bool(name) and asks.startswith(("nslookup", "getent"))


def _standing(service: Ref, scene: Scene) -> str:
    obj = scene.get(service)
    selects = dig(obj, "spec", "selector") and dig(obj, "spec", "type") != "ExternalName"
    if obj and selects and "EndpointSlice" in scene.complete and not ready_addresses(obj, scene):
        return "no_endpoints"
    return "answers"
