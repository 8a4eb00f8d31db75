"""Rows of what leads traffic to pods: Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.ages import age
from opssquad.worlds.kube.apiserver.cells.workloads import pairs

NONE, UNSET = "<none>", "<unset>"
SHOWN = 3  # how many addresses, ports or hosts a cell names before it says "+ N more..."


def service(obj: Json, now: datetime) -> list[Any]:
    """Name, Type, Cluster-IP, External-IP, Port(s), Age; wide: Selector."""
    spec = obj["spec"]
    inner = (spec.get("clusterIPs") or [spec.get("clusterIP", "")])[0]
    return [
        obj["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        inner or NONE,
        _external(spec, obj.get("status", {})),
        ",".join(_port(port) for port in spec.get("ports") or []) or NONE,
        age(obj, now),
        pairs(spec.get("selector")),
    ]


def _external(spec: Json, status: Json) -> str:
    given = ",".join(spec.get("externalIPs") or [])
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") != "LoadBalancer":
        return given or NONE
    balancer = _balancer(status)
    return ",".join(part for part in (balancer, given) if part) or "<pending>"


def _balancer(status: Json) -> str:
    entries = status.get("loadBalancer", {}).get("ingress") or []
    return ",".join(entry.get("ip") or entry.get("hostname", "") for entry in entries)


def _port(port: Json) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def endpoints(obj: Json, now: datetime) -> list[Any]:
    """Name, Endpoints, Age."""
    found = [
        f"{address['ip']}:{port['port']}" if port else address["ip"]
        for subset in obj.get("subsets") or []
        for port in subset.get("ports") or [None]
        for address in subset.get("addresses") or []
    ]
    return [obj["metadata"]["name"], _listed(found) if obj.get("subsets") else NONE, age(obj, now)]


def endpoint_slice(obj: Json, now: datetime) -> list[Any]:
    """Name, AddressType, Ports, Endpoints, Age."""
    ports = [str(port["port"]) if port.get("port") else "*" for port in obj.get("ports") or []]
    found = [address for endpoint in obj.get("endpoints") or [] for address in endpoint["addresses"]]
    cells = [_listed(ports) or UNSET, _listed(found) or UNSET]
    return [obj["metadata"]["name"], obj.get("addressType", ""), *cells, age(obj, now)]


def ingress(obj: Json, now: datetime) -> list[Any]:
    """Name, Class, Hosts, Address, Ports, Age."""
    spec = obj.get("spec", {})
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    return [
        obj["metadata"]["name"],
        spec.get("ingressClassName") or NONE,
        _listed(hosts) or "*",
        _balancer(obj.get("status", {})),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def ingress_class(obj: Json, now: datetime) -> list[Any]:
    """Name, Controller, Parameters, Age."""
    spec = obj.get("spec", {})
    given = spec.get("parameters")
    parameters = NONE
    if given:
        group = f".{given['apiGroup']}" if given.get("apiGroup") else ""
        parameters = f"{given['kind']}{group}/{given['name']}"
    return [obj["metadata"]["name"], spec.get("controller", ""), parameters, age(obj, now)]


def network_policy(obj: Json, now: datetime) -> list[Any]:
    """Name, Pod-Selector, Age."""
    chosen = labels.text(obj.get("spec", {}).get("podSelector"), NONE)
    return [obj["metadata"]["name"], chosen, age(obj, now)]


def _listed(found: Sequence[str]) -> str:
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more
