"""The network part of a scenario: what its Services and pods come to, and what the scenario says of it."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from opssquad.documents import BadFile, misfit, read_text, yaml_text
from opssquad.evals.scenarios.spec import Networked
from opssquad.types import Json
from opssquad.worlds.kube.recording.refs import Key, reference, split
from opssquad.worlds.net.material import load_material
from opssquad.worlds.net.recorded import FOLDER, TOLD, ZONES
from opssquad.worlds.net.showing import shows
from opssquad.worlds.net.told import Told

DOMAIN = "cluster.local"
ZONE = "cluster"
"""The file of the zone of Services."""
HEAD = f"""\
$ORIGIN {DOMAIN}.
@ 5 IN SOA ns.dns hostmaster 1830000000 7200 1800 86400 5
@ 5 IN NS ns.dns
ns.dns 5 IN A {{dns}}
"""


@dataclass(frozen=True)
class Cluster:
    """The objects that addresses lead to, once the story has been played. `tops` are the workloads of pods,
    Kind/namespace/name, by uid."""

    objects: Mapping[Key, Json]
    tops: Mapping[str, str]

    def of(self, kind: str) -> list[Json]:
        """The objects of a kind, by name."""
        return [obj for key, obj in sorted(self.objects.items()) if key[0] == kind]

    def addresses(self, ref: str) -> list[str]:
        """The addresses of a Service, a node, a workload's pods, or pods by a pattern."""
        kind, namespace, name = split(ref)
        if kind == "Service":
            address = _spec(self.objects.get((kind, namespace, name))).get("clusterIP")
            return [str(address)] if _real(address) else []
        if kind == "Node":
            listed = ((self.objects.get((kind, "", name)) or {}).get("status") or {}).get("addresses") or ()
            return [each["address"] for each in listed if each["type"] == "InternalIP"]
        return [str(pod["status"]["podIP"]) for pod in self.pods() if self._meant(pod, ref)]

    def _meant(self, pod: Json, ref: str) -> bool:
        return fnmatchcase("/".join(reference(pod)), ref) or self.tops.get(pod["metadata"]["uid"]) == ref

    def pods(self) -> list[Json]:
        """The pods that have an address and run."""
        return [
            pod
            for pod in self.of("Pod")
            if pod["status"].get("podIP") and pod["status"].get("phase") == "Running"
        ]


def _spec(obj: Json | None) -> Json:
    found: Json = (obj or {}).get("spec") or {}
    return found


def _real(address: object) -> bool:
    return bool(address) and address != "None"


@dataclass
class Part:
    """The files of the network part, by path below the recording's folder."""

    files: dict[str, bytes] = field(default_factory=dict)

    def shows(self, clock: datetime, where: str, text: str) -> bool:
        """Whether a probe shows that text at that clock. Raises BadFile for files that are none."""
        with tempfile.TemporaryDirectory(prefix="opssquad-network-") as folder:
            for path, content in self.files.items():
                file = Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            return shows(load_material(Path(folder)), clock, where, text)


def network_part(file: Path, given: Networked, cluster: Cluster) -> Part:
    """What the scenario says, then what follows from Services and pods; files of the folder that has the
    scenario's name stand beside it. Raises BadFile."""
    said: Json = _addressed(given.told, cluster, file)
    if given.dns:
        server = {"address": given.dns, "zones": [ZONE], "ms": 0.6, "authoritative": True}
        said["servers"] = [*said.get("servers", ()), server]
    said["listeners"] = [*said.get("listeners", ()), *_listeners(cluster)]
    try:
        Told.model_validate(said)
    except ValidationError as error:
        raise BadFile(file, f"network.told: {misfit(error, Told)}") from None
    part = Part({TOLD: yaml_text(said).encode()})
    if given.dns:
        part.files[f"{ZONES}/{ZONE}.zone"] = _zone(cluster, given.dns).encode()
    beside = file.with_suffix("") / FOLDER
    for each in sorted(beside.rglob("*")):
        if each.is_file():
            part.files[f"{FOLDER}/{each.relative_to(beside).as_posix()}"] = read_text(each).encode()
    return part


def _addressed(value: Any, cluster: Cluster, file: Path) -> Any:
    """The same with the addresses of the objects that are named in place of addresses."""
    if isinstance(value, list):
        return [_addressed(each, cluster, file) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _addressed(each, cluster, file) for key, each in value.items()}
    if "addresses" in made:
        made["addresses"] = [a for each in made["addresses"] for a in _meant(str(each), cluster, file)]
    if "address" in made:
        (made["address"],) = _meant(str(made["address"]), cluster, file)[:1]
    return made


def _meant(text: str, cluster: Cluster, file: Path) -> list[str]:
    if text.count("/") < 2:
        return [text]
    if found := cluster.addresses(text):
        return found
    raise BadFile(file, f"network: {text} has no address at the clock")


def _listeners(cluster: Cluster) -> Iterator[Json]:
    """Services and pods as kube-proxy and kernels have it: a port leads on where a ready pod listens, and is
    refused where none does. What a container listens on is what its spec says."""
    slices = cluster.of("EndpointSlice")
    open_at = {pod["status"]["podIP"]: _ports(pod) for pod in cluster.pods()}
    for service in cluster.of("Service"):
        address = _spec(service).get("clusterIP")
        if not _real(address):
            continue
        for port in _spec(service).get("ports") or ():
            led = [address for each in slices for address in _led(each, service, port)]
            serves = any(port in open_at.get(pod, ()) for pod, port in led)
            told = {"addresses": [address], "port": port["port"], "ms": 0.7}
            yield {**told, "echo": False, **({} if serves else {"answers": "refused"})}
    for pod in cluster.pods():
        address = pod["status"]["podIP"]
        yield from ({"addresses": [address], "port": port, "ms": 0.4} for port in sorted(open_at[address]))
        yield {"addresses": [address], "answers": "refused", "ms": 0.4}


def _ports(pod: Json) -> set[int]:
    containers = _spec(pod).get("containers") or ()
    return {each["containerPort"] for container in containers for each in container.get("ports") or ()}


def _led(each: Json, service: Json, port: Json) -> Iterator[tuple[str, int]]:
    """The ready pods' addresses and ports that a port of a Service leads to."""
    labels, meta = each["metadata"].get("labels") or {}, service["metadata"]
    if (each["metadata"]["namespace"], labels.get("kubernetes.io/service-name")) != (
        meta["namespace"],
        meta["name"],
    ):
        return
    numbers = [p["port"] for p in each.get("ports") or () if p.get("name", "") == port.get("name", "")]
    for endpoint in each.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready"):
            yield from ((address, number) for address in endpoint["addresses"] for number in numbers)


def _zone(cluster: Cluster, dns: str) -> str:
    """The zone of Services, as the cluster's DNS has it."""
    lines = [HEAD.format(dns=dns)]
    for service in cluster.of("Service"):
        meta, address = service["metadata"], _spec(service).get("clusterIP")
        name = f"{meta['name']}.{meta['namespace']}.svc"
        for each in [address] if _real(address) else _behind(cluster, service):
            lines.append(f"{name} 5 IN A {each}\n")
    return "".join(lines)


def _behind(cluster: Cluster, service: Json) -> Sequence[str]:
    found = [
        address
        for each in cluster.of("EndpointSlice")
        for port in (_spec(service).get("ports") or ())[:1]
        for address, _ in _led(each, service, port)
    ]
    return sorted(set(found))
