"""How much CPU a container may use: a limit that is tiny or was lowered, and use that comes near it.

That a container is throttled stands in metrics that the Kubernetes API does not have: none of this proves it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from opssquad import Json, Quote, Ref, Signal, clock_time

from .._kube import condition, dig, quote_at, ref
from .._quantity import parse, show
from .._revisions import revisions
from ._scene import Scene, make
from .replicas import desired

TINY = 0.1
"""Cores. With less, a request that computes for 20 ms waits for its share once at least."""
NEAR = 0.8
"""The share of the limit from which use is near it: an average of half a minute hides its peaks."""


@dataclass(frozen=True)
class Before:
    """The limit that the revision before gave, in cores; None: none. `at` is when it was taken away."""

    limit: float | None
    at: datetime | None


def cpu_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`container.cpu_tight` and, where the metrics API was read, `container.cpu_at_limit`."""
    listed = dig(workload, "spec", "template", "spec", "containers", default=())
    limits = {each["name"]: dig(each, "resources", "limits", "cpu") for each in listed}
    if not any(limits.values()) or not desired(workload):
        return
    before = _before(workload, scene)
    for index, (name, text) in enumerate(limits.items()):
        limit, was = _cores(text), before.get(name)
        if limit is None:
            continue
        cut = was is not None and (was.limit is None or was.limit > limit)
        if cut or limit < TINY:
            yield _tight(workload, index, name, limit, was if cut else None, scene)
        yield from _at_limit(workload, index, name, limit, scene)


def _cores(text: str | float | None) -> float | None:
    """A quantity of CPU; None where there is none, or nothing that could be one."""
    try:
        return None if text is None else parse(text)
    except ValueError:
        return None


def _before(workload: Json, scene: Scene) -> dict[str, Before]:
    """By container what the revision before the current one gave it, as far as ReplicaSets tell."""
    space = workload["metadata"].get("namespace")
    keepers = [each for each in scene.of("ReplicaSet") if each["metadata"].get("namespace") == space]
    if workload["kind"] != "Deployment" or not keepers:
        return {}
    history = revisions(workload, keepers)
    current = next((index for index, each in enumerate(history) if each.current), 0)
    if not current:
        return {}
    found: dict[str, Before] = {}
    for each in dig(history[current - 1].template, "spec", "containers", default=()):
        text = dig(each, "resources", "limits", "cpu")
        found[each["name"]] = Before(_cores(text), history[current].at)
    return found


def _tight(workload: Json, index: int, name: str, limit: float, was: Before | None, scene: Scene) -> Signal:
    allowed = show(limit, "cpu")
    former = "" if was is None else "no limit" if was.limit is None else show(was.limit, "cpu")
    least = _at_least(workload, scene)
    return make(
        "container.cpu_tight",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: container {name} may use "
        f"{allowed} of CPU at most"
        + (f", {former} before the last rollout" if former else "")
        + (f" at {clock_time(was.at)}" if was and was.at else "")
        + (f"; its autoscaler stands at its minimum of {least}" if least else ""),
        [_quote(workload, index)],
        severity="info",
        at=was.at if was else None,
        data={
            "container": name,
            "limit": allowed,
            "why": "cut" if was else "tiny",
            "from": former,
            "at_least": bool(least),
        },
    )


def _quote(workload: Json, index: int) -> Quote:
    path = ("spec", "template", "spec", "containers", index, "resources", "limits", "cpu")
    return quote_at(workload, *path)


def _at_least(workload: Json, scene: Scene) -> int:
    """The minimum of its autoscaler where that stands at it: measured by requests it sees no load."""
    for hpa in scene.of("HorizontalPodAutoscaler"):
        target = dig(hpa, "spec", "scaleTargetRef", default={})
        address = Ref(
            kind=target.get("kind") or "?",
            namespace=hpa["metadata"].get("namespace", ""),
            name=target.get("name") or "?",
        )
        if address == ref(workload) and condition(hpa, "ScalingLimited").get("reason") == "TooFewReplicas":
            return int(dig(hpa, "spec", "minReplicas", default=1))
    return 0


def _at_limit(workload: Json, index: int, name: str, limit: float, scene: Scene) -> Iterator[Signal]:
    mine = {ref(pod).name for pod in scene.pods_of(ref(workload))}
    space = workload["metadata"].get("namespace")
    used = [
        (cores, metrics, place)
        for metrics in scene.of("PodMetrics")
        if metrics["metadata"]["name"] in mine and metrics["metadata"].get("namespace") == space
        for place, each in enumerate(metrics.get("containers") or ())
        if each.get("name") == name and (cores := _cores(dig(each, "usage", "cpu")))
    ]
    if not used or not limit:
        return
    most, metrics, place = max(used, key=lambda each: each[0])
    if most < NEAR * limit:
        return
    owner = ref(workload)
    yield make(
        "container.cpu_at_limit",
        workload,
        owner,
        f"{metrics['metadata']['name']}: container {name} uses {show(round(most, 3), 'cpu')} of CPU, "
        f"{100 * most / limit:.0f} % of its limit of {show(limit, 'cpu')}",
        [quote_at(metrics, "containers", place, "usage", "cpu"), _quote(workload, index)],
        data={
            "container": name,
            "limit": show(limit, "cpu"),
            "used": show(round(most, 3), "cpu"),
            "slow": str(owner),
        },
    )
