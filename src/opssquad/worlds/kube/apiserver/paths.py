"""The paths that are neither resources nor discovery: version, health, the list of paths."""

from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.resources import Resources
from opssquad.worlds.kube.apiserver.world import ServedWorld

HEALTH = ("/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/ping", "/readyz/ping")
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def answer(world: ServedWorld, path: str, accept: str) -> Reply | None:
    """What is at a path; None if nothing is."""
    if path.rstrip("/") == "/version":
        return Reply(200, dict(world.version))
    if path in HEALTH:
        return Reply(200, "ok", TEXT)
    if path == "/":
        return Reply(200, {"paths": _paths(world.resources)})
    return None


def _paths(resources: Resources) -> list[str]:
    found = ["/api", "/apis", "/apis/", "/openapi/v3", "/version", *HEALTH]
    for group in resources.groups():
        lead = f"/apis/{group}" if group else "/api"
        found += [lead, *(f"{lead}/{version}" for version in resources.versions(group))]
    return sorted(set(found))
