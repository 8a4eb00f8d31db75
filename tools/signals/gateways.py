"""Gateways that no controller takes up, and routes of the Gateway API that hang on nothing or lead nowhere.

The conditions that controllers write are told in their words; what can be seen without them, as a Gateway or
a Service that does not exist, is told by itself.
"""

from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal

from .._kube import compact, condition, dig, moment, quote, quote_at, ref
from .._selectors import namespace_matches
from ._scene import Scene, make

GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute")


def class_signals(cls: Json, scene: Scene) -> Iterator[Signal]:
    """`gatewayclass.not_accepted` for a class that no controller has taken up, or that it refuses."""
    yield from _unmet(cls, "gatewayclass.not_accepted", ("Accepted",))


def gateway_signals(gateway: Json, scene: Scene) -> Iterator[Signal]:
    """`gateway.class_missing`, `gateway.not_accepted`, `gateway.not_programmed`."""
    name = dig(gateway, "spec", "gatewayClassName", default="-")
    target = Ref(kind="GatewayClass", name=name)
    if scene.lacks(target):
        known = ", ".join(sorted(each["metadata"]["name"] for each in scene.of("GatewayClass"))) or "none"
        yield make(
            "gateway.class_missing",
            gateway,
            ref(gateway),
            f"Gateway {gateway['metadata']['name']}: GatewayClass {name} does not exist (there is: {known})",
            [quote_at(gateway, "spec", "gatewayClassName")],
            data={"ref": str(target), "class": name},
        )
        return
    refused = list(_unmet(gateway, "gateway.not_accepted", ("Accepted",)))
    yield from refused or _unmet(gateway, "gateway.not_programmed", ("Programmed",))


def _unmet(obj: Json, name: str, types: tuple[str, ...]) -> Iterator[Signal]:
    """The first of these conditions that is not True, as a signal; one that nobody wrote says nothing."""
    for index, each in enumerate(dig(obj, "status", "conditions", default=())):
        if each.get("type") in types and each.get("status") != "True":
            said = ": ".join(filter(None, (each.get("reason"), each.get("message"))))
            yield make(
                name,
                obj,
                ref(obj),
                f"{obj['kind']} {obj['metadata']['name']}: {each['type']} is {each.get('status')}: "
                f"{said[:240]}",
                [quote_at(obj, "status", "conditions", index)],
                at=moment(each.get("lastTransitionTime")),
                data={"why": each.get("reason", ""), "message": each.get("message", "")},
            )
            return


def route_signals(route: Json, scene: Scene) -> Iterator[Signal]:
    """`route.not_accepted` for a parent that is missing or does not let it in, `route.backend_missing`."""
    told: set[str] = set()
    for index, parent in enumerate(dig(route, "spec", "parentRefs", default=())):
        if parent.get("kind", "Gateway") == "Gateway" and parent.get("group", GROUP) == GROUP:
            yield from _parent(route, index, parent, scene)
    for backend in _backends(route):
        said, target = _lack(backend, route, scene)
        if said and said not in told:
            told.add(said)
            yield _no_backend(route, said, target, backend)
    if not told:
        yield from _unresolved(route)


def _parent(route: Json, index: int, parent: Json, scene: Scene) -> Iterator[Signal]:
    space = route["metadata"].get("namespace", "")
    target = Ref(kind="Gateway", namespace=parent.get("namespace") or space, name=parent.get("name") or "-")
    quotes = [quote_at(route, "spec", "parentRefs", index)]
    if scene.lacks(target):
        yield _refused(route, target, "parent_missing", f"Gateway {target.name} does not exist", quotes)
        return
    gateway = scene.get(target)
    if gateway and not _lets_in(gateway, parent, space, scene):
        said = f"no listener of Gateway {target.name} lets in routes of namespace {space}"
        yield _refused(route, target, "not_allowed", said, [*quotes, quote_at(gateway, "spec", "listeners")])
        return
    for answer in dig(route, "status", "parents", default=()):
        named = dig(answer, "parentRef", "name") == target.name
        for each in answer.get("conditions") or () if named else ():
            if each.get("type") == "Accepted" and each.get("status") == "False":
                said = ": ".join(filter(None, (each.get("reason"), each.get("message"))))
                yield _refused(
                    route, target, each.get("reason", ""), said[:240], [quote(route, compact(each))]
                )
                return


def _refused(route: Json, target: Ref, why: str, said: str, quotes: list[Quote]) -> Signal:
    return make(
        "route.not_accepted",
        route,
        ref(route),
        f"{route['kind']} {route['metadata']['name']}: {said}",
        quotes,
        data={"ref": str(target), "why": why, "lacks": said},
    )


def _lets_in(gateway: Json, parent: Json, space: str, scene: Scene) -> bool:
    """Whether a listener that the route may mean is open to its namespace, for all that is known."""
    listeners = [
        each
        for each in dig(gateway, "spec", "listeners", default=())
        if parent.get("sectionName") in (None, each.get("name"))
    ]
    return not listeners or any(_open(each, gateway, space, scene) for each in listeners)


def _open(listener: Json, gateway: Json, space: str, scene: Scene) -> bool:
    allowed = dig(listener, "allowedRoutes", "namespaces", default={})
    match allowed.get("from") or "Same":
        case "Same":
            return bool(gateway["metadata"].get("namespace") == space)
        case "Selector":
            return namespace_matches(allowed.get("selector"), space, scene) is not False
        case "None":
            return False
        case _:
            return True


def _backends(route: Json) -> Iterator[Json]:
    for rule in dig(route, "spec", "rules", default=()):
        for each in rule.get("backendRefs") or ():
            if each.get("kind", "Service") == "Service" and not each.get("group"):
                yield each


def _lack(backend: Json, route: Json, scene: Scene) -> tuple[str, Ref]:
    space = backend.get("namespace") or route["metadata"].get("namespace", "")
    target = Ref(kind="Service", namespace=space, name=backend.get("name") or "-")
    if scene.lacks(target):
        return f"Service {target.name} does not exist", target
    ports = [each.get("port") for each in dig(scene.get(target), "spec", "ports", default=())]
    if ports and backend.get("port") not in (None, *ports):
        return f"Service {target.name} has no port {backend['port']}", target
    return "", target


def _no_backend(route: Json, said: str, target: Ref, backend: Json) -> Signal:
    return make(
        "route.backend_missing",
        route,
        ref(route),
        f"{route['kind']} {route['metadata']['name']}: {said}",
        [quote(route, compact(backend))],
        data={"ref": str(target), "kind": "Service", "lacks": said, "port": backend.get("port")},
    )


def _unresolved(route: Json) -> Iterator[Signal]:
    """What its controller could not resolve and the objects read do not tell: another namespace, a grant."""
    for answer in dig(route, "status", "parents", default=()):
        each = condition({"status": answer}, "ResolvedRefs")
        if each.get("status") == "False":
            said = ": ".join(filter(None, (each.get("reason"), each.get("message"))))
            yield make(
                "route.backend_missing",
                route,
                ref(route),
                f"{route['kind']} {route['metadata']['name']}: {said[:240]}",
                [quote(route, compact(each))],
                at=moment(each.get("lastTransitionTime")),
                data={"ref": "", "kind": "", "lacks": said, "port": None},
            )
            return
