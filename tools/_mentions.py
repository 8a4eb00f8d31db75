"""Hosts that the arguments of containers and the mounted files of ConfigMaps name: YAML, TOML, JSON,
properties, and the configuration languages of servers, read line by line and without a parser of each.

Pure functions over a pod template and a scene.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from opssquad import Json, Ref

from ._addresses import Address, addresses, endpoints
from ._kube import dig
from .signals._scene import Scene

_WORDS = "host|hostname|addr|address|servers?|upstream|endpoint|url|uri|brokers?|target|backend|bootstrap"
_KEYED = re.compile(
    rf"""(?:^|[\s{{,"'\[-])[\w.-]*?(?:{_WORDS})["']?\s*[:=]\s*["']?"""
    r"""(?P<host>[a-z][a-z0-9.-]*[a-z0-9])["']?\s*(?:[,;}\s#]|$)""",
    re.IGNORECASE,
)
_KEY = re.compile(
    rf"""^(?P<indent>\s*)["']?(?P<stem>[\w.-]{{0,80}}?)(?:{_WORDS}|(?P<port>port))["']?\s*[:=]\s*["']?(?P<n>\d{{0,5}})""",
    re.IGNORECASE,
)
"""A setting's key, without its last word, and how deep it stands: `db.host` and `db.port` go together."""
_FULL = re.compile(r"\b(?P<host>[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*\.svc(?:\.[a-z0-9.-]*[a-z0-9])?)\b")
MOST = 100_000
"""Characters of a file that is read; a longer one is data."""
LONGEST = 400
"""Characters of a line that are looked through: what is longer is data, not a setting."""
_COMMENT = re.compile(r"\s*(?:#|//|;)")
_IMAGE = re.compile(r"\bimage\b", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where configuration stands: `what` says it in words; of a file, the ConfigMap and its key."""

    what: str
    config: Ref | None = None
    key: str = ""


def written(template: Json, namespace: str, scene: Scene) -> Iterator[tuple[Place, str]]:
    """The arguments of a pod template's containers and the files it mounts, as far as they were read."""
    for each in dig(template, "spec", "containers", default=()):
        words = [*(each.get("command") or ()), *(each.get("args") or ())]
        if words:
            yield Place(f"arguments of container {each['name']}"), "\n".join(map(str, words))
    for name in files(template):
        address = Ref(kind="ConfigMap", namespace=namespace, name=name)
        for key, text in dig(scene.get(address), "data", default={}).items():
            if isinstance(text, str) and len(text) <= MOST:
                yield Place(f"{key} of ConfigMap {name}", address, key), text


def files(template: Json) -> Iterator[str]:
    """The ConfigMaps that a template mounts."""
    for each in dig(template, "spec", "volumes", default=()):
        parts = [each, *dig(each, "projected", "sources", default=())]
        yield from (name for part in parts if (name := dig(part, "configMap", "name")))


@lru_cache(maxsize=128)
def mentioned(text: str) -> tuple[Address, ...]:
    """The hosts that a text of configuration names: with a port, in a URL, by a name that ends in `.svc`, or
    as the value of a key such as `host`; there the port may stand in one of the next two lines."""
    return tuple(dict.fromkeys(_mentioned(text.splitlines())))


def _mentioned(lines: list[str]) -> Iterator[Address]:
    for number, whole in enumerate(lines):
        line = whole[:LONGEST]
        if _COMMENT.match(line) or _IMAGE.search(line):
            continue
        found = [*endpoints(line), *(each for each in addresses(line) if "://" in line)]
        known = {each.host for each in found}
        bare = [*_KEYED.finditer(line), *_FULL.finditer(line)]
        port = _port_below(line, [each[:LONGEST] for each in lines[number + 1 : number + 3]])
        yield from found
        yield from (Address(each["host"].lower(), port) for each in bare if each["host"].lower() not in known)


def _port_below(line: str, below: list[str]) -> int:
    """The port that goes with the host of a line: its key has the same stem and stands as deep."""
    host = _KEY.match(line)
    if host is None:
        return 0
    pairs = (found for each in below if (found := _KEY.match(each)) and found["port"] and found["n"])
    mine = (host["indent"], host["stem"])
    return next((int(each["n"]) for each in pairs if (each["indent"], each["stem"]) == mine), 0)
