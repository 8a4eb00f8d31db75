"""A recording as plain data that can be rewritten: documents, objects, logs by path; reading and writing."""

import gzip
import json
import random
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from opssquad.documents import read_text, yaml_text
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.recording import load, load_truth
from opssquad.worlds.kube.recording.files import packed
from opssquad.worlds.net.recorded import CERTIFICATES, PROBES, TOLD, ZONES
from opssquad.worlds.sql.material import LOG, PLANS, ROWS

DOCUMENTS = ("incident", "truth", "world")
FIELD = re.compile(r"(?:f:)?[A-Za-z]+|(?:.*[./])?(?:kubernetes|k8s)\.io/.*")
"""Keys that belong to Kubernetes or to the shape of a document, not to an organisation."""
OBJECTS = "cluster/objects.jsonl.gz"


@dataclass
class Material:
    """Everything that a recording's folder holds; logs by their path below it, as one text each.

    Of a database alone there are no objects and no `world`; without one there are no `rows` and `plans`.
    """

    incident: Json
    truth: Json
    world: Json
    objects: list[Json]
    logs: dict[str, str]
    notes: dict[str, Json] = field(default_factory=dict)
    """Further documents, by name: what a capture noted of itself."""
    rows: list[Json] = field(default_factory=list)
    """The lines of a database's looks, as files keep them."""
    plans: list[Json] = field(default_factory=list)
    network: Json = field(default_factory=dict)
    """`network.yaml`; its zones are texts among the logs."""
    probes: list[Json] = field(default_factory=list)
    chains: dict[str, str] = field(default_factory=dict)
    """Certificates of the network in PEM, by path."""

    @property
    def clock(self) -> datetime:
        """The "now" of the recording."""
        return parse_time(self.incident["clock"])

    def texts(self) -> Iterator[str]:
        """Every text of it, for looking words up."""
        parts = (self.incident, self.truth, self.world, self.notes, self.network)
        yield from (json.dumps(part) for part in parts)
        for many in (self.objects, self.rows, self.plans, self.probes):
            yield from (json.dumps(each) for each in many)
        yield from self.logs.values()


def read(folder: Path) -> Material:
    """The material of a recording. Raises BadFile if it cannot be loaded as one."""
    load(folder)
    load_truth(folder)
    has_cluster = (folder / OBJECTS).exists()
    named = [name for name in DOCUMENTS if has_cluster or name != "world"]
    documents = {name: _document(folder / f"{name}.yaml") for name in named}
    zones = sorted(folder.glob(f"{ZONES}/*"))
    files = [*sorted((folder / "logs").rglob("*.log")), *folder.glob(LOG), *zones]
    logs = {file.relative_to(folder).as_posix(): read_text(file) for file in files}
    others = sorted(file for file in folder.glob("*.yaml") if file.stem not in DOCUMENTS)
    return Material(
        documents["incident"],
        documents["truth"],
        documents.get("world", {}),
        # As they were written: a recording in memory is fitted to what a server accepts.
        _packed_lines(folder / OBJECTS),
        logs,
        {file.stem: _document(file) for file in others},
        _packed_lines(folder / ROWS),
        _text_lines(folder / PLANS),
        _document(folder / TOLD) if (folder / TOLD).exists() else {},
        _text_lines(folder / PROBES),
        {
            file.relative_to(folder).as_posix(): read_text(file)
            for file in sorted(folder.glob(f"{CERTIFICATES}/*"))
        },
    )


def _text_lines(file: Path) -> list[Json]:
    return _lines(file.read_bytes()) if file.exists() else []


def _packed_lines(file: Path) -> list[Json]:
    return _lines(gzip.decompress(file.read_bytes())) if file.exists() else []


def _lines(text: bytes) -> list[Json]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def write(material: Material, out: Path) -> Path:
    """Write it below `out`, in a folder of its id's name, which is returned."""
    folder = out / str(material.incident["id"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    own = {name: getattr(material, name) for name in DOCUMENTS}
    for name, document in {**own, **material.notes}.items():
        if document:
            (folder / f"{name}.yaml").write_text(yaml_text(document), encoding="utf-8")
    files = {path: text.encode() for path, text in material.logs.items()}
    files |= {
        name: packed(made) for name, made in ((OBJECTS, material.objects), (ROWS, material.rows)) if made
    }
    files |= {path: text.encode() for path, text in material.chains.items()}
    if material.network:
        files[TOLD] = yaml_text(material.network).encode()
    for name, lines in ((PLANS, material.plans), (PROBES, material.probes)):
        if lines:
            files[name] = "".join(f"{json.dumps(each)}\n" for each in lines).encode()
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def mapped(value: Any, change: Callable[[str], str], key: Callable[[str], str] = str) -> Any:
    """A copy with every text changed, and every key of a mapping by `key`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key(name): mapped(inner, change, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [mapped(inner, change, key) for inner in value]
    return value


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """A copy with every text changed, and every key that somebody chose: not those of Kubernetes."""
    return mapped(value, change, lambda key: key if FIELD.fullmatch(key) else change(key))


def _document(file: Path) -> Json:
    data: Json = yaml.safe_load(read_text(file))
    return {name: _plain(value) for name, value in data.items()}


def _plain(value: Any) -> Any:
    """YAML reads an unquoted stamp as a time; here it is text like every other."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def uid(rng: random.Random) -> str:
    """A new uid."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
