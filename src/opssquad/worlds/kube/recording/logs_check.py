"""Lint of the logs of a recording: they exist for exactly the containers that ran, and within their lives."""

from collections.abc import Iterator

from opssquad.documents import read_text
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.recording.files import log_path
from opssquad.worlds.kube.recording.load import Recording
from opssquad.worlds.kube.recording.notes import CaptureNotes

NEVER = "1970"
"""A state that was never observed carries the epoch as its start."""


def check_logs(recording: Recording, notes: CaptureNotes | None) -> Iterator[str]:
    """Missing logs, logs that nothing wrote; unless it was captured, empty logs of running containers and
    lives that do not add up. A log that could not be captured is not missed."""
    excused = {each.where for each in notes.missing} if notes else set()
    pods = [obj for obj in recording.objects if obj["kind"] == "Pod"]
    silent = {obj["metadata"]["name"] for obj in recording.objects if obj["kind"] == "Node" and _down(obj)}
    expected: dict[str, Json] = {}
    for pod in pods:
        for status in _statuses(pod) if notes is None else ():
            yield from _life(pod, status)
        for container, previous in expected_logs(pod):
            meta = pod["metadata"]
            expected[log_path(meta["namespace"], meta["name"], container, previous)] = pod
    root = recording.folder
    have = {file.relative_to(root).as_posix() for file in (root / "logs").rglob("*") if file.is_file()}
    for path in sorted(set(expected) - have - excused):
        if expected[path]["spec"].get("nodeName") not in silent:
            yield f"no {path}"
    for path in sorted(have - set(expected)):
        yield f"{path}: nothing ran that could have written it"
    for path in sorted(have & set(expected)) if notes is None else ():
        if not read_text(root / path) and not path.endswith(".previous.log") and _talks(expected[path]):
            yield f"{path}: empty"


def _down(node: Json) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] != "True" for c in conditions)


def _statuses(pod: Json) -> list[Json]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _talks(pod: Json) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return (pod.get("status") or {}).get("phase") == "Running" and not any(o["kind"] == "Job" for o in owners)


def _starts(status: Json) -> list[str]:
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    parts = (state.get("running"), state.get("terminated"), last)
    return [part["startedAt"] for part in parts if part and part.get("startedAt")]


def expected_logs(pod: Json) -> Iterator[tuple[str, bool]]:
    """Container, and whether it is the instance before: for each that ran, init containers first."""
    for status in _statuses(pod):
        state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
        ran = "running" in state or "terminated" in state or last
        if ran and not any(start.startswith(NEVER) for start in _starts(status)):
            yield status["name"], False
            if last:
                yield status["name"], True


def _life(pod: Json, status: Json) -> Iterator[str]:
    name, state = pod["metadata"]["name"], status.get("state") or {}
    last = (status.get("lastState") or {}).get("terminated")
    for end in (state.get("terminated"), last):
        began = end.get("startedAt", NEVER) if end else NEVER
        if end and not began.startswith(NEVER) and began > end.get("finishedAt", ""):
            yield f"{name}: container finished before it started"
    if last and "running" in state and last.get("finishedAt", "") > state["running"].get("startedAt", ""):
        yield f"{name}: restarted before it ended"
    starts, born = _starts(status), parse_time(pod["metadata"]["creationTimestamp"])
    if starts and not starts[0].startswith(NEVER) and parse_time(starts[0]) < born:
        yield f"{name}: container started before the pod was created"
    main = status["name"] in [container["name"] for container in pod["spec"]["containers"]]
    if status.get("restartCount", 0) > 0 and not last and "terminated" not in state:
        yield f"{name}: restarts without a last state"
    if last and not status.get("restartCount") and "waiting" not in state and main:
        yield f"{name}: a last state without restarts"
