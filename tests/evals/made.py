"""Perturbed recordings for tests, each made once a process, and what is looked up in them."""

import atexit
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from opssquad import content
from opssquad.evals.perturb import perturbed
from tests.tools.recorded import IDS

RECORDINGS = {id: content.recordings()[id] for id in IDS}
Json = dict[str, Any]
KEPT = {"default", "kube-system", "postgres", "redis", "postgres-0", "redis-0"}
"""Names that stay by rule: Kubernetes' own, and instances that are called as their product."""
FOREIGN = re.compile(r"org\.springframework[\w.]*|profile is active")
"""Words of others that hold a name by chance."""
OWN = ("Deployment", "StatefulSet", "CronJob", "Job", "Service", "Namespace", "Node", "Pod", "ReplicaSet")


@cache
def made(id: str, shift: int | None, noise: int | None) -> Path:
    return perturbed(RECORDINGS[id], _folder(), shift=shift, noise=noise)


@cache
def _folder() -> Path:
    folder = Path(mkdtemp(prefix="perturbed-"))
    atexit.register(shutil.rmtree, folder)
    return folder


def objects(folder: Path) -> list[Json]:
    lines = gzip.decompress((folder / "cluster" / "objects.jsonl.gz").read_bytes()).splitlines()
    return [json.loads(line) for line in lines]


def document(folder: Path, name: str) -> Json:
    read: Json = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return read


def logs(folder: Path) -> dict[str, str]:
    files = sorted((folder / "logs").rglob("*.log"))
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}


def names(folder: Path) -> set[str]:
    """Every name of an application, namespace, image repository, node and pod, and of the cluster."""
    found = {document(folder, "incident")["cluster"]["name"]}
    for obj in objects(folder):
        if obj["kind"] in OWN:
            found.add(obj["metadata"]["name"])
        spec = obj.get("spec") or {}
        for container in (spec.get("template") or {}).get("spec", spec).get("containers") or []:
            if not container["image"].startswith("docker.io/"):
                found |= {
                    container["image"].rpartition(":")[0],
                    container["image"].split("/")[-1].split(":")[0],
                }
    return {name for name in found if name not in KEPT}


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and text of everything in it, the paths of logs among the texts."""
    yield "objects", "\n".join(json.dumps(obj) for obj in objects(folder))
    yield "paths", "\n".join(logs(folder))
    yield from logs(folder).items()
    for name in ("incident", "truth", "world"):
        yield f"{name}.yaml", (folder / f"{name}.yaml").read_text(encoding="utf-8")


def standing(folder: Path, old: set[str]) -> list[tuple[str, str]]:
    """Where a name of old still stands as a word."""
    found = []
    for path, text in texts(folder):
        bare = FOREIGN.sub("", text)
        for name in sorted(old):
            if name in bare and re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", bare):
                found.append((path, name))
    return found
