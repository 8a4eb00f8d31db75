"""The paths that are neither resources nor discovery: version, health, the list of paths."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.resources import Resources
from opssquad.worlds.kube.apiserver.world import ServedWorld

HEALTH = ("/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/ping", "/readyz/ping")
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def answer(world: ServedWorld, path: str, query: Mapping[str, str]) -> Reply | None:
    """What is at a path; None if nothing is."""
    if path.rstrip("/") == "/version":
        return Reply(200, dict(world.version))
    if path in HEALTH:
        return Reply(200, _verbose(path) if "verbose" in query else "ok", TEXT)
    if path == "/":
        return Reply(200, {"paths": _paths(world.resources)})
    return None


def _verbose(path: str) -> str:
    checks = "".join(f"[+]{check} ok\n" for check in _checks()[path.strip("/").split("/")[0]])
    return f"{checks}{path.strip('/')} check passed\n"


@cache
def _checks() -> Json:
    """The checks that the server makes of itself, by path."""
    loaded: Json = json.loads((files(__package__) / "data" / "checks.json").read_text(encoding="utf-8"))
    return loaded


def _paths(resources: Resources) -> list[str]:
    found = ["/api", "/apis", "/apis/", "/openapi/v3", "/version", *HEALTH]
    for group in resources.groups():
        lead = f"/apis/{group}" if group else "/api"
        found += [lead, *(f"{lead}/{version}" for version in resources.versions(group))]
    return sorted(set(found))
