"""What a change can be set back to, as arguments of the tools that do it; pure.

Only where exactly one thing of a kind changed and its former value is known: of several nobody knows which
one it was, and a rollback is the better way then. Nothing that may be a secret is ever in it.
"""

from collections.abc import Iterator
from typing import Any

from opssquad import Json

from ._edits import drift
from ._fields import secret_name, tells
from ._kube import dig
from ._needs import containers
from ._quantity import parse

PROBES = {"liveness": "livenessProbe", "readiness": "readinessProbe", "startup": "startupProbe"}
TIMES = {
    "delay": "initialDelaySeconds",
    "period": "periodSeconds",
    "timeout": "timeoutSeconds",
    "failures": "failureThreshold",
}
ASKED = ("httpGet", "tcpSocket", "grpc")


def of_template(before: Json, after: Json) -> Json:
    """Of a rollout: `resources` (container, limits, requests), `probe` (which, container, and what changed of
    it) and `env` (container, set: `NAME=VALUE`)."""
    old = {each["name"]: each for _, each in containers(before)}
    pairs = [(old[each["name"]], each) for _, each in containers(after) if each["name"] in old]
    found = {
        "resources": [r for pair in pairs if (r := _resources(*pair))],
        "probe": [probe for pair in pairs for probe in _probes(*pair)],
        "env": [variable for pair in pairs for variable in _env(*pair)],
    }
    return {key: known[0] for key, known in found.items() if len(known) == 1 and known[0]}


def _resources(before: Json, after: Json) -> Json:
    """`limits: memory=512Mi`, or `memory-` where there was none."""
    found: Json = {}
    for side in ("limits", "requests"):
        was, now = (dig(each, "resources", side, default={}) for each in (before, after))
        changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        if changed:
            found[side] = ",".join(f"{n}={was[n]}" if n in was else f"{n}-" for n in changed)
    return {"container": after["name"], **found} if found else {}


def _probes(before: Json, after: Json) -> Iterator[Json]:
    """The probes that changed; empty for one that came, went or asks in another way: no values undo that."""
    for which, field in PROBES.items():
        was, now = before.get(field) or {}, after.get(field) or {}
        if was == now:
            continue
        handler = next((each for each in ASKED if each in was and each in now), "")
        places = {key: dig(was, handler, key) for key in ("path", "port", "scheme")} if handler else {}
        times = {key: was.get(name) for key, name in TIMES.items() if was.get(name) != now.get(name)}
        moved = {key: value for key, value in places.items() if value != dig(now, handler, key)} | times
        known = bool(moved) and None not in moved.values()
        yield {"which": which, "container": after["name"], **moved} if known else {}


def _env(before: Json, after: Json) -> Iterator[Json]:
    """The variables that changed; empty for one whose former value is not plain text that may be told."""
    was, now = ({each["name"]: each for each in c.get("env") or ()} for c in (before, after))
    for name in {**was, **now}:
        if was.get(name) == now.get(name):
            continue
        value = was.get(name, {}).get("value")
        plain = isinstance(value, str) and not secret_name(name) and not tells(value)
        yield {"container": after["name"], "name": name, "set": f"{name}={value}"} if plain else {}


def of_object(obj: Json) -> Json:
    """Of an object that differs from what `kubectl apply` last wrote: of a ConfigMap `key` and `value`, of a
    Service `selector`, or `port` and `target_port`, of a quota `hard` as far as it was more."""
    moved = drift(obj)
    match obj["kind"]:
        case "ConfigMap":
            return _key(obj, [(each.path, each.before) for each in moved])
        case "Service":
            return _service(obj, [(each.path, each.before) for each in moved])
        case "ResourceQuota":
            hard = dig(obj, "spec", "hard", default={})
            was = {n: str(c.before) for c in moved if (n := _below("spec.hard", c.path)) in hard}
            was = {name: value for name, value in was.items() if parse(value) > parse(hard[name])}
            return {"hard": ",".join(f"{name}={value}" for name, value in was.items())} if was else {}
    return {}


def _below(top: str, path: str) -> str:
    """The one key of a path below another: `limits.memory` of `spec.hard[limits.memory]`."""
    rest = path.removeprefix(top)
    return rest[1:].removesuffix("]") if rest != path and rest[:1] in (".", "[") else ""


def _key(obj: Json, moved: list[tuple[str, Any]]) -> Json:
    known = [(key, was) for path, was in moved if (key := _below("data", path))]
    if len(known) != 1:
        return {}
    key, was = known[0]
    told = isinstance(was, str) and not secret_name(key) and not tells(was)
    return {"key": key, "value": was} if told and key not in (obj.get("binaryData") or {}) else {}


def _service(obj: Json, moved: list[tuple[str, Any]]) -> Json:
    found: Json = {}
    selector = {key: was for path, was in moved if (key := _below("spec.selector", path))}
    if selector:
        whole = {**dig(obj, "spec", "selector", default={}), **selector}
        found["selector"] = ",".join(f"{key}={value}" for key, value in whole.items())
    ports = [(path, was) for path, was in moved if path.startswith("spec.ports[")]
    if len(ports) == 1 and ports[0][0].endswith("].targetPort"):
        label = ports[0][0].removeprefix("spec.ports[").removesuffix("].targetPort")
        named = [
            each
            for each in dig(obj, "spec", "ports", default=())
            if label in (str(each.get("name")), str(each.get("port")))
        ]
        if len(named) == 1:
            found |= {"port": named[0]["port"], "target_port": ports[0][1]}
    return found
