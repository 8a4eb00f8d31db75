"""A recording as plain data that can be rewritten: documents, objects, logs by path; reading and writing."""

import gzip
import json
import random
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from opssquad.documents import read_text
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.recording import load, load_truth

DOCUMENTS = ("incident", "truth", "world")
OBJECTS = Path("cluster") / "objects.jsonl.gz"


@dataclass
class Material:
    """Everything that a recording's folder holds; logs by their path below it, as one text each."""

    incident: Json
    truth: Json
    world: Json
    objects: list[Json]
    logs: dict[str, str]
    notes: dict[str, Json] = field(default_factory=dict)
    """Further documents, by name: what a capture noted of itself."""

    @property
    def clock(self) -> datetime:
        """The "now" of the recording."""
        return parse_time(self.incident["clock"])

    def texts(self) -> Iterator[str]:
        """Every text of it, for looking words up."""
        yield from (json.dumps(part) for part in (self.incident, self.truth, self.world, self.notes))
        yield from (json.dumps(obj) for obj in self.objects)
        yield from self.logs.values()


def read(folder: Path) -> Material:
    """The material of a recording. Raises BadFile if it cannot be loaded as one."""
    load(folder)
    load_truth(folder)
    incident, truth, world = (_document(folder / f"{name}.yaml") for name in DOCUMENTS)
    logs = {
        file.relative_to(folder).as_posix(): read_text(file)
        for file in sorted((folder / "logs").rglob("*.log"))
    }
    # As they were written: a recording in memory is fitted to what a server accepts.
    lines = gzip.decompress((folder / OBJECTS).read_bytes()).splitlines()
    objects = [json.loads(line) for line in lines if line.strip()]
    others = sorted(file for file in folder.glob("*.yaml") if file.stem not in DOCUMENTS)
    notes = {file.stem: _document(file) for file in others}
    return Material(incident, truth, world, objects, logs, notes)


def write(material: Material, out: Path) -> Path:
    """Write it below `out`, in a folder of its id's name, which is returned."""
    folder = out / str(material.incident["id"])
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "cluster").mkdir(parents=True)
    own = {name: getattr(material, name) for name in DOCUMENTS}
    for name, document in {**own, **material.notes}.items():
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    lines = "".join(
        f"{json.dumps(obj, separators=(',', ':'), ensure_ascii=False)}\n" for obj in material.objects
    )
    # The time of packing would make two runs differ.
    (folder / OBJECTS).write_bytes(gzip.compress(lines.encode(), mtime=0))
    for path, text in material.logs.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def log_lines(text: str) -> list[str]:
    """The lines of a log. A message may hold what else counts as the end of a line, as U+2028 does."""
    return text.removesuffix("\n").split("\n") if text else []


def mapped(value: Any, change: Callable[[str], str], key: Callable[[str], str] = str) -> Any:
    """A copy with every text changed, and every key of a mapping by `key`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key(name): mapped(inner, change, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [mapped(inner, change, key) for inner in value]
    return value


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
