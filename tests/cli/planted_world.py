"""A recording with the planted corpus in it: in logs, events, environment, arguments, annotations, ConfigMaps
and Secrets, at places that follow from the carriers' numbers.
"""

import gzip
import json
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.gate.planting import Planted, planted

RECORDING = Path(__file__).resolve().parents[2] / "evals" / "recordings" / "auth-0308"
SPACE = "authentication"
CARRIER = "user-directory"
"""The Deployment whose template and annotations carry what is planted in objects."""
PODS = (
    "api-gateway-5c574b4dcf-dcxns",
    "api-gateway-5c574b4dcf-wvqk5",
    "audit-worker-574d479d9c-85vx9",
    "login-ui-78cd8d89b7-7kxv7",
    "login-ui-78cd8d89b7-mhvnc",
    "session-store-0",
    "token-service-765ffb479-4qn55",
    "token-service-765ffb479-9569t",
    "user-directory-6b74d7dd8b-nngdp",
    "user-directory-6b74d7dd8b-wk6ms",
)
PLACES = frozenset({"log", "event", "env", "args", "annotation", "configmap", "secret"})
"""Where carriers stand in a cluster; those of other places are forms that a program prints them in."""
MAPS = 4
"""Carriers in one ConfigMap."""
AT = "2026-03-08T14:36:"

Json = dict[str, Any]


def of(place: str) -> list[Planted]:
    return [each for each in planted() if each.place == place]


def config_maps() -> list[str]:
    """The names of the ConfigMaps that were planted."""
    return [f"planted-{n}" for n in range(-(-len(of("configmap")) // MAPS))]


def plant(folder: Path) -> Path:
    """A copy of the recording with everything planted."""
    shutil.copytree(RECORDING, folder)
    _logs(folder / "logs" / SPACE)
    store = folder / "cluster" / "objects.jsonl.gz"
    with gzip.open(store, "rt", encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    for each in objects:
        _enrich(each)
    pod = next(each for each in objects if each["metadata"]["name"] == PODS[0])
    with gzip.open(store, "wt", encoding="utf-8") as file:
        for each in [*objects, *_events(pod), *_maps(), _secret()]:
            file.write(json.dumps(each) + "\n")
    return folder


def _logs(folder: Path) -> None:
    carriers = of("log")
    for number, pod in enumerate(PODS):
        (file,) = (folder / pod).glob("*.log")
        mine = carriers[number :: len(PODS)]
        lines = [line for each in mine for line in each.text.splitlines()]
        stamped = [f"{AT}59.99{n:07}Z {line}\n" for n, line in enumerate(lines)]
        with file.open("a", encoding="utf-8") as log:
            log.writelines(stamped)


def _enrich(obj: Json) -> None:
    meta = obj["metadata"]
    if meta.get("namespace") != SPACE or not meta["name"].startswith(CARRIER):
        return
    if obj["kind"] == "Deployment":
        notes = dict(each.pair for each in of("annotation"))
        meta.setdefault("annotations", {}).update(notes)
    spec = obj["spec"] if obj["kind"] == "Pod" else obj.get("spec", {}).get("template", {}).get("spec")
    # Only what runs now: the revision before shows the planted values as added.
    if spec and "containers" in spec and (obj["kind"] == "Deployment" or "6b74d7dd8b" in meta["name"]):
        container = spec["containers"][0]
        container.setdefault("env", []).extend(
            {"name": name, "value": value} for name, value in (each.pair for each in of("env"))
        )
        container["args"] = [word for each in of("args") for word in _words(each.text)]


def _words(text: str) -> list[str]:
    return [text] if not text.startswith("--") else text.split(" ", 1) if "=" not in text else [text]


def _events(pod: Json) -> list[Json]:
    meta = pod["metadata"]
    about = {"kind": "Pod", "apiVersion": "v1", "uid": meta["uid"], "name": meta["name"], "namespace": SPACE}
    return [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name']}.{each.number:016x}",
                "namespace": SPACE,
                "uid": f"00000000-0000-4000-8000-{each.number:012}",
                "resourceVersion": str(56362000 + each.number),
                "creationTimestamp": f"{AT}{n:02}Z",
            },
            "involvedObject": about,
            "reason": "FailedSync",
            "type": "Warning",
            "message": each.text,
            "count": 3,
            "firstTimestamp": f"{AT}{n:02}Z",
            "lastTimestamp": f"{AT}{n:02}Z",
            "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        }
        for n, each in enumerate(of("event"))
    ]


def _object(kind: str, name: str, number: int, data: Json) -> Json:
    meta = {
        "name": name,
        "namespace": SPACE,
        "uid": f"00000000-0000-4000-9000-{number:012}",
        "resourceVersion": str(56361000 + number),
        "creationTimestamp": "2026-03-01T09:00:00Z",
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": data}


def _maps() -> list[Json]:
    carriers = of("configmap")
    groups = [carriers[n : n + MAPS] for n in range(0, len(carriers), MAPS)]
    return [
        _object("ConfigMap", name, n, dict(each.pair for each in group))
        for n, (name, group) in enumerate(zip(config_maps(), groups, strict=True))
    ]


def _secret() -> Json:
    pairs = [each.pair for each in of("secret")]
    data = {name: b64encode(value.encode()).decode() for name, value in pairs}
    return {**_object("Secret", "planted", 900, data), "type": "Opaque"}
