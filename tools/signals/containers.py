"""Containers that end: crash loops, out-of-memory kills, exits, restarts. What never starts: `startup`."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Severity, Signal, ago, duration

from .._edits import last_edit
from .._kube import condition, dig, event_text, first_seen, moment, quote_at, ref
from .._pods import Container, Past, containers, is_finished, is_ready, lived
from ._scene import STALE, Scene, event_quotes, make
from .startup import startup_signal

LOOP = "CrashLoopBackOff"
EXIT_WORDS = {
    0: "ended by itself",
    126: "command cannot be run",
    127: "command not found",
    134: "aborted, SIGABRT",
    137: "killed, SIGKILL",
    139: "segmentation fault",
    143: "stopped, SIGTERM",
}
LATELY = timedelta(days=2)
AGAIN = 3
"""Restarts after which one more is to be expected."""
SLOW = timedelta(minutes=20)
"""What a process needs to start and to serve, it has asked for by then; what grows after that piles up."""
PROBE_KILL = re.compile(r"Container (\S+) failed (?:liveness|startup) probe")


def container_signals(pod: Json, scene: Scene) -> Iterator[Signal]:
    """What is, or within the kept past was, wrong with the containers of a pod."""
    if is_finished(pod):
        return
    for each in containers(pod):
        if signal := startup_signal(pod, each, scene):
            yield signal
        else:
            yield from _ends(pod, each, scene)


def _ends(pod: Json, each: Container, scene: Scene) -> Iterator[Signal]:
    if _was_oom(each):
        yield _oom(pod, each, scene)
    if is_looping(each, scene):
        yield _crash_loop(pod, each, scene)
    elif each.ended and each.ended.exit_code:
        yield _exited(pod, each, scene)
    elif each.restarts and each.running_since:
        yield _restarts(pod, each, scene)


def is_looping(each: Container, scene: Scene) -> bool:
    """Whether it crashes again and again: backing off now, or caught between two of many recent ends."""
    if each.waiting == LOOP:
        return True
    finished = each.final.finished if each.final else None
    return each.restarts >= 3 and not each.ready and scene.is_recent(finished)


def probe_kills(pod: Json, container: str, scene: Scene) -> list[Json]:
    """Events that say the kubelet kills this container for a failing liveness or startup probe."""
    events = scene.about(ref(pod), "Killing")
    said = ((each, PROBE_KILL.search(event_text(each))) for each in events)
    return [each for each, match in said if match and match.group(1) == container]


def unready_since(pod: Json) -> datetime | None:
    """When the pod stopped being ready; None while it is."""
    return None if is_ready(pod) else moment(condition(pod, "Ready").get("lastTransitionTime"))


def trouble_since(pod: Json, scene: Scene) -> datetime | None:
    """When the trouble of a pod that is not ready began: a crashing pod may have been ready in between."""
    told = [first_seen(each) for each in scene.about(ref(pod), "BackOff")]
    return min((each for each in (unready_since(pod), *told) if each), default=None)


def _was_oom(each: Container) -> bool:
    ends = [past for past in (each.ended, each.last) if past]
    return any(p.reason == "OOMKilled" or "OOM-killed" in p.message for p in ends)


def _count(pod: Json, each: Container, scene: Scene) -> str:
    plural = "restart" if each.restarts == 1 else "restarts"
    last = each.last.finished if each.last else None
    tail = f", the last {ago(last, scene.now)}" if last else ""
    return f"{each.restarts} {plural} since the pod started {lived(pod, scene.now)} ago{tail}"


def _status(pod: Json, each: Container, *path: str) -> tuple[Quote, ...]:
    said = dig(pod, "status", *each.where, *path) is not None
    return (quote_at(pod, "status", *each.where, *path),) if said else ()


def _end_quotes(pod: Json, each: Container) -> tuple[Quote, ...]:
    return _status(pod, each, "state" if each.ended else "lastState", "terminated")


def _backoffs(pod: Json, each: Container, scene: Scene) -> tuple[Quote, ...]:
    said = f"restarting failed container {each.name} "
    return event_quotes(e for e in scene.about(ref(pod), "BackOff") if said in f"{event_text(e)} ")


def _oom(pod: Json, each: Container, scene: Scene) -> Signal:
    limit = _limit(pod, each.name)
    end = next(p for p in (each.last, each.ended) if p and (p.reason == "OOMKilled" or "OOM" in p.message))
    now_bad = not each.ready or scene.is_recent(end.finished, STALE) or _due_again(each, end, scene)
    lived = f" after {duration(end.finished - end.started)}" if end.finished and end.started else ""
    above = f"its memory limit of {limit}" if limit else "the memory of its node (it has no limit of its own)"
    owner = scene.owner(pod)
    severity: Severity = "info" if not now_bad else "warning" if each.ready else "critical"
    return make(
        "container.oom_killed",
        pod,
        owner,
        f"{pod['metadata']['name']}: container {each.name} was OOMKilled{lived}, above {above}; "
        f"{_count(pod, each, scene)}",
        (
            *_end_quotes(pod, each),
            *_backoffs(pod, each, scene),
            *scene.template(owner, each.name, "resources", "limits", "memory"),
        ),
        severity=severity,
        at=trouble_since(pod, scene) or end.finished,
        until=None if now_bad else end.finished,
        data={
            "container": each.name,
            "limit": limit,
            "restarts": each.restarts,
            "image": each.image,
            "pace": _pace(each, end),
            "lived": duration(end.finished - end.started) if end.finished and end.started else "",
            **({"set_by": str(setter)} if (setter := _setter(pod, each.name, owner, scene)) else {}),
        },
    )


def _setter(pod: Json, name: str, owner: Ref, scene: Scene) -> Ref | None:
    """The LimitRange that was changed lately and gave a container the limit that its template lacks."""
    listed = dig(scene.get(owner), "spec", "template", "spec", "containers", default=())
    mine = next((each for each in listed if each["name"] == name), None)
    if mine is None or dig(mine, "resources", "limits", "memory"):
        return None
    for each in scene.of("LimitRange"):
        change = last_edit(each, "spec")
        same = each["metadata"].get("namespace") == owner.namespace
        if same and change and scene.is_recent(change.at, LATELY) and _defaults(each) == _limit(pod, name):
            return ref(each)
    return None


def _defaults(limit_range: Json) -> str:
    """The memory limit that containers get which name none."""
    parts = dig(limit_range, "spec", "limits", default=())
    return next(
        (str(dig(p, "default", "memory", default="")) for p in parts if p.get("type") == "Container"), ""
    )


def _due_again(each: Container, end: Past, scene: Scene) -> bool:
    """Whether what has filled its memory again and again is in the midst of doing so once more."""
    if each.restarts < AGAIN or not (end.finished and end.started):
        return False
    return scene.now - end.finished <= 2 * (end.finished - end.started)


def _pace(each: Container, end: Past) -> str:
    """`slow` where each of several instances took long to fill its memory, `fast` where the last was killed
    soon after its start, "" where that cannot be told."""
    if not (end.finished and end.started):
        return ""
    if end.finished - end.started < SLOW:
        return "fast"
    return "slow" if each.restarts >= 2 else ""


def _limit(pod: Json, container: str) -> str:
    for each in dig(pod, "spec", "containers", default=()):
        if each["name"] == container:
            return str(dig(each, "resources", "limits", "memory", default=""))
    return ""


def _crash_loop(pod: Json, each: Container, scene: Scene) -> Signal:
    end, owner = each.final, scene.owner(pod)
    code, reason = (end.exit_code, end.reason) if end else (None, "")
    kills = probe_kills(pod, each.name, scene)
    how = "is killed by its liveness probe" if kills else _how(code, reason)
    lived = (
        f" {duration(end.finished - end.started)} after start" if end and end.finished and end.started else ""
    )
    return make(
        "container.crash_loop",
        pod,
        owner,
        f"{pod['metadata']['name']}: container {each.name} {how}{lived}; {_count(pod, each, scene)}",
        (
            *_status(pod, each, "state", "waiting", "reason"),
            *_end_quotes(pod, each),
            *_backoffs(pod, each, scene),
            *event_quotes(kills),
            *scene.template(owner, each.name, "image"),
        ),
        severity="critical",
        at=trouble_since(pod, scene),
        data={
            "container": each.name,
            "init": each.init,
            "exit_code": code,
            "reason": reason,
            "restarts": each.restarts,
            "image": each.image,
            "killed_by_probe": bool(kills),
            "seconds": _seconds(end.finished - end.started) if end and end.finished and end.started else None,
        },
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _how(code: int | None, reason: str) -> str:
    if code is None:
        return "crashes"
    if reason == "OOMKilled":
        return "is OOMKilled"
    words = EXIT_WORDS.get(code, reason if reason not in {"", "Error"} else "")
    return f"exits with code {code}" + (f" ({words})" if words else "")


def _exited(pod: Json, each: Container, scene: Scene) -> Signal:
    end = each.ended
    assert end is not None
    when = f" {ago(end.finished, scene.now)}" if end.finished else ""
    return make(
        "container.exited",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: container {each.name} {_how(end.exit_code, end.reason)}{when}; "
        f"{_count(pod, each, scene)}",
        (*_end_quotes(pod, each), *scene.template(scene.owner(pod), each.name, "image")),
        severity="critical",
        at=end.finished,
        data={
            "container": each.name,
            "init": each.init,
            "exit_code": end.exit_code,
            "reason": end.reason,
            "restarts": each.restarts,
            "image": each.image,
        },
    )


def _restarts(pod: Json, each: Container, scene: Scene) -> Signal:
    last = each.last.finished if each.last else None
    fresh = scene.is_recent(last, STALE)
    kills = probe_kills(pod, each.name, scene)
    return make(
        "container.restarts",
        pod,
        scene.owner(pod),
        f"{pod['metadata']['name']}: container {each.name} runs now; {_count(pod, each, scene)}"
        + (f" ({_how(each.last.exit_code, each.last.reason)})" if each.last else ""),
        (*_status(pod, each, "restartCount"), *_end_quotes(pod, each), *event_quotes(kills)),
        severity="warning" if fresh else "info",
        at=last,
        until=None if fresh else last,
        data={
            "container": each.name,
            "restarts": each.restarts,
            "exit_code": each.last.exit_code if each.last else None,
            "reason": each.last.reason if each.last else "",
            "killed_by_probe": bool(kills),
        },
    )
