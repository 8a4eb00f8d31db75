"""Quotas that are full or overdrawn."""

from collections.abc import Iterator

from opssquad import Json, Signal, ago

from .._edits import last_edit
from .._kube import dig, quote, quote_at, ref
from .._quantity import parse
from ._scene import Scene, make


def quota_signals(quota: Json, scene: Scene) -> Iterator[Signal]:
    """`quota.exceeded` for each resource of which nothing is left."""
    hard = dig(quota, "status", "hard", default={})
    used = dig(quota, "status", "used", default={})
    for resource, limit in hard.items():
        have = parse(used.get(resource, "0"))
        if have >= parse(limit) > 0 or have > parse(limit):
            yield _exceeded(quota, resource, scene)


def _exceeded(quota: Json, resource: str, scene: Scene) -> Signal:
    limit, have = quota["status"]["hard"][resource], dig(quota, "status", "used", resource, default="0")
    over = parse(have) > parse(limit)
    refused = any(
        f"exceeded quota: {quota['metadata']['name']}," in (event.get("message") or "")
        for events in scene.events.values()
        for event in events
    )
    change = last_edit(quota, "spec.hard")
    changed = f"; its limits were last set {ago(change.at, scene.now)} by {change.manager}" if change else ""
    more = " (more than allowed: the limit was set below what already ran)" if over else " (nothing left)"
    return make(
        "quota.exceeded",
        quota,
        ref(quota),
        f"ResourceQuota {quota['metadata']['name']}: {resource} used {have} of {limit}{more}{changed}",
        [
            quote_at(quota, "status", "hard", resource),
            quote_at(quota, "status", "used", resource),
            *([quote(quota, change.entry, managed=True)] if change else []),
        ],
        severity="critical" if refused else "warning" if over else "info",
        at=change.at if change else None,
        data={
            "quota": quota["metadata"]["name"],
            "resource": resource,
            "used": have,
            "hard": limit,
            "over": over,
            "refuses": refused,
            "changed_by": change.manager if change else "",
        },
    )
