"""The status of a pod as its kubelet writes it. Pure functions on copies of pods."""

from datetime import datetime

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.controllers import naming
from opssquad.worlds.kube.controllers.meta import condition

ORDER = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def begin(pod: Json, host: str, address: str, now: datetime) -> None:
    """A pod arrives at its node: addresses, and every container waits."""
    status = pod["status"]
    status["observedGeneration"] = pod["metadata"].get("generation", 1)
    status |= {"hostIP": host, "hostIPs": [{"ip": host}], "podIP": address, "podIPs": [{"ip": address}]}
    status["startTime"] = rfc3339(now)
    inits = pod["spec"].get("initContainers") or []
    reason = "PodInitializing" if inits else "ContainerCreating"
    if inits:
        status["initContainerStatuses"] = [_waiting(container, reason) for container in inits]
    status["containerStatuses"] = [_waiting(container, reason) for container in pod["spec"]["containers"]]
    settle(pod, now)


def _waiting(container: Json, reason: str) -> Json:
    return {
        "name": container["name"],
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }


def statuses(pod: Json) -> list[Json]:
    """The statuses of all containers, init containers first."""
    status = pod["status"]
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def status_of_container(pod: Json, name: str) -> Json:
    """The status of one container."""
    return next(status for status in statuses(pod) if status["name"] == name)


def run(pod: Json, name: str, image_id: str, now: datetime) -> None:
    """A container runs, for the first time or again."""
    status = status_of_container(pod, name)
    ended = status["state"].get("terminated") or status["lastState"].get("terminated")
    if ended:
        status["restartCount"] += 1
        status["lastState"] = {"terminated": ended}
    status["state"] = {"running": {"startedAt": rfc3339(now)}}
    status["imageID"] = image_id
    status["containerID"] = naming.container_id(pod["metadata"]["uid"], name, status["restartCount"])
    status["started"] = True
    settle(pod, now)


def end(pod: Json, name: str, code: int, reason: str, now: datetime) -> None:
    """A container that runs has ended."""
    status = status_of_container(pod, name)
    running = status["state"].get("running")
    if not running:
        return
    status["state"] = {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": running["startedAt"],
            "finishedAt": rfc3339(now),
            "containerID": status["containerID"],
        }
    }
    initial = name in [c["name"] for c in pod["spec"].get("initContainers") or ()]
    status["ready"], status["started"] = initial and code == 0, False
    settle(pod, now)


def wait(pod: Json, name: str, reason: str, message: str, now: datetime) -> None:
    """A container waits, for a reason."""
    status = status_of_container(pod, name)
    if ended := status["state"].get("terminated"):
        status["lastState"] = {"terminated": ended}
    status["state"] = {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}
    settle(pod, now)


def fail_start(pod: Json, name: str, code: int, message: str, now: datetime) -> None:
    """The runtime could not start a container, for the first time or again."""
    status = status_of_container(pod, name)
    if status["lastState"].get("terminated"):
        status["restartCount"] += 1
    made = naming.container_id(pod["metadata"]["uid"], name, status["restartCount"])
    status["lastState"] = {
        "terminated": {
            "exitCode": code,
            "reason": "StartError",
            "message": message,
            "startedAt": "1970-01-01T00:00:00Z",
            "finishedAt": rfc3339(now),
            "containerID": made,
        }
    }
    status |= {"containerID": made, "started": False}
    wait(pod, name, "RunContainerError", message, now)


def set_ready(pod: Json, name: str, ready: bool, now: datetime) -> None:
    """A container's readiness probe has spoken."""
    status_of_container(pod, name)["ready"] = ready
    settle(pod, now)


def settle(pod: Json, now: datetime) -> None:
    """Phase and conditions that follow from the containers' states."""
    status, inits = pod["status"], pod["status"].get("initContainerStatuses", [])
    mains = status["containerStatuses"]
    status["observedGeneration"] = pod["metadata"].get("generation", 1)
    ended = all("terminated" in c["state"] for c in mains)
    begun = all("waiting" not in c["state"] or c["lastState"] for c in mains)
    codes = [(c["state"].get("terminated") or {}).get("exitCode", 0) for c in mains]
    if status.get("reason") == "Evicted":
        status["phase"] = "Failed"
    elif ended and not _restarts(pod, any(codes)):
        status["phase"] = "Failed" if any(codes) else "Succeeded"
    elif begun or status["phase"] == "Running":
        status["phase"] = "Running"
    missing = [c["name"] for c in inits if not c["ready"]]
    unready = [c["name"] for c in mains if not c["ready"]]
    finished = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(status["phase"], "")
    not_ready = f"containers with unready status: [{' '.join(unready)}]"
    why = (finished, "") if finished else ("ContainersNotReady", not_ready)
    initial = ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(missing)}]")
    found = [
        ("PodReadyToStartContainers", not finished, ("", "")),
        ("Initialized", not missing, initial),
        ("Ready", not unready, why),
        ("ContainersReady", not unready, why),
    ]
    made = [_condition(pod, kind, good, reason, now) for kind, good, reason in found]
    others = [c for c in status.get("conditions") or [] if c["type"] not in ORDER]
    status["conditions"] = [*made, *others]


def _restarts(pod: Json, failed: bool) -> bool:
    """Whether containers that have ended are started again."""
    policy = pod["spec"].get("restartPolicy", "Always")
    return not pod["metadata"].get("deletionTimestamp") and (
        policy == "Always" or (policy == "OnFailure" and failed)
    )


def _condition(pod: Json, kind: str, good: bool, why: tuple[str, str], now: datetime) -> Json:
    word = "True" if good else "False"
    old = condition(pod["status"], kind)
    since = old["lastTransitionTime"] if old and old["status"] == word else rfc3339(now)
    made: Json = {
        "type": kind,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": word,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if not good:
        made |= {key: text for key, text in zip(("reason", "message"), why, strict=True) if text}
    return made
