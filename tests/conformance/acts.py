"""What the engineers of the recorded sequences asked for beside wishes: deletions, evictions, cordons.

Each act is a moment, in seconds after the first command, and the request that kubectl makes for it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from opssquad.worlds.kube.apiserver.request import Call
from tests.conformance.course import Version
from tests.conformance.world import USERS

Json = dict[str, Any]
Act = tuple[float, Call]
SHOP = "/api/v1/namespaces/shop"
PATHS = {
    "pod": f"{SHOP}/pods/",
    "deploy": "/apis/apps/v1/namespaces/shop/deployments/",
    "rs": "/apis/apps/v1/namespaces/shop/replicasets/",
    "hpa": "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/",
}
POLICIES = {"--cascade=foreground": "Foreground", "--cascade=orphan": "Orphan"}
EVICTING = re.compile(r"^evicting pod shop/(\S+)$", re.MULTILINE)
DELAY = 0.05  # seconds from the start of a command to its first request


def acts(commands: Sequence[Json], versions: Sequence[Version]) -> Iterator[Act]:
    """All acts of a sequence."""
    yield from _deletions(commands)
    yield from _evictions(commands, versions)
    yield from _cordons(versions)


def _deletions(commands: Sequence[Json]) -> Iterator[Act]:
    for command in commands:
        words = command["command"].split()
        if "delete" not in words:
            continue
        what, name = words[words.index("delete") + 1 :][:2]
        policy = next((POLICIES[word] for word in words if word in POLICIES), "Background")
        options: Json = {"propagationPolicy": policy}
        if "--force" in words:
            options["gracePeriodSeconds"] = 0
        yield command["t"] + DELAY, _call("DELETE", PATHS[what] + name, options)


def _evictions(commands: Sequence[Json], versions: Sequence[Version]) -> Iterator[Act]:
    """A drain says whom it evicts; when, the versions say, where they show the pod at all."""
    moments = {
        version.object["metadata"]["name"]: version.t
        for version in reversed(versions)
        if version.object["kind"] == "Pod" and version.object["metadata"].get("deletionTimestamp")
    }
    for command in commands:
        for name in EVICTING.findall(command["stdout"]):
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
            moment = moments.get(name, command["t"] + DELAY)
            yield moment, _call("POST", f"{PATHS['pod']}{name}/eviction", body)


def _cordons(versions: Sequence[Version]) -> Iterator[Act]:
    was: dict[str, bool] = {}
    for version in versions:
        if version.object["kind"] != "Node":
            continue
        name, closed = version.object["metadata"]["name"], bool(version.object["spec"].get("unschedulable"))
        if closed != was.get(name, False):
            yield version.t, _call("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": closed}})
        was[name] = closed


def _call(method: str, path: str, body: Json) -> Call:
    kind = "strategic-merge-patch+json" if method == "PATCH" else "json"
    headers = {"content-type": f"application/{kind}"}
    return Call(method, path, USERS["admin"], headers, json.dumps(body).encode())
