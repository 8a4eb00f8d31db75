"""Autoscalers that do nothing or can do no more, and disruption budgets that forbid every eviction."""

import re
from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Quote, Ref, Signal

from .._kube import condition, dig, moment, quote_at, ref, selected
from ._scene import Scene, make

MISSING = re.compile(
    r"missing request for (?P<resource>[\w.-]*\w)(?: in container (?P<container>[\w.-]*\w))?"
)
# Why it does nothing; the first that fits wins.
WHY = (
    ("no_request", MISSING),
    ("target_missing", re.compile(r"FailedGetScale|not found")),
    ("ambiguous", re.compile(r"AmbiguousSelector")),
    (
        "no_metrics",
        re.compile(r"could not find the requested resource|unable to (?:handle the request|fetch metrics)"),
    ),
    ("no_figures", re.compile(r"did not receive metrics|no metrics returned|unable to get metrics")),
)
SETTLES = timedelta(minutes=5)


def hpa_signals(hpa: Json, scene: Scene) -> Iterator[Signal]:
    """`hpa.inactive` and `hpa.at_max`."""
    space = hpa["metadata"].get("namespace", "")
    target = dig(hpa, "spec", "scaleTargetRef", default={})
    workload = Ref(kind=target.get("kind", "?"), namespace=space, name=target.get("name", "?"))
    for index, each in enumerate(dig(hpa, "status", "conditions", default=())):
        # An autoscaler of a workload at zero replicas is disabled on purpose.
        broken = each.get("type") in {"ScalingActive", "AbleToScale"} and each.get("status") == "False"
        if broken and each.get("reason") != "ScalingDisabled":
            yield _inactive(hpa, workload, index, each, scene)
            break
    current, most = (
        dig(hpa, "status", "currentReplicas", default=0),
        dig(hpa, "spec", "maxReplicas", default=0),
    )
    limited = condition(hpa, "ScalingLimited")
    if current >= most > 0 and limited.get("reason") == "TooManyReplicas":
        yield _at_max(hpa, workload, current)


def _inactive(hpa: Json, workload: Ref, index: int, said: Json, scene: Scene) -> Signal:
    message, since = said.get("message", ""), moment(said.get("lastTransitionTime"))
    why = next((name for name, form in WHY if form.search(f"{said.get('reason', '')}: {message}")), "other")
    found = MISSING.search(message)
    # New pods have no figures yet: so far it is not known to be blind.
    young = why in {"no_figures", "other"} and scene.is_recent(since, SETTLES)
    return make(
        "hpa.inactive",
        hpa,
        workload,
        f"HorizontalPodAutoscaler {hpa['metadata']['name']} does not scale {workload.kind} {workload.name}: "
        f"{said.get('reason', '')}: {said.get('message', '')[:200]}",
        [quote_at(hpa, "status", "conditions", index)],
        severity="info" if young else "warning",
        at=since,
        data={
            "reason": said.get("reason", ""),
            "message": message,
            "why": why,
            "settling": young,
            "hpa": str(ref(hpa)),
            "resource": found["resource"] if found else "",
            "container": (found["container"] or "") if found else "",
        },
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
