"""Probes that fail: which, where they ask, what they got, whether it is cause, consequence, history."""

import re
from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Severity, Signal, ago

from .._kube import dig, event_count, event_source, event_text, first_seen, last_seen, ref, times
from .._pods import Container, containers, is_finished, is_terminating
from ._scene import Scene, event_quotes, make
from .containers import is_looping, probe_kills

SAID = re.compile(
    r"^Unhealthy: (?P<which>Readiness|Liveness|Startup) probe (?:failed|errored)[^:]*: ?(?P<detail>.*)"
)
TIMED_OUT = re.compile(r"deadline exceeded|timed? ?out", re.IGNORECASE)
CONTAINER = re.compile(r"\{(.+)\}")
FIELDS = {"Readiness": "readinessProbe", "Liveness": "livenessProbe", "Startup": "startupProbe"}


def probe_signals(pod: Json, scene: Scene) -> Iterator[Signal]:
    """One signal for each probe of each container that the kubelet reported as failing."""
    if is_finished(pod) or is_terminating(pod):
        return
    grouped: dict[tuple[str, str], list[Json]] = {}
    for event in scene.about(ref(pod), "Unhealthy"):
        if match := SAID.match(event_text(event)):
            grouped.setdefault((match["which"], _container_of(event, pod)), []).append(event)
    states = {each.name: each for each in containers(pod)}
    for (which, container), events in grouped.items():
        if state := states.get(container):
            yield _signal(pod, which, state, events, scene)


def _container_of(event: Json, pod: Json) -> str:
    match = CONTAINER.search(dig(event, "involvedObject", "fieldPath", default=""))
    return match.group(1) if match else str(dig(pod, "spec", "containers", 0, "name", default=""))


def _signal(pod: Json, which: str, state: Container, events: list[Json], scene: Scene) -> Signal:
    newest, owner = events[0], scene.owner(pod)
    match = SAID.match(event_text(newest))
    detail = match["detail"] if match else ""
    spec = _spec(pod, state.name)
    probe = spec.get(FIELDS[which], {})
    kills = probe_kills(pod, state.name, scene) if which != "Readiness" else []
    role = _role(state, last_seen(newest), kills, scene)
    count = sum(event_count(each) for each in events)
    late = bool(TIMED_OUT.search(event_text(newest)))
    severity: Severity = "critical" if role == "active" and not state.ready else "warning"
    return make(
        f"probe.{which.lower()}_failed",
        pod,
        owner,
        f"{pod['metadata']['name']}: {which.lower()} probe of container {state.name} ({where(probe)}) failed "
        f"{times(count)}, the last {ago(last_seen(newest), scene.now)}: {_short(detail)}"
        + _tail(role, kills),
        (
            event_source(newest),
            *event_quotes(kills),
            *scene.template(owner, state.name, FIELDS[which], *_target(probe)),
        ),
        severity="info" if role != "active" else severity,
        at=min(first_seen(each) for each in events),
        until=last_seen(newest) if role == "stale" else None,
        data={
            "container": state.name,
            "which": which.lower(),
            "port": _field(probe, "port"),
            "path": _field(probe, "path"),
            "detail": detail,
            "count": count,
            "role": role,
            "kills": sum(event_count(each) for each in kills),
            "timed_out": late,
            **({"slow": str(owner)} if late else {}),
            **_compare(spec, probe, FIELDS[which]),
        },
    )


def _role(state: Container, last: datetime, kills: list[Json], scene: Scene) -> str:
    """`active`; `consequence` of a container that is down by itself; `stale` where it is fine now."""
    if kills and not state.ready:
        return "active"
    if is_looping(state, scene) or state.waiting:
        return "consequence"
    if state.ready and not scene.is_recent(last):
        return "stale"
    return "active"


def _tail(role: str, kills: list[Json]) -> str:
    if role == "consequence":
        return " (the container itself is down: a consequence)"
    if role == "stale":
        return " (over: the container is ready)"
    count = sum(event_count(each) for each in kills)
    return f"; the kubelet killed the container {times(count)} for it" if count else ""


def _short(detail: str) -> str:
    """The tail of a probe's message tells most: `dial tcp 10.0.0.1:8081: connect: connection refused`."""
    plain = re.sub(r'^Get "[^"]+": ', "", detail)
    return plain if len(plain) < 120 else f"{plain[:117]}..."


def _spec(pod: Json, container: str) -> Json:
    for field in ("containers", "initContainers"):
        for each in dig(pod, "spec", field, default=()):
            if each["name"] == container:
                return dict(each)
    return {}


def _field(probe: Json, field: str) -> str | int | None:
    for kind in ("httpGet", "tcpSocket", "grpc"):
        if kind in probe:
            value: str | int | None = probe[kind].get(field)
            return value
    return None


def _target(probe: Json) -> tuple[str, ...]:
    return next(((kind,) for kind in ("httpGet", "tcpSocket", "grpc", "exec") if kind in probe), ())


def where(probe: Json) -> str:
    """Where a probe asks, in short: `GET :8080/health`, `tcp :5432`, `exec pg_isready`."""
    if "httpGet" in probe:
        return f"GET :{probe['httpGet'].get('port')}{probe['httpGet'].get('path') or '/'}"
    if "tcpSocket" in probe:
        return f"tcp :{probe['tcpSocket'].get('port')}"
    if "grpc" in probe:
        return f"grpc :{probe['grpc'].get('port')}"
    if not probe:
        return "not in its spec"
    return "exec " + " ".join(dig(probe, "exec", "command", default=["?"]))[:60]


def _compare(spec: Json, probe: Json, field: str) -> Json:
    """What the container declares and its other probes ask: tells a wrong port or path from a sick app."""
    others = {name: spec[name] for name in FIELDS.values() if name in spec and name != field}
    ports = [each.get("containerPort") for each in spec.get("ports") or ()]
    names = [each.get("name") for each in spec.get("ports") or ()]
    port = _field(probe, "port")
    return {
        "declared_ports": ports,
        "port_declared": port is None or not ports or port in ports or port in names,
        "other_probes": {name: where(other) for name, other in others.items()},
    }
