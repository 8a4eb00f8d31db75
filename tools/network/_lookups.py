"""How a pod's resolver finds a name: the search path it goes along, and the Service that each full name is.

Pure functions over a pod's spec and a scene.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opssquad import Json, Ref

from .._addresses import service_named
from .._kube import dig
from .._serving import SERVICE_LABEL
from ..signals._scene import Scene
from ..signals.dns import DOMAIN, NAMESPACES

NDOTS = 5
"""What the kubelet writes for pods that ask the cluster's DNS."""


@dataclass(frozen=True)
class Found:
    """The full name that is answered, the Service it is, and of a headless one the pod's own name."""

    full: str
    service: Ref
    pod: str = ""


def asks_cluster(spec: Json, scene: Scene) -> bool:
    """Whether a pod asks the cluster's DNS: by its policy, or since its own servers are that one."""
    policy, host = spec.get("dnsPolicy") or "ClusterFirst", bool(spec.get("hostNetwork"))
    if policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not host):
        return True
    servers = set(dig(spec, "dnsConfig", "nameservers", default=()))
    return any(
        dig(each, "spec", "clusterIP") in servers
        for space in NAMESPACES
        for each in scene.within("Service", space)
    )


def candidates(host: str, spec: Json, namespace: str) -> list[str]:
    """The full names that a pod's resolver asks for, in order."""
    if host.endswith("."):
        return [host.rstrip(".")]
    searches = list(dig(spec, "dnsConfig", "searches", default=()))
    if (spec.get("dnsPolicy") or "ClusterFirst").startswith("ClusterFirst"):
        searches = [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN, *searches]
    along = [f"{host}.{each}" for each in searches]
    return [host, *along] if host.count(".") >= _ndots(spec) else [*along, host]


def _ndots(spec: Json) -> int:
    for each in dig(spec, "dnsConfig", "options", default=()):
        if each.get("name") == "ndots" and str(each.get("value", "")).isdigit():
            return int(each["value"])
    return NDOTS if (spec.get("dnsPolicy") or "ClusterFirst") != "None" else 1


def found(host: str, spec: Json, namespace: str, scene: Scene) -> Found | None:
    """What the first name along the search path that is a Service's leads to."""
    for full in candidates(host.lower(), spec, namespace):
        for each in _services(full):
            if scene.get(each.service) and (not each.pod or _has_pod(each, scene)):
                return each
    return None


def _services(full: str) -> Iterator[Found]:
    head, _, tail = full.partition(f".svc.{DOMAIN}")
    labels = head.split(".")
    if tail or not full.endswith(f".svc.{DOMAIN}"):
        return
    if len(labels) == 2:
        yield Found(full, Ref(kind="Service", namespace=labels[1], name=labels[0]))
    elif len(labels) == 3:
        yield Found(full, Ref(kind="Service", namespace=labels[2], name=labels[1]), labels[0])


def _has_pod(each: Found, scene: Scene) -> bool:
    slices = scene.within("EndpointSlice", each.service.namespace)
    mine = (one for one in slices if dig(one, "metadata", "labels", SERVICE_LABEL) == each.service.name)
    ends = [end for one in mine for end in one.get("endpoints") or ()]
    return any(each.pod in (end.get("hostname"), *dashed(end.get("addresses") or ())) for end in ends)


def dashed(addresses: Iterable[str]) -> list[str]:
    """How a pod without a host name is called below a headless Service."""
    return [one.replace(".", "-").replace(":", "-") for one in addresses]


def meant(host: str, namespace: str, scene: Scene) -> Ref | None:
    """The Service that a name can only mean, whether it exists or not; None for names of hosts outside."""
    bare = host.rstrip(".").lower()
    address = service_named(bare, namespace)
    if address is None or "." not in bare or ".svc" in bare:
        return address
    return address if scene.get(Ref(kind="Namespace", name=address.namespace)) else None
