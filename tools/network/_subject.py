"""What an address or a name belongs to: an object of the cluster where one is connected, else a host."""

import asyncio

from opssquad import Cluster, Json, Ref, ToolError

from .._addresses import is_address, service_addresses
from .._kube import dig, owner, ref, selected

HOST = "Host"


async def subject(cluster: Cluster | None, host: str) -> Ref:
    """The Service, Pod or Ingress behind a host name or an address; a `Host` where none is known."""
    bare = host.rstrip(".").lower()
    if cluster is not None:
        try:
            found = await (_by_address(cluster, bare) if is_address(bare) else _by_name(cluster, bare))
        except ToolError:
            # Whoever may not list Services can probe all the same.
            found = None
        if found:
            return found
    return Ref(kind=HOST, name=bare)


async def behind(cluster: Cluster | None, address: str) -> list[str]:
    """The workloads of the pods behind a Service of that address, its own or its load balancer's."""
    if cluster is None or not is_address(address):
        return []
    try:
        services = await cluster.list("Service")
        found = next((each for each in services if address in service_addresses(each)), None)
        if found is None:
            return []
        selector = dig(found, "spec", "selector", default={})
        pods = await cluster.list("Pod", found["metadata"]["namespace"])
    except ToolError:
        # Whoever may not list them can probe all the same.
        return []
    mine = [each for each in pods if selected(dig(each, "metadata", "labels", default={}), selector)]
    return sorted({str(owner(each)) for each in mine})


async def _by_address(cluster: Cluster, address: str) -> Ref | None:
    services, pods = await asyncio.gather(cluster.list("Service"), cluster.list("Pod"))
    for each in services:
        if address in service_addresses(each):
            return ref(each)
    on_node = (each for each in pods if not dig(each, "spec", "hostNetwork"))
    return next((ref(each) for each in on_node if dig(each, "status", "podIP") == address), None)


async def _by_name(cluster: Cluster, name: str) -> Ref | None:
    parts = name.split(".")
    if len(parts) == 1:
        parts.append(cluster.namespace)
    if len(parts) == 2 or parts[2] == "svc":
        services = await cluster.list("Service", parts[1])
        if any(each["metadata"]["name"] == parts[0] for each in services):
            return Ref(kind="Service", namespace=parts[1], name=parts[0])
    ingresses = await cluster.list("Ingress")
    return next((ref(each) for each in ingresses if name in _hosts(each)), None)


def _hosts(ingress: Json) -> list[str]:
    return [str(each["host"]) for each in dig(ingress, "spec", "rules", default=()) if each.get("host")]
