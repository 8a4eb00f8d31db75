"""The world that the transcripts were recorded in: its objects, logs and users, standing still at a given
moment.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.request import Call, User
from opssquad.worlds.kube.apiserver.resources import Resources, builtin
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.world import LogLine

DATA = Path(__file__).parent / "data"
OBJECTS = (
    "shop.jsonl",
    "cluster.jsonl",
    "cluster-rbac.jsonl.gz",
    "other-namespaces.jsonl.gz",
    "metrics.jsonl",
)
CREDENTIAL = "authentication.kubernetes.io/credential-id"
USERS = {
    "admin": User(
        "kubernetes-admin",
        ("system:masters", "system:authenticated"),
        extra={CREDENTIAL: ("X509SHA256=493ba78eb06ac7d1414406b59ad6d1a5f4edd78658ff509a02656104a3313bec",)},
    ),
    "viewer": User(
        "viewer",
        ("system:authenticated",),
        extra={CREDENTIAL: ("X509SHA256=a9abd767516458a2ac455c69e3489dc9612528bd0b998c4f1de3e5bc4500e0b5",)},
    ),
}


def load_json(path: Path) -> Any:
    """A JSON file, gzipped or not."""
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def _lines(path: Path) -> list[Any]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in text.decode().splitlines()]


@cache
def pristine() -> Store:
    """The objects at the start. Copy it, never write to it."""
    store = Store(lambda: datetime.now(UTC))
    for name in OBJECTS:
        for obj in _lines(DATA / "objects" / name):
            resource = builtin().of_kind(obj["apiVersion"], obj["kind"])
            assert resource is not None, f"{obj['apiVersion']} {obj['kind']} is in no discovery document"
            store.load(resource.key, obj)
    return store


class RecordedLogs:
    """The logs of `objects/logs.jsonl`."""

    def __init__(self) -> None:
        self._lines = {
            (e["namespace"], e["pod"], e["container"], e["previous"]): [
                LogLine(line["time"], line["line"]) for line in e["lines"]
            ]
            for e in _lines(DATA / "objects" / "logs.jsonl")
            if e["status"] == 200
        }

    def read(self, namespace: str, pod: str, container: str, previous: bool) -> Sequence[LogLine] | None:
        return self._lines.get((namespace, pod, container, previous))


@cache
def logs() -> RecordedLogs:
    return RecordedLogs()


class StandingStill:
    """A served world in which nothing happens but what requests do."""

    def __init__(self, moment: str = "") -> None:
        self.moment = parse_time(moment or load_json(DATA / "objects" / "world.json")["stands_still_from"])
        self.store = pristine().copy(lambda: self.moment)
        self.resources: Resources = builtin()
        self.logs = logs()
        self.version: Mapping[str, Any] = load_json(DATA / "objects" / "world.json")["server"]

    def advance(self) -> None:
        """Nothing is ever due here."""

    def authenticate(self, authorization: str) -> User | None:
        return USERS.get(authorization.removeprefix("Bearer "))

    def before_write(self, call: Call) -> None:
        """No journal is kept."""
