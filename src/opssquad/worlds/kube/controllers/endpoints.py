"""Endpoints and EndpointSlices of Services: which pods they name, and whether those are ready."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.meta import (
    copy,
    is_deleted,
    is_finished,
    is_ready,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    reference_to,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

SERVICE_NAME = "kubernetes.io/service-name"
TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


class EndpointController:
    """Keeps the endpoints of Services that select pods."""

    latency = 0.006

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The Service itself, and those that select a pod now or did before."""
        if change.resource == kinds.SERVICES:
            yield key_of(change.object)
        elif change.resource == kinds.PODS:
            labels = [labels_of(pod) for pod in (change.object, change.previous) if pod]
            for service in self._plane.all(kinds.SERVICES, namespace_of(change.object)):
                wanted = service["spec"].get("selector")
                if wanted and any(wanted.items() <= found.items() for found in labels):
                    yield key_of(service)

    def sync(self, key: tuple[str, str]) -> None:
        """Bring both forms of a Service's endpoints up to date."""
        service = self._plane.get(kinds.SERVICES, *key)
        if service is None or not service["spec"].get("selector"):
            return
        wanted = service["spec"]["selector"]
        pods = [
            pod
            for pod in self._plane.all(kinds.PODS, key[0])
            if wanted.items() <= labels_of(pod).items() and _has_address(pod)
        ]
        self._write_slice(service, pods)
        self._write_endpoints(service, pods)

    def _write_slice(self, service: Json, pods: list[Json]) -> None:
        name = name_of(service)
        found = [
            s
            for s in self._plane.all(kinds.SLICES, namespace_of(service))
            if labels_of(s).get(SERVICE_NAME) == name
        ]
        before = found[0] if found else None
        old = (before or {}).get("endpoints") or []
        made = {e["targetRef"]["uid"]: e for e in map(self._endpoint, pods)}
        known = [
            made.pop(e["targetRef"]["uid"]) for e in old if (e.get("targetRef") or {}).get("uid") in made
        ]
        endpoints = [*known, *made.values()]
        # Other than in Endpoints, a port without a name has an empty one.
        ports = [{"name": "", **port} for port in _ports(service, pods)] or (before or {}).get("ports") or []
        if before is None:
            self._create_slice(service, endpoints, ports)
            return
        if endpoints == old and ports == before.get("ports"):
            return
        changed = {**copy(before), "endpoints": endpoints, "ports": ports}
        notes = {**(before["metadata"].get("annotations") or {}), TRIGGER: self._plane.stamp}
        changed["metadata"]["annotations"] = notes
        self._plane.update(kinds.SLICES, changed)

    def _create_slice(self, service: Json, endpoints: list[Json], ports: list[Json]) -> None:
        name = name_of(service)
        labels = {
            **_labels(service),
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            SERVICE_NAME: name,
        }
        suffix = naming.suffix(self._plane.seed, name, self._plane.store.revision)
        meta = {
            "name": f"{name}-{suffix}",
            "generateName": f"{name}-",
            "namespace": namespace_of(service),
            "labels": labels,
            "ownerReferences": [reference_to(service)],
        }
        body = {"metadata": meta, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}
        self._plane.create(kinds.SLICES, body)

    def _endpoint(self, pod: Json) -> Json:
        ready, going = is_ready(pod), is_deleted(pod)
        endpoint: Json = {
            "addresses": [status_of(pod)["podIP"]],
            "conditions": {"ready": ready and not going, "serving": ready, "terminating": going},
            "targetRef": _target(pod),
            "nodeName": pod["spec"]["nodeName"],
        }
        if pod["spec"].get("hostname"):
            endpoint["hostname"] = pod["spec"]["hostname"]
        node = self._plane.get(kinds.NODES, "", pod["spec"]["nodeName"])
        zone = labels_of(node).get("topology.kubernetes.io/zone") if node else None
        return {**endpoint, "zone": zone} if zone else endpoint

    def _write_endpoints(self, service: Json, pods: list[Json]) -> None:
        before = self._plane.get(kinds.ENDPOINTS, *key_of(service))
        staying = [pod for pod in pods if not is_deleted(pod)]
        subset: Json = {}
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            chosen = [_address(pod) for pod in staying if is_ready(pod) is ready]
            if chosen:
                subset[field] = sorted(chosen, key=lambda a: tuple(map(int, a["ip"].split("."))))
        subsets = [{**subset, "ports": _ports(service, staying)}] if subset else []
        if before is None:
            meta = {
                "name": name_of(service),
                "namespace": namespace_of(service),
                "labels": {**_labels(service), "endpoints.kubernetes.io/managed-by": "endpoint-controller"},
            }
            self._plane.create(kinds.ENDPOINTS, {"metadata": meta, "subsets": subsets})
            return
        changed = {k: v for k, v in copy(before).items() if k != "subsets"}
        if subsets:
            changed["subsets"] = subsets
        if changed.get("subsets") != before.get("subsets"):
            self._plane.update(kinds.ENDPOINTS, changed)


def _labels(service: Json) -> Json:
    """What its endpoints take over of a Service: its labels, and that it is headless."""
    headless = {"service.kubernetes.io/headless": ""} if service["spec"].get("clusterIP") == "None" else {}
    return {**labels_of(service), **headless}


def _has_address(pod: Json) -> bool:
    return bool(status_of(pod).get("podIP")) and not is_finished(pod)


def _target(pod: Json) -> Json:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": meta["name"], "uid": meta["uid"]}


def _address(pod: Json) -> Json:
    address = {"ip": status_of(pod)["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}
    return {**address, "hostname": pod["spec"]["hostname"]} if pod["spec"].get("hostname") else address


def _ports(service: Json, pods: list[Json]) -> list[Json]:
    """The ports of a Service on its pods; a named target port is looked up in the first pod that has it."""
    named = {
        port["name"]: port["containerPort"]
        for pod in pods
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("name")
    }
    ports = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = named.get(target) if isinstance(target, str) else target
        if number:
            name = {"name": port["name"]} if port.get("name") else {}
            ports.append({**name, "port": number, "protocol": port.get("protocol", "TCP")})
    return ports
