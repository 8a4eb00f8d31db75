"""Ingresses that no controller takes up, whose Service, port or certificate is not there, or that lead a path
elsewhere than its name says."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from opssquad import Json, Quote, Ref, Signal

from .._edits import last_edit
from .._kube import compact, dig, quote, quote_at, ref
from ._scene import Scene, make

DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
CLASS = "kubernetes.io/ingress.class"
"""The annotation from before there were classes: controllers know it by themselves, no object need exist."""
LATELY = timedelta(days=1)
BUILT_IN = frozenset({"gce", "gce-internal"})
"""Names that the controller of a cloud knows without an object."""


class Backend(NamedTuple):
    """What an Ingress sends to: a Service and its port, by number or name; a port of None is not named. `at`
    is where in the object it stands, as a JSON pointer."""

    service: str
    port: int | str | None
    path: str
    at: str


def ingress_signals(ingress: Json, scene: Scene) -> Iterator[Signal]:
    """`ingress.class_missing`, `ingress.backend_missing` and `ingress.crossed`."""
    yield from _class(ingress, scene)
    yield from _crossed(ingress, scene)
    space = ingress["metadata"].get("namespace", "")
    told: set[str] = set()
    for backend in backends(ingress):
        address = Ref(kind="Service", namespace=space, name=backend.service)
        said = _lack(address, backend, scene)
        if said and said not in told:
            told.add(said)
            fragment = quote(ingress, compact(backend.service))
            where = f"; {backend.path} leads there" if backend.path else ""
            yield _missing(ingress, address, said, where, fragment, backend)
    for tls in dig(ingress, "spec", "tls", default=()):
        name = tls.get("secretName")
        if name and scene.lacks(address := Ref(kind="Secret", namespace=space, name=name)):
            hosts = ", ".join(tls.get("hosts") or ())
            where = f"; it holds the certificate of {hosts}" if hosts else ""
            yield _missing(
                ingress, address, f"Secret {name} does not exist", where, quote(ingress, compact(name))
            )


def backends(ingress: Json) -> Iterator[Backend]:
    """Every Service that an Ingress sends to."""
    default = dig(ingress, "spec", "defaultBackend")
    paths = [
        (f"{rule.get('host') or '*'}{path.get('path') or '/'}", path, f"/spec/rules/{i}/http/paths/{j}")
        for i, rule in enumerate(dig(ingress, "spec", "rules", default=()))
        for j, path in enumerate(dig(rule, "http", "paths", default=()))
    ]
    given = [(path, obj.get("backend"), f"{at}/backend") for path, obj, at in paths]
    for path, backend, at in [*given, ("", default, "/spec/defaultBackend")]:
        if name := dig(backend, "service", "name"):
            port = dig(backend, "service", "port", default={})
            yield Backend(name, port.get("number") or port.get("name"), path, f"{at}/service")


def _crossed(ingress: Json, scene: Scene) -> Iterator[Signal]:
    """A path that bears the name of one Service and leads to another: meant so, or, where the Ingress was
    edited lately, perhaps a slip."""
    space = ingress["metadata"].get("namespace", "")
    names = {
        each["metadata"]["name"] for each in scene.of("Service") if each["metadata"].get("namespace") == space
    }
    change = last_edit(ingress, "spec")
    recent = bool(change and not change.created and scene.is_recent(change.at, LATELY))
    for backend in backends(ingress):
        steps = backend.path.split("/")[1:]
        meant = [step for step in steps if step in names]
        if not meant or backend.service in steps:
            continue
        yield make(
            "ingress.crossed",
            ingress,
            ref(ingress),
            f"Ingress {ingress['metadata']['name']}: {backend.path} leads to Service {backend.service}, "
            f"though there is a Service {meant[-1]}"
            + (f"; edited by {change.manager}" if change and recent else ""),
            [
                quote(ingress, compact(backend.service)),
                *([quote(ingress, change.entry, managed=True)] if change else []),
            ],
            severity="warning" if recent else "info",
            at=change.at if change and recent else None,
            data={
                "path": backend.path,
                "service": f"Service/{space}/{backend.service}",
                "meant": f"Service/{space}/{meant[-1]}",
                "recent": recent,
                "fix": _led_to(scene.get(Ref(kind="Service", namespace=space, name=meant[-1])), backend),
            },
        )


def _led_to(service: Json | None, backend: Backend) -> list[Json]:
    """The JSON patch that leads a backend to another Service, if it has one port alone; the present one is
    tested, so that an Ingress that was edited meanwhile stays as it is."""
    listed = dig(service, "spec", "ports", default=())
    if len(listed) != 1 or service is None:
        return []
    there = {"name": service["metadata"]["name"], "port": {"number": listed[0]["port"]}}
    return [
        {"op": "test", "path": f"{backend.at}/name", "value": backend.service},
        {"op": "replace", "path": backend.at, "value": there},
    ]


def _lack(address: Ref, backend: Backend, scene: Scene) -> str:
    if scene.lacks(address):
        return f"Service {address.name} does not exist"
    ports = dig(scene.get(address), "spec", "ports", default=())
    known = {each.get("port") for each in ports} | {each.get("name") for each in ports}
    if not ports or backend.port is None or backend.port in known:
        return ""
    return f"Service {address.name} has no port {backend.port}"


def _missing(
    ingress: Json, address: Ref, said: str, where: str, fragment: Quote, backend: Backend | None = None
) -> Signal:
    return make(
        "ingress.backend_missing",
        ingress,
        ref(ingress),
        f"Ingress {ingress['metadata']['name']}: {said}{where}",
        [fragment],
        data={
            "ref": str(address),
            "kind": address.kind,
            "lacks": said,
            "port": backend.port if backend else None,
            "path": backend.path if backend else "",
        },
    )


def _class(ingress: Json, scene: Scene) -> Iterator[Signal]:
    """`ingress.class_missing`: the class it names does not exist, or it names none and there is no default.

    One without a class that has got an address is served all the same: some controllers take those up too.
    """
    if not scene.covers("IngressClass") or dig(ingress, "metadata", "annotations", CLASS):
        return
    named = dig(ingress, "spec", "ingressClassName", default="")
    classes = {each["metadata"]["name"]: each for each in scene.of("IngressClass")}
    if named in classes or named in BUILT_IN:
        return
    defaults = [
        name
        for name, each in classes.items()
        if dig(each, "metadata", "annotations", DEFAULT_CLASS) == "true"
    ]
    if not named and (defaults or dig(ingress, "status", "loadBalancer", "ingress")):
        return
    known = ", ".join(sorted(classes)) or "none"
    said = f"IngressClass {named} does not exist" if named else "it names no class, and none is the default"
    yield make(
        "ingress.class_missing",
        ingress,
        ref(ingress),
        f"Ingress {ingress['metadata']['name']}: {said} (there is: {known})",
        [quote_at(ingress, "spec", "ingressClassName" if named else "rules")],
        data={"class": named, "lacks": said, "classes": sorted(classes)},
    )
