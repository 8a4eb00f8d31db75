"""Another path, port or timing for a probe of a container, with its card, its undo and its check."""

from typing import Annotated, Literal

from opssquad import Cluster, Json, Preview, Ref, Result, ToolError, Undo, tool

from ._back import back
from ._change import (
    Card,
    Kind,
    address,
    check,
    container_of,
    container_patch,
    done,
    line,
    observe,
    preview,
    rolls,
    standing,
    target,
)
from ._kube import compact, dig
from .signals.probes import where as asked

Probe = Literal["liveness", "readiness", "startup"]
Port = Annotated[int | str, "number or name; empty = as it is"]
Seconds = Annotated[int, "-1 = as it is"]
TIMES = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")


@tool(effect="mutate")
async def set_probe(
    cluster: Cluster,
    name: str,
    namespace: str,
    probe: Probe,
    path: str = "",
    port: Port = "",
    scheme: Literal["", "HTTP", "HTTPS"] = "",
    delay: Seconds = -1,
    period: Seconds = -1,
    timeout: Seconds = -1,
    failures: Seconds = -1,
    container: str = "",
    kind: Kind = "Deployment",
) -> Result:
    """Set where a probe asks, when (delay, period, timeout), and how often it may fail (failures)."""
    where = address(cluster, kind, name, namespace)
    workload = await cluster.get(where.kind, where.name, where.namespace)
    key, each = container_of(workload, container)
    times = _times(delay, period, timeout, failures)
    fields = _fields(each, probe, {"path": path, "port": port, "scheme": scheme}, times)
    body = container_patch(key, each["name"], {f"{probe}Probe": fields})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    text = f"{name} container {each['name']}: {probe} probe {_words(each, probe, fields)}"
    return done(after, where, text, _line(where, body))


def _times(*given: int) -> Json:
    """Those of the times that were given, as the API calls them."""
    return {field: value for field, value in zip(TIMES, given, strict=True) if value >= 0}


def _fields(container: Json, probe: str, place: Json, times: Json) -> Json:
    """What of the probe has to differ. Raises ToolError where nothing does or it asks in another way."""
    has = container.get(f"{probe}Probe") or {}
    handler = next((each for each in HANDLERS if each in has), "")
    given = {key: _port(value) if key == "port" else value for key, value in place.items() if value != ""}
    if given and not handler:
        handler = _new(container, probe, given)
    takes = {"httpGet": {"path", "port", "scheme"}, "tcpSocket": {"port"}, "grpc": {"port"}}
    if wrong := sorted(set(given) - takes.get(handler, set())):
        raise ToolError(
            f"the {probe} probe of {container['name']} is a {handler}: it has no {', '.join(wrong)}"
        )
    if times and not handler:
        raise ToolError(f"container {container['name']} has no {probe} probe to set times of")
    changed = {key: value for key, value in given.items() if dig(has, handler, key) != value}
    fields: Json = {key: value for key, value in times.items() if has.get(key) != value}
    if changed:
        fields[handler] = changed
    if not fields:
        raise ToolError(f"the {probe} probe of {container['name']} is so already: nothing to do")
    return fields


def _new(container: Json, probe: str, given: Json) -> str:
    """How a probe that is not there yet asks."""
    if "port" not in given:
        raise ToolError(f"container {container['name']} has no {probe} probe; to make one, give its port too")
    return "httpGet" if "path" in given else "tcpSocket"


def _port(value: int | str) -> int | str:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _after(container: Json, probe: str, fields: Json) -> Json:
    has = container.get(f"{probe}Probe") or {}
    return {
        **has,
        **{key: {**has.get(key, {}), **v} if isinstance(v, dict) else v for key, v in fields.items()},
    }


def _words(container: Json, probe: str, fields: Json) -> str:
    """`GET :8080/health -> GET :8080/healthz, timeoutSeconds 1 -> 5`."""
    has = container.get(f"{probe}Probe") or {}
    before, after = asked(has), asked(_after(container, probe, fields))
    words = [f"{before} -> {after}"] if before != after else [before]
    return ", ".join(
        [*words, *(f"{k} {has.get(k, '(default)')} -> {v}" for k, v in fields.items() if k not in HANDLERS)]
    )


def _line(where: Ref, body: Json) -> str:
    return line(where, "patch", target(where), "-p", compact(body))


@set_probe.preview
async def _preview(
    cluster: Cluster,
    name: str,
    namespace: str,
    probe: Probe,
    path: str,
    port: int | str,
    scheme: str,
    delay: int,
    period: int,
    timeout: int,
    failures: int,
    container: str,
    kind: str,
) -> Preview:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    key, each = container_of(state.workload, container)
    times = _times(delay, period, timeout, failures)
    fields = _fields(each, probe, {"path": path, "port": port, "scheme": scheme}, times)
    body = container_patch(key, each["name"], {f"{probe}Probe": fields})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic", dry_run=True)
    words = f"{_words(each, probe, fields)}{_declared(each, fields)}; {rolls(state)}"
    rule = "pods that answer otherwise get no traffic" if probe == "readiness" else "a wrong one kills pods"
    return preview(state, after, Card(_line(where, body), words, "medium", rule))


def _declared(container: Json, fields: Json) -> str:
    """A word about a port that the container does not declare; whether something answers is not asked."""
    port = next((fields[each]["port"] for each in HANDLERS if "port" in fields.get(each, {})), None)
    ports = container.get("ports") or ()
    known = {each.get("containerPort") for each in ports} | {each.get("name") for each in ports}
    if port is None or port in known:
        return ""
    return f"; the container does not declare port {port}"


@set_probe.undo
async def _undo(cluster: Cluster, name: str, namespace: str, kind: str) -> Undo:
    where = address(cluster, kind, name, namespace)
    return await back(cluster, where, await standing(cluster, where))


set_probe.observe(observe)
set_probe.verify(check)
