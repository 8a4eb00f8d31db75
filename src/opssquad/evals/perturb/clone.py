"""A further workload, copied from a healthy one: other names, uids and addresses, no tie to anything else."""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opssquad.evals.perturb.healthy import Workload
from opssquad.evals.perturb.material import Material, log_lines, mapped, uid
from opssquad.evals.perturb.names import Drawn
from opssquad.evals.perturb.rename import Renamer
from opssquad.evals.perturb.shift import FIELD
from opssquad.types import Json

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LOUD = re.compile(r'warn|error|fatal|exception|traceback|^\S+ \s|"level": [45]0|[" ]5\d\d[ ,]', re.IGNORECASE)
"""Lines that may tell of the incident: a copy that told of it would be no unrelated one."""
KEPT = 0.6
"""The share of lines that a copy takes over: two logs of one rhythm would look copied."""


@dataclass
class Copy:
    """A copied workload and the logs of its pods by path."""

    workload: Workload
    logs: dict[str, str]

    def objects(self) -> list[Json]:
        """All its objects."""
        own = self.workload
        return [own.deployment, *own.replicasets, *own.pods, *own.around]


class Copier:
    """Makes copies of workloads in one recording; names and addresses are never given twice."""

    def __init__(self, material: Material, drawn: Drawn, rng: random.Random) -> None:
        self._material, self._drawn, self._rng = material, drawn, rng
        text = "\n".join(json.dumps(obj) for obj in material.objects)
        self._taken = set(re.findall(r"\b10\.\d+\.\d+\.\d+\b", text))
        versions = [int(v) for v in re.findall(r'"resourceVersion": "(\d+)"', text)]
        self._version = max(versions, default=1)
        self._services = sorted({o["metadata"]["name"] for o in material.objects if o["kind"] == "Service"})

    def numbered(self, objects: Iterable[Json]) -> list[Json]:
        """The objects with resource versions after every other's."""
        made = list(objects)
        for obj in made:
            if "resourceVersion" in obj["metadata"]:
                self._version += 1
                obj["metadata"]["resourceVersion"] = str(self._version)
        return made

    def namespace(self, old: str) -> tuple[str, list[Json]]:
        """A new namespace, with what every namespace holds."""
        new = self._drawn.word()
        objects = self._material.objects
        found = [o for o in objects if (o["kind"], o["metadata"]["name"]) == ("Namespace", old)]
        kept = [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")]
        inside = [o for o in objects if o["metadata"].get("namespace") == old]
        found += [o for o in inside if (o["kind"], o["metadata"]["name"]) in kept]
        return new, self.numbered(self._renamed(found, {old: new}, found))

    def copy(self, source: Workload, namespace: str | None) -> Copy:
        """A copy under a new name, in another namespace if one is given."""
        name = source.deployment["metadata"]["name"]
        old_space = source.deployment["metadata"]["namespace"]
        names = {name: f"{self._drawn.word()}-{self._drawn.word()}"}
        if namespace:
            names[old_space] = namespace
        for replicaset in source.replicasets:
            mark = replicaset["metadata"]["name"].removeprefix(f"{name}-")
            names[mark] = self._drawn.hash(len(mark))
        for obj in [*source.pods, *source.around]:
            meta = obj["metadata"]
            if obj["kind"] == "Pod" or "generateName" in meta:
                ending = meta["name"].removeprefix(meta["generateName"])
                made = Renamer(names)(meta["generateName"]) + self._drawn.hash(len(ending))
                names[meta["name"]] = made
        own = [source.deployment, *source.replicasets, *source.pods, *source.around]
        untied = [self._untied(obj, name, bool(namespace)) for obj in own]
        copied = self.numbered(self._renamed(untied, names, own))
        sets, pods = len(source.replicasets), len(source.pods)
        rest = copied[1 + sets :]
        workload = Workload(copied[0], copied[1 : 1 + sets], rest[:pods], rest[pods:])
        return Copy(workload, self._logs(source, Renamer(names)))

    def _renamed(self, objects: list[Json], names: dict[str, str], own: list[Json]) -> list[Json]:
        """Copies under other names; uids, digests and addresses of `own` become new ones."""
        text = "\n".join(json.dumps(obj) for obj in own)
        new: dict[str, str] = {}
        for digest in dict.fromkeys(re.findall(r"\b[0-9a-f]{64}\b", text)):
            new[digest] = f"{self._rng.getrandbits(256):064x}"
        for obj in own:
            if "uid" in obj["metadata"]:
                new[obj["metadata"]["uid"]] = uid(self._rng)
            for address in (
                *((obj.get("status") or {}).get("podIPs") or []),
                *({"ip": ip} for ip in (obj.get("spec") or {}).get("clusterIPs") or []),
            ):
                if address["ip"][0].isdigit():
                    new.setdefault(address["ip"], self._address(address["ip"]))
        rename = Renamer(names, new)
        return [
            mapped(obj, rename, lambda key: key if FIELD.fullmatch(key) else rename(key)) for obj in objects
        ]

    def _address(self, like: str) -> str:
        """A free address in the same range of 256."""
        span = like.rpartition(".")[0]
        free = [n for n in range(2, 255) if f"{span}.{n}" not in self._taken]
        address = f"{span}.{self._rng.choice(free)}"
        self._taken.add(address)
        return address

    def _ties(self, name: str) -> re.Pattern[str]:
        """Finds the name of any service but that one."""
        other = "|".join(re.escape(service) for service in self._services if service != name)
        return re.compile(rf"(?<![\w-])(?:{other or '(?!)'})(?![\w-])")

    def _untied(self, obj: Json, name: str, alone: bool) -> Json:
        """Without the variables that point at another service, and at what another namespace lacks."""
        tie = self._ties(name)
        containers = obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        containers = containers or obj.get("spec", {}).get("containers", [])
        ties = {
            variable["name"]
            for container in containers
            for variable in container.get("env") or []
            if tie.search(str(variable.get("value"))) or (alone and "valueFrom" in variable)
        }
        result: Json = _without(obj, ties, alone)
        return result

    def _logs(self, source: Workload, rename: Renamer) -> dict[str, str]:
        logs: dict[str, str] = {}
        tie = self._ties(source.deployment["metadata"]["name"])
        for pod in source.pods:
            place = f"logs/{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            for container in pod["spec"]["containers"]:
                path = f"{place}/{container['name']}.log"
                lines = log_lines(self._material.logs[path])
                calm = [line for line in lines if not (LOUD.search(line) or tie.search(line))]
                some = [line for line in calm if self._rng.random() < KEPT] or calm or lines[:1]
                logs[rename(path)] = rename("".join(f"{line}\n" for line in some))
        return logs


def _without(value: Any, ties: set[str], alone: bool) -> Any:
    if isinstance(value, list):
        return [_without(inner, ties, alone) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if alone and key in ("envFrom", "f:envFrom"):
            continue
        if key == "env" and isinstance(inner, list):
            inner = [variable for variable in inner if variable["name"] not in ties]
        elif key == "f:env":
            inner = {k: v for k, v in inner.items() if not _tied(k, ties)}
        elif key == APPLIED:
            inner = _applied(inner, ties, alone)
        if key in ("env", "f:env") and inner in ([], {".": {}}):
            continue
        kept[key] = _without(inner, ties, alone)
    return kept


def _applied(text: str, ties: set[str], alone: bool) -> str:
    """What kubectl keeps of what it applied, likewise; as it is where something else wrote into it."""
    try:
        read = json.loads(text)
    except ValueError:
        return text
    return f"{json.dumps(_without(read, ties, alone), separators=(',', ':'))}\n"


def _tied(key: str, ties: set[str]) -> bool:
    return key.startswith("k:") and json.loads(key[2:]).get("name") in ties
