"""ScaledObjects of KEDA that scale nothing: without a target, or not ready by their own word."""

from collections.abc import Iterator

from opssquad import Json, Ref, Signal

from .._kube import condition, dig, event_text, last_seen, moment, quote_at, ref
from ._scene import Scene, event_quotes, make


def scaled_signals(scaled: Json, scene: Scene) -> Iterator[Signal]:
    """`scaledobject.target_missing` or `scaledobject.not_ready`. What it measures by is read off the
    autoscaler that it makes."""
    target = dig(scaled, "spec", "scaleTargetRef", default={})
    space = scaled["metadata"].get("namespace", "")
    workload = Ref(kind=target.get("kind") or "Deployment", namespace=space, name=target.get("name") or "-")
    who = f"ScaledObject {scaled['metadata']['name']}"
    if scene.lacks(workload):
        yield make(
            "scaledobject.target_missing",
            scaled,
            workload,
            f"{who}: {workload.kind} {workload.name}, which it is to scale, does not exist",
            [quote_at(scaled, "spec", "scaleTargetRef")],
            data={"ref": str(workload)},
        )
        return
    ready = condition(scaled, "Ready")
    events = [e for e in scene.about(ref(scaled)) if e.get("type") == "Warning" and _lately(e, scene)]
    if ready.get("status") == "False" or events:
        said = ": ".join(filter(None, (ready.get("reason"), ready.get("message"))))
        told = said if ready.get("status") == "False" else event_text(events[0])
        yield make(
            "scaledobject.not_ready",
            scaled,
            workload,
            f"{who} does not scale {workload.kind} {workload.name} as it should: {told[:240]}",
            [quote_at(scaled, "spec", "scaleTargetRef"), *event_quotes(events)],
            at=moment(ready.get("lastTransitionTime")),
            data={"reason": ready.get("reason", ""), "message": told},
        )


def _lately(event: Json, scene: Scene) -> bool:
    return scene.is_recent(last_seen(event))
