"""Pods that are over before their time: evicted for their own use or their node's sake, or failed."""

import re
from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Ref, Signal, ago

from .._kube import condition, controller, dig, moment, quote_at
from .._pods import containers, is_ready
from .._quantity import parse
from ._scene import STALE, Scene, make
from .replicas import KINDS, desired, ready

NODE_LOW = re.compile(r"node was low on resource: (?P<resource>[\w./-]+\w)")
OWN_LIMIT = re.compile(
    r"(?:Usage of EmptyDir volume \"(?P<volume>[^\"]+)\" exceeds the limit"
    r"|[Cc]ontainer (?P<container>\S+) exceeded its local ephemeral storage limit"
    r"|ephemeral local storage usage exceeds the total limit of containers) \"?(?P<limit>\w+(?:\.\w+)?)"
)
USED = re.compile(
    r"[Cc]ontainer (?P<container>\S+) was using (?P<used>\w+(?:\.\w+)?),"
    r" (?:request is|which exceeds its request of) (?P<request>\w+(?:\.\w+)?)"
)

# Why a pod failed as a whole, by the reason in its status.
WHY_FAILED = (
    ("node_shutdown", re.compile(r"^(?:NodeShutdown|Terminated|Shutdown)$")),
    (
        "admission",
        re.compile(
            r"^(?:OutOf\w+|NodeAffinity|NodePorts|UnexpectedAdmissionError|SysctlForbidden|AppArmor)$"
        ),
    ),
    ("deadline", re.compile(r"^DeadlineExceeded$")),
    ("node_lost", re.compile(r"^NodeLost$")),
)


def evicted(pod: Json, scene: Scene) -> Signal:
    """`pod.evicted`: `why` is `own_limit` (it took more disk than it may), `node` (its node ran low on
    `resource`) or `other`; `role` tells the workload that took most from those that only had to go."""
    message = " ".join(dig(pod, "status", "message", default="").split())
    why, facts = _why(message)
    owner, end = scene.owner(pod), _end(pod)
    node = dig(pod, "spec", "nodeName", default="")
    over = _over(owner, end, scene)
    guilty = why == "own_limit" or biggest(node, facts["resource"], scene) == owner
    return make(
        "pod.evicted",
        pod,
        owner,
        f"{pod['metadata']['name']}: evicted{f' {ago(end, scene.now)}' if end else ''}: {message[:200]}",
        (quote_at(pod, "status", "reason"), quote_at(pod, "status", "message")),
        severity="info" if over else "warning",
        at=end,
        until=end if over else None,
        data={
            "message": message,
            "node": node,
            "why": why,
            "role": "culprit" if guilty else "victim" if why == "node" else "",
            **facts,
        },
    )


def failed(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`pod.failed` for a pod that ended for good and is not a run of a Job, which tells of its own."""
    up = controller(pod)
    if dig(pod, "status", "phase") != "Failed" or (up and up.kind == "Job"):
        return
    owner, end = scene.owner(pod), _end(pod)
    over = _over(owner, end, scene)
    reason = str(dig(pod, "status", "reason", default=""))
    message = " ".join(str(dig(pod, "status", "message", default="")).split())
    ends = [(each, each.ended) for each in containers(pod) if each.ended and each.ended.exit_code]
    told = f"{ends[0][0].name} exited with code {ends[0][1].exit_code}" if ends else ""
    said = ": ".join(filter(None, (reason, message[:200]))) or told or "no reason is told"
    quotes = [quote_at(pod, "status", "reason" if reason else "phase")]
    quotes += [quote_at(pod, "status", *each.where, "state", "terminated") for each, _ in ends[:1]]
    yield make(
        "pod.failed",
        pod,
        owner,
        f"{pod['metadata']['name']}: Failed{f' {ago(end, scene.now)}' if end else ''}: {said}",
        quotes,
        severity="info" if over else "warning",
        at=end,
        until=end if over else None,
        data={
            "reason": reason,
            "why": next((name for name, form in WHY_FAILED if form.search(reason)), "exit" if ends else ""),
            "message": message,
            "exit_code": ends[0][1].exit_code if ends else None,
            "node": dig(pod, "spec", "nodeName", default=""),
        },
    )


def biggest(node: str, resource: str, scene: Scene) -> Ref | None:
    """The workload whose pod used most, by what the kubelet said of the pods that it evicted from that node
    for that resource in the last hour or so; None where it said nothing."""
    told = [
        (used, scene.owner(pod))
        for pod in scene.of("Pod")
        if dig(pod, "status", "reason") == "Evicted" and dig(pod, "spec", "nodeName") == node
        if scene.is_recent(_end(pod), STALE) and resource
        for used in _used(pod, resource)
    ]
    return max(told, key=lambda each: each[0])[1] if told else None


def _used(pod: Json, resource: str) -> Iterator[float]:
    message = " ".join(dig(pod, "status", "message", default="").split())
    low = NODE_LOW.search(message)
    if low and low["resource"] == resource:
        for each in USED.finditer(message):
            yield _amount(each["used"])


def _amount(text: str) -> float:
    try:
        return parse(text)
    except ValueError:
        return 0.0


def _why(message: str) -> tuple[str, Json]:
    facts: Json = {"resource": "", "container": "", "volume": "", "limit": "", "used": "", "request": ""}
    if own := OWN_LIMIT.search(message):
        told = {name: text for name, text in own.groupdict().items() if text}
        return "own_limit", {**facts, **told, "resource": "ephemeral-storage"}
    if low := NODE_LOW.search(message):
        uses = max(USED.finditer(message), key=lambda each: _amount(each["used"]), default=None)
        return "node", {**facts, **(uses.groupdict() if uses else {}), "resource": low["resource"]}
    return "other", facts


def _over(owner: Ref, end: datetime | None, scene: Scene) -> bool:
    """Whether it is history: long ago, or its workload is well again and loses no more pods."""
    if end is not None and not scene.is_recent(end, STALE):
        return True
    pods, workload = scene.pods_of(owner), scene.get(owner)
    lost = [pod for pod in pods if dig(pod, "status", "phase") == "Failed"]
    rest = [pod for pod in pods if pod not in lost]
    still = any(scene.is_recent(_end(pod)) for pod in lost)
    well = bool(rest) and all(is_ready(pod) for pod in rest)
    if workload and workload["kind"] in KINDS:
        # Of very many pods those that are well are not read.
        well = ready(workload) >= desired(workload) > 0
    return well and not still


def _end(pod: Json) -> datetime | None:
    """When it was evicted, as near as its status tells."""
    told = (condition(pod, each).get("lastTransitionTime") for each in ("DisruptionTarget", "Ready"))
    return moment(next(filter(None, told), None) or dig(pod, "status", "startTime"))
