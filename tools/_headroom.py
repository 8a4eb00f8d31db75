"""What a rollout takes and whether there is room for it: pods down at once, extra pods, quotas; pure."""

import math
from collections.abc import Sequence

from opssquad import Json

from ._checks import Finding
from ._kube import dig, ref
from ._plan import Plan
from ._quantity import parse, show


def surge(workload: Json) -> tuple[int, int]:
    """Pods that a rollout makes beyond the desired count, and pods that may be missing meanwhile."""
    desired = int(dig(workload, "spec", "replicas", default=1))
    if workload["kind"] != "Deployment":
        return 0, 1
    if dig(workload, "spec", "strategy", "type") == "Recreate":
        return 0, desired
    rolling = dig(workload, "spec", "strategy", "rollingUpdate", default={})
    extra = _share(rolling.get("maxSurge", "25%"), desired, up=True)
    missing = _share(rolling.get("maxUnavailable", "25%"), desired, up=False)
    return (extra, missing) if extra or missing else (0, 1)


def _share(value: int | str, desired: int, up: bool) -> int:
    text = str(value)
    if not text.endswith("%"):
        return int(text)
    exact = int(text[:-1]) * desired / 100
    return math.ceil(exact) if up else math.floor(exact)


def way(workload: Json, ready: int) -> str:
    """What a rollout does to the pods, in numbers."""
    desired = int(dig(workload, "spec", "replicas", default=1))
    if workload["kind"] == "DaemonSet":
        desired = int(dig(workload, "status", "desiredNumberScheduled", default=0))
    if workload["kind"] != "Deployment":
        pods = "1 pod is" if desired == 1 else f"{desired} pods are"
        if dig(workload, "spec", "updateStrategy", "type") == "OnDelete":
            return f"{pods} replaced only when deleted by hand (OnDelete); {ready} of {desired} ready now"
        turn = ", highest number first" if workload["kind"] == "StatefulSet" else ""
        return f"{pods} replaced one by one{turn}; {ready} of {desired} ready now"
    extra, missing = surge(workload)
    if dig(workload, "spec", "strategy", "type") == "Recreate":
        stops = f"all {desired} pods are stopped before new ones start (Recreate)"
        return f"{stops}; {ready} of {desired} are ready now"
    return (
        f"{desired} pods are replaced step by step, {extra} extra at a time and at most {missing} missing; "
        f"{ready} of {desired} are ready now"
    )


def quota(plan: Plan, quotas: Sequence[Json]) -> Finding:
    """Whether the quotas of the namespace let the old pods in."""
    extra, _ = surge(plan.workload)
    desired = int(dig(plan.workload, "spec", "replicas", default=1))
    before, after = wants(dig(plan.workload, "spec", "template", default={})), wants(plan.target.template)
    tight = []
    for each in quotas:
        hard, used = dig(each, "status", "hard", default={}), dig(each, "status", "used", default={})
        for name in hard:
            one = after.get(name, 1.0 if name in {"pods", "count/pods"} else 0.0)
            was = before.get(name, one if name in {"pods", "count/pods"} else 0.0)
            more = max(one * extra + (one - was) * desired, 0.0)
            free = parse(hard[name]) - parse(used.get(name, "0"))
            if more > 0 and more > free:
                tight.append(
                    f"{ref(each).name}: {name} free {show(max(free, 0), name)}, wanted {show(more, name)}"
                )
    if tight:
        return Finding("quota", "risk", f"no room for the new pods: {'; '.join(tight)}", tuple(quotas))
    text = (
        f"room in {', '.join(ref(each).name for each in quotas)}" if quotas else "no quota in the namespace"
    )
    return Finding("quota", "ok", text, tuple(quotas))


def wants(template: Json) -> dict[str, float]:
    """What one pod of the template counts for, by the names that quotas use."""
    found: dict[str, float] = {}
    for each in dig(template, "spec", "containers", default=()):
        for kind in ("requests", "limits"):
            for resource, amount in dig(each, "resources", kind, default={}).items():
                for name in (f"{kind}.{resource}", *((resource,) if kind == "requests" else ())):
                    found[name] = found.get(name, 0.0) + parse(amount)
    return found
