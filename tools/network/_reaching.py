"""The hops behind a name: the Service, its port, its endpoints, the pods, and the certificate they show."""

from collections.abc import Sequence

from opssquad import Json, Ref, Signal

from .._kube import dig, quote_at, ref
from .._pods import is_ready, pod_addresses
from .._policy_rules import Port, Side
from .._serving import SERVICE_LABEL, target
from .._text import many, some
from ..signals._scene import Scene, make
from ..signals.environment import environment_signals
from ._hops import Client, Goal, Hop, first_of, named, where
from ._policing import PortOf

SCHEMES = {"http": 80, "https": 443}
MOST = 6


def service_hop(service: Json) -> Hop:
    """What kind of Service it is."""
    spec = service.get("spec") or {}
    kind, ip = spec.get("type") or "ClusterIP", spec.get("clusterIP") or ""
    selector = ",".join(f"{key}={value}" for key, value in (spec.get("selector") or {}).items())
    shape = "headless" if ip == "None" else f"{kind} {ip}".strip()
    return Hop(
        "Service",
        "ok",
        f"{named(service)} in {ref(service).namespace}: {shape}, selector {selector or 'none'}",
    )


def chosen(service: Json, goal: Goal, outside: bool = False) -> Json | None:
    """The port of a Service that is meant; None where it has none such. Of a headless one any is."""
    listed: list[Json] = dig(service, "spec", "ports", default=[])
    wanted = goal.port or SCHEMES.get(goal.scheme, 0)
    for key in ("port", *(("nodePort",) if outside else ())):
        for each in listed:
            if wanted and each.get(key) == wanted:
                return each
    if goal.port and dig(service, "spec", "clusterIP") == "None":
        return {"port": goal.port, "targetPort": goal.port}
    return None if goal.port or not listed else listed[0]


def port_of(service: Json, port: Json) -> PortOf:
    """The port of a pod that a Service's port leads to."""
    headless = dig(service, "spec", "clusterIP") == "None"

    def number(side: Side) -> Port | None:
        aim, protocol = target(port), port.get("protocol") or "TCP"
        found = side.number(aim, protocol) if isinstance(aim, str) else aim
        front = int(port.get("port") or 0)
        return Port(found, 0 if headless or front == found else front, protocol) if found else None

    return number


def port_hop(client: Client, goal: Goal, service: Json, told: Sequence[Signal], scene: Scene) -> Hop:
    """Whether the Service has the port, and whether its pods declare where that leads."""
    port = chosen(service, goal, client.outside)
    if port is None:
        return _no_port(client, goal, service, scene)
    words = f"{port.get('port')}/{port.get('protocol') or 'TCP'} to {target(port)}"
    if mismatch := first_of(told, "service.port_mismatch", port=port.get("port")):
        return Hop("port", "broken", mismatch.text, ref(service), (mismatch,))
    several = len(dig(service, "spec", "ports", default=())) > 1 and not goal.port and not goal.scheme
    return Hop("port", "ok", words + (" (no port was named: its first)" if several else ""))


def _no_port(client: Client, goal: Goal, service: Json, scene: Scene) -> Hop:
    has = ", ".join(str(each.get("port")) for each in dig(service, "spec", "ports", default=())) or "none"
    said = f"{named(service)} has no port {goal.port} (it has {has})"
    workload = scene.get(client.who) if client.who else None
    name = str(ref(service))
    signals = environment_signals(workload, scene) if workload else ()
    wrong = first_of(signals, "env.wrong_port", service=name, port=goal.port)
    blamed = goal.setting or (_written(wrong) if wrong else None) or ref(service)
    return Hop("port", "broken", said, blamed, (wrong,) if wrong else ())


def _written(wrong: Signal) -> Ref:
    """The object that holds a wrong port."""
    if file := wrong.data.get("file"):
        return Ref.parse(str(file))
    config = dig(wrong.data, "config", "name")
    if config:
        return Ref(kind="ConfigMap", namespace=wrong.entity.namespace, name=config)
    return wrong.entity


def endpoints_hop(
    client: Client, service: Json, pods: Sequence[Json], told: Sequence[Signal], scene: Scene
) -> Hop:
    """Whether anybody stands behind the Service, and those that are meant."""
    what, space = "endpoints", ref(service).namespace
    if not scene.covers("EndpointSlice", space):
        return Hop(what, "unknown", f"the EndpointSlices of {space} could not be read")
    if none := first_of(told, "service.no_endpoints"):
        return Hop(what, "broken", none.text, none.owner, (none,))
    ready, waiting = _addresses(service, scene)
    if not ready:
        return _by_hand(service)
    mixed = first_of(told, "service.mixed_backends")
    if mixed and mixed.data["lacking_port"]:
        return Hop(what, "broken", mixed.text, ref(service), (mixed,))
    stale = _stale(service, ready, pods, scene)
    if stale and len(stale) == len(ready):
        said = f"every ready address of {named(service)} ({some(sorted(stale), MOST)}) is of no live pod"
        return Hop(what, "broken", said, ref(service))
    if mixed and not mixed.data["alike"]:
        said = f"{many(len(ready), 'ready endpoint')} of several programs: {mixed.text}"
        return Hop(what, "broken", said, ref(service), (mixed,))
    if local := _local(client, service, scene):
        return local
    notes = [f"{many(len(ready), 'ready endpoint')}"]
    notes += [f"{len(waiting)} not ready"] if waiting else []
    notes += [f"{some(sorted(stale), MOST)} of no live pod"] if stale else []
    notes += ["kept to zones by topology hints"] if _hinted(service, scene) else []
    notes += ["not ready ones are published too"] if dig(service, "spec", "publishNotReadyAddresses") else []
    return Hop(what, "ok", ", ".join(notes), None, (mixed,) if mixed else ())


def _ends(service: Json, scene: Scene) -> list[Json]:
    name = service["metadata"]["name"]
    slices = scene.within("EndpointSlice", ref(service).namespace)
    mine = [each for each in slices if dig(each, "metadata", "labels", SERVICE_LABEL) == name]
    return [end for each in mine for end in each.get("endpoints") or ()]


def _hinted(service: Json, scene: Scene) -> bool:
    """Whether each zone has endpoints of its own: a zone without any is served by all of them."""
    return any(dig(end, "hints", "forZones") for end in _ends(service, scene))


def _addresses(service: Json, scene: Scene) -> tuple[set[str], set[str]]:
    """The addresses that get traffic, and those that do not."""
    found: tuple[set[str], set[str]] = (set(), set())
    for end in _ends(service, scene):
        found[not dig(end, "conditions", "ready", default=True)].update(end.get("addresses") or ())
    return found


def _by_hand(service: Json) -> Hop:
    said = f"{named(service)} has no selector, and no ready address is written for it"
    signal = make(
        "service.no_endpoints",
        service,
        ref(service),
        said,
        [quote_at(service, "metadata", "name")],
        severity="critical",
        data={
            "service": str(ref(service)),
            "selector": "",
            "why": "no_selector",
            "pods": 0,
            "changed_by": "",
        },
    )
    return Hop("endpoints", "broken", said, ref(service), (signal,))


def _stale(service: Json, ready: set[str], pods: Sequence[Json], scene: Scene) -> set[str]:
    """Ready addresses of a Service with a selector that no live pod of it has."""
    if not dig(service, "spec", "selector") or not scene.covers("Pod", ref(service).namespace):
        return set()
    early = bool(dig(service, "spec", "publishNotReadyAddresses"))
    live = {ip for pod in pods if early or is_ready(pod) for ip in pod_addresses(pod)}
    return ready - live if live else set()


def _local(client: Client, service: Json, scene: Scene) -> Hop | None:
    """With internalTrafficPolicy Local a client gets answers from its own node alone."""
    if dig(service, "spec", "internalTrafficPolicy") != "Local" or not client.inside:
        return None
    have = {
        end.get("nodeName") for end in _ends(service, scene) if dig(end, "conditions", "ready", default=True)
    }
    bare = [each for each in where(client.pods) if each not in have]
    if not bare:
        return None
    nodes = some(bare, MOST)
    said = f"internalTrafficPolicy Local: no ready endpoint on {nodes}, where {client.words()} has pods"
    return Hop("endpoints", "broken", said, ref(service))


def pods_hop(goal: Goal, port: int | str, pods: Sequence[Json], scene: Scene) -> Hop:
    """Whether the pods that are called are ready."""
    if not pods:
        return Hop("pods", "not checked", "no pod of them was read")
    ready = [each for each in pods if is_ready(each)]
    whose = scene.owner(pods[0])
    said = f"{len(ready)} of {many(len(pods), 'pod')} of {whose.kind} {whose.name} ready"
    if not ready:
        return Hop("pods", "broken", said, whose)
    return Hop("pods", "ok", f"{said}, on {some(where(ready), MOST)}" + (f"; port {port}" if port else ""))
