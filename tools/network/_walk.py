"""The walk from a client to what it calls, hop by hop, over what was read. Pure and deterministic.

A hop that has no sense without the one before it is left out where that is broken.
"""

from collections.abc import Sequence
from dataclasses import replace

from opssquad import Json, Ref, Signal

from .._addresses import is_address
from .._kube import dig, ref
from .._pods import is_finished, is_terminating
from .._policy_rules import Port, outside, pod_side
from .._serving import target
from ..signals._scene import Scene
from ..signals.services import behind, service_signals
from ._entering import entry_hops, rules
from ._ground import ground_hops
from ._hops import Client, Goal, Hop, Path, named
from ._lookups import meant
from ._meshing import mesh_hops
from ._naming import client_hop, dns_hop, hosts_file_hop, name_hop
from ._policing import dns_policy_hop, policy_hops
from ._reaching import chosen, endpoints_hop, pods_hop, port_hop, port_of, service_hop
from ._showing import certificate_hop, is_tls, mounted

ALIASES = 4
"""ExternalNames that are followed."""


def walk(client: Client, goal: Goal, scene: Scene) -> Path:
    """Every hop from the client to what it calls, as far as the API shows it."""
    service = goal.service or (
        meant(goal.host, client.namespace, scene) if goal.host and client.inside else None
    )
    goal = replace(goal, service=service)
    hops = [client_hop(client), *_lookup(client, goal, scene)]
    if client.outside and goal.host and not service and not goal.pods:
        return _from_outside(client, goal, hops, scene)
    obj = scene.get(service) if service else None
    if service and obj is None:
        return Path(
            client, goal, tuple(hops if hops[-1].verdict == "broken" else [*hops, _gone(service, scene)])
        )
    if obj is not None:
        hops += _to_service(client, goal, obj, scene)
    elif goal.pods or goal.who:
        hops += _to_pods(client, goal, scene)
    else:
        hops += _to_far(client, goal, scene)
    return Path(client, goal, tuple(hops))


def way_in(client: Client, goal: Goal, scene: Scene) -> Goal:
    """A Service that nothing outside reaches by itself, as the way in that leads to it, if there is one."""
    service = scene.get(goal.service) if goal.service and client.outside else None
    if service is None or not _exposed(client, service):
        return goal
    leading = (each for each in rules(scene) if each.host and each.target == ref(service))
    return next((each.goal() for each in leading), goal)


def _lookup(client: Client, goal: Goal, scene: Scene) -> list[Hop]:
    """The name and the cluster's DNS, where a name is looked up by a pod."""
    if client.outside or not goal.host or is_address(goal.host):
        return []
    if known := hosts_file_hop(client, goal):
        return [known]
    name = name_hop(client, goal, scene)
    if name.verdict == "broken":
        return [name]
    policy = dns_policy_hop(client, scene)
    return [name, dns_hop(scene, goal.service is not None), *([policy] if policy else [])]


def _gone(service: Ref, scene: Scene) -> Hop:
    if scene.covers("Service", service.namespace):
        said = f"there is no Service {service.name} in {service.namespace}"
        return Hop("Service", "broken", said, service)
    return Hop("Service", "unknown", f"the Services of {service.namespace} could not be read")


def _from_outside(client: Client, goal: Goal, hops: list[Hop], scene: Scene) -> Path:
    more, rule = entry_hops(goal, scene)
    hops = [*hops, *more]
    service = scene.get(rule.target) if rule else None
    if rule is None or service is None:
        return Path(client, goal, tuple(hops))
    listed = dig(service, "spec", "ports", default=())
    number = next(
        (each.get("port") for each in listed if rule.port in (each.get("port"), each.get("name"))), 0
    )
    # Whoever holds the rule connects to the pods: which pods those are is not told.
    inner = Goal(goal.words, service=ref(service), port=int(number or 0))
    return Path(client, goal, tuple([*hops, *_to_service(Client(), inner, service, scene)]))


def _to_service(client: Client, goal: Goal, service: Json, scene: Scene, aliases: int = ALIASES) -> list[Hop]:
    if alias := dig(service, "spec", "externalName"):
        return [service_hop(service), *_aliased(client, goal, service, str(alias), scene, aliases)]
    space, selector = ref(service).namespace, dig(service, "spec", "selector", default={})
    pods = [p for p in behind(selector, space, scene) if not is_terminating(p)] if selector else []
    goal = replace(goal, pods=tuple(pods), who=scene.owner(pods[0]) if pods else None)
    told = list(service_signals(service, scene))
    first = [service_hop(service), *_exposed(client, service)]
    port = port_hop(client, goal, service, told, scene)
    ends = endpoints_hop(client, service, pods, told, scene)
    # A port that no pod declares is told of a Service that has the right pods.
    hops = [*first, port, ends]
    chose = chosen(service, goal, client.outside)
    if chose is None or ends.verdict == "broken":
        return hops
    hops.append(pods_hop(goal, target(chose), pods, scene))
    family = str(dig(service, "spec", "ipFamilies", 0, default=""))
    sides = [pod_side(each, family) for each in pods]
    hops += policy_hops(client, goal, service, sides, port_of(service, chose), scene)
    hops += mesh_hops(client, goal, service, port_of(service, chose), scene)
    hops += ground_hops(client, pods, True, scene)
    if is_tls(chose, goal.scheme) and (hop := certificate_hop(mounted(pods, scene), goal.host, scene)):
        hops.append(hop)
    return hops


def _exposed(client: Client, service: Json) -> list[Hop]:
    kind = dig(service, "spec", "type", default="ClusterIP")
    if not client.outside or kind in {"NodePort", "LoadBalancer"} or dig(service, "spec", "externalIPs"):
        return []
    said = f"{named(service)} is a {kind}, which nothing outside of the cluster reaches by itself"
    return [Hop("exposure", "broken", said, ref(service))]


def _aliased(client: Client, goal: Goal, service: Json, alias: str, scene: Scene, aliases: int) -> list[Hop]:
    inner = meant(alias, ref(service).namespace, scene) if ".svc" in alias else None
    obj = scene.get(inner) if inner else None
    if inner and obj and aliases:
        step = Hop("alias", "ok", f"{named(service)} stands for {alias}")
        return [step, *_to_service(client, replace(goal, service=inner), obj, scene, aliases - 1)]
    if inner:
        said = f"{named(service)} stands for {alias}, which " + (
            "does not exist" if aliases else "leads round in a ring"
        )
        known = scene.covers("Service", inner.namespace)
        return [Hop("alias", "broken" if known else "unknown", said, ref(service))]
    step = Hop("alias", "not checked", f"{named(service)} stands for {alias}, a host outside of the cluster")
    return [step, *_to_far(client, replace(goal, host=alias), scene)]


def _to_pods(client: Client, goal: Goal, scene: Scene) -> list[Hop]:
    pods = [each for each in goal.pods if not is_finished(each)]
    if not pods:
        return [Hop("pods", "broken", f"{goal.words} has no pod", goal.who)]
    hops = [pods_hop(goal, goal.port, pods, scene)]
    if goal.port:
        sides = [pod_side(each) for each in pods]
        hops += policy_hops(client, goal, None, sides, lambda _: Port(goal.port), scene)
        hops += mesh_hops(client, goal, None, lambda _: Port(goal.port), scene)
    else:
        hops.append(Hop("policies", "not checked", "no port was named"))
    return [*hops, *ground_hops(client, pods, False, scene)]


def _to_far(client: Client, goal: Goal, scene: Scene) -> list[Hop]:
    """A host outside of the cluster: what can be told is what leaves it."""
    if not client.inside:
        return [Hop("target", "not checked", f"the API shows nothing of {goal.words}")]
    far = outside(goal.host or goal.words, *goal.addresses, node=goal.node)
    port = goal.port or {"http": 80}.get(goal.scheme, 443)
    hops = policy_hops(client, goal, None, [far], lambda _: Port(port), scene)
    return [*hops, *ground_hops(client, (), False, scene)]


def signals_of(paths: Sequence[Path]) -> list[Signal]:
    """What was found on paths, each once."""
    return list({(each.id, each.entity, each.text): each for path in paths for each in path.signals}.values())
