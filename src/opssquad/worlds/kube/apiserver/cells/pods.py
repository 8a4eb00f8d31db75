"""The row of a Pod: readiness, the one-word status that sums up its containers, restarts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.ages import age, since

NONE = "<none>"
FINISHED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


@dataclass
class _Tally:
    """What is counted over container statuses."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""
    sidecar_restarts: int = 0
    sidecar_last: str = ""
    initializing: bool = False
    sidecars: set[str] = field(default_factory=set)

    def count(self, status: Json) -> None:
        """Take in restarts, and when the latest instance ended."""
        self.restarts += status.get("restartCount", 0)
        self.last_restart = _later(self.last_restart, _last_end(status))


def pod(obj: Json, now: datetime) -> list[Any]:
    """Name, Ready, Status, Restarts, Age; wide: IP, Node, Nominated Node, Readiness Gates."""
    spec, status = obj["spec"], obj.get("status", {})
    sidecars = {c["name"] for c in spec.get("initContainers", []) if c.get("restartPolicy") == "Always"}
    tally = _Tally(_pod_reason(status), sidecars=sidecars)
    _read_init_containers(tally, spec, status)
    if not tally.initializing or _condition(status, "Initialized") == "True":
        _read_containers(tally, status)
    restarts = str(tally.restarts)
    if tally.restarts and tally.last_restart:
        restarts += f" ({since(tally.last_restart, now)} ago)"
    return [
        obj["metadata"]["name"],
        f"{tally.ready}/{len(spec.get('containers') or []) + len(sidecars)}",
        _deleted_reason(obj, status) or tally.reason,
        restarts,
        age(obj, now),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(spec, status),
    ]


def conditions(obj: Json) -> list[Json]:
    """The conditions of the row itself: a finished pod says so."""
    phase = obj.get("status", {}).get("phase", "")
    if phase not in FINISHED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": FINISHED[phase]}]


def _pod_reason(status: Json) -> str:
    gated = any(
        c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in _conditions(status)
    )
    return "SchedulingGated" if gated else status.get("reason") or status.get("phase", "")


def _read_init_containers(tally: _Tally, spec: Json, status: Json) -> None:
    for index, container in enumerate(status.get("initContainerStatuses") or []):
        sidecar = container["name"] in tally.sidecars
        tally.count(container)
        if sidecar:
            tally.sidecar_restarts += container.get("restartCount", 0)
            tally.sidecar_last = _later(tally.sidecar_last, _last_end(container))
        ended = container.get("state", {}).get("terminated")
        if ended and ended.get("exitCode", 0) == 0:
            continue
        if sidecar and container.get("started"):
            tally.ready += bool(container.get("ready"))
            continue
        tally.reason = "Init:" + _init_reason(container, index, len(spec["initContainers"]))
        tally.initializing = True
        return


def _init_reason(container: Json, index: int, total: int) -> str:
    state = container.get("state", {})
    if ended := state.get("terminated"):
        return _ended_reason(ended)
    waiting = state.get("waiting", {}).get("reason", "")
    return waiting if waiting and waiting != "PodInitializing" else f"{index}/{total}"


def _read_containers(tally: _Tally, status: Json) -> None:
    tally.restarts, tally.last_restart = tally.sidecar_restarts, tally.sidecar_last
    running = False
    for container in reversed(status.get("containerStatuses") or []):
        tally.count(container)
        state = container.get("state", {})
        if waiting := state.get("waiting", {}).get("reason"):
            tally.reason = waiting
        elif ended := state.get("terminated"):
            tally.reason = _ended_reason(ended)
        elif container.get("ready") and "running" in state:
            running = True
            tally.ready += 1
    if tally.reason == "Completed" and running:
        tally.reason = "Running" if _condition(status, "Ready") == "True" else "NotReady"


def _ended_reason(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _deleted_reason(obj: Json, status: Json) -> str:
    if "deletionTimestamp" not in obj["metadata"]:
        return ""
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return "" if status.get("phase") in FINISHED else "Terminating"


def _readiness_gates(spec: Json, status: Json) -> str:
    gates = spec.get("readinessGates") or []
    if not gates:
        return NONE
    return f"{sum(_condition(status, g['conditionType']) == 'True' for g in gates)}/{len(gates)}"


def _conditions(status: Json) -> list[Json]:
    return status.get("conditions") or []


def _condition(status: Json, kind: str) -> str:
    return next((c["status"] for c in _conditions(status) if c["type"] == kind), "")


def _last_end(status: Json) -> str:
    return (status.get("lastState", {}).get("terminated") or {}).get("finishedAt") or ""


def _later(one: str, other: str) -> str:
    if not one or not other:
        return one or other
    return max(one, other, key=parse_time)
