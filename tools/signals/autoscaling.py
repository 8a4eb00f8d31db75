"""Autoscalers that do nothing or can do no more, and disruption budgets that forbid every eviction."""

from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal

from .._kube import condition, dig, moment, quote_at, ref, selected
from ._scene import Scene, make


def hpa_signals(hpa: Json, scene: Scene) -> Iterator[Signal]:
    """`hpa.inactive` and `hpa.at_max`."""
    space = hpa["metadata"].get("namespace", "")
    target = dig(hpa, "spec", "scaleTargetRef", default={})
    workload = Ref(kind=target.get("kind", "?"), namespace=space, name=target.get("name", "?"))
    for index, each in enumerate(dig(hpa, "status", "conditions", default=())):
        # An autoscaler of a workload at zero replicas is disabled on purpose.
        broken = each.get("type") in {"ScalingActive", "AbleToScale"} and each.get("status") == "False"
        if broken and each.get("reason") != "ScalingDisabled":
            yield _inactive(hpa, workload, index, each)
            break
    current, most = (
        dig(hpa, "status", "currentReplicas", default=0),
        dig(hpa, "spec", "maxReplicas", default=0),
    )
    limited = condition(hpa, "ScalingLimited")
    if current >= most > 0 and limited.get("reason") == "TooManyReplicas":
        yield _at_max(hpa, workload, current)


def _inactive(hpa: Json, workload: Ref, index: int, said: Json) -> Signal:
    return make(
        "hpa.inactive",
        hpa,
        workload,
        f"HorizontalPodAutoscaler {hpa['metadata']['name']} does not scale {workload.kind} {workload.name}: "
        f"{said.get('reason', '')}: {said.get('message', '')[:200]}",
        [quote_at(hpa, "status", "conditions", index)],
        at=moment(said.get("lastTransitionTime")),
        data={"reason": said.get("reason", ""), "message": said.get("message", "")},
    )


def _at_max(hpa: Json, workload: Ref, current: int) -> Signal:
    return make(
        "hpa.at_max",
        hpa,
        workload,
        f"HorizontalPodAutoscaler {hpa['metadata']['name']}: at its maximum of {current} and wants more",
        [quote_at(hpa, "spec", "maxReplicas"), quote_at(hpa, "status", "currentReplicas")],
        data={"max": current, "desired": dig(hpa, "status", "desiredReplicas")},
    )


def budget_signals(budget: Json, scene: Scene) -> Iterator[Signal]:
    """`pdb.blocks` for a budget that covers pods and allows no disruption."""
    if (
        dig(budget, "status", "expectedPods", default=0) == 0
        or dig(budget, "status", "disruptionsAllowed") != 0
    ):
        return
    healthy = dig(budget, "status", "currentHealthy", default=0)
    wanted = dig(budget, "status", "desiredHealthy", default=0)
    quotes: list[Quote] = [quote_at(budget, "status", "disruptionsAllowed")]
    yield make(
        "pdb.blocks",
        budget,
        _covered(budget, scene),
        f"PodDisruptionBudget {budget['metadata']['name']}: no pod may be evicted "
        f"({healthy} healthy, {wanted} wanted)",
        quotes,
        severity="info",
        data={"healthy": healthy, "wanted": wanted},
    )


def _covered(budget: Json, scene: Scene) -> Ref:
    labels = dig(budget, "spec", "selector", "matchLabels", default={})
    for pod in scene.of("Pod"):
        same = pod["metadata"].get("namespace") == budget["metadata"].get("namespace")
        if same and selected(dig(pod, "metadata", "labels", default={}), labels):
            return scene.owner(pod)
    return ref(budget)
