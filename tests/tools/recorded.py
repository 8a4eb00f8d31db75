"""Objects and logs of the recordings and of the conformance data, as the tests of the tools read them."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml

from opssquad import Json, parse_time

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "evals" / "recordings"
MADE = {path.stem for path in (ROOT / "evals" / "scenarios").glob("*/*.yaml")}
IDS = sorted(path.parent.name for path in RECORDINGS.glob("*/cluster") if path.parent.name not in MADE)
"""Recordings of a real control plane; those that are made from scenarios are scored in suites."""


@cache
def objects(recording: str) -> tuple[Json, ...]:
    """Every object of a recording; events in the core form only."""
    path = RECORDINGS / recording / "cluster" / "objects.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    return tuple(each for each in read if each["apiVersion"] != "events.k8s.io/v1")


@cache
def conformance() -> tuple[Json, ...]:
    """The objects of the namespace `shop` of the conformance data, and its cluster-scoped ones."""
    folder = ROOT / "tests" / "conformance" / "data" / "objects"
    return tuple(
        json.loads(line)
        for name in ("shop.jsonl", "cluster.jsonl")
        for line in (folder / name).read_text(encoding="utf-8").splitlines()
    )


def of_kind(recording: str, kind: str) -> Iterator[Json]:
    """The objects of one kind."""
    return (each for each in objects(recording) if each["kind"] == kind)


def one(recording: str, kind: str, name: str) -> Json:
    """The object of that kind and name."""
    return next(each for each in of_kind(recording, kind) if each["metadata"]["name"] == name)


@cache
def clock(recording: str) -> datetime:
    """The moment of the recording."""
    return parse_time(_yaml(recording, "incident")["clock"])


@cache
def truth(recording: str) -> Json:
    """What was really wrong."""
    return _yaml(recording, "truth")


def _yaml(recording: str, name: str) -> Json:
    value: Json = yaml.safe_load((RECORDINGS / recording / f"{name}.yaml").read_text(encoding="utf-8"))
    return value


def log(recording: str, path: str) -> str:
    """A log below the recording's folder: `logs/ns/pod/container.log`."""
    return (RECORDINGS / recording / path).read_text(encoding="utf-8")
