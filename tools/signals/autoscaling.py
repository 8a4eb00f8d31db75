"""Autoscalers that do nothing or can do no more, and disruption budgets that forbid every eviction."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from opssquad import Json, Quote, Ref, Signal

from .._kube import condition, dig, moment, quote_at, ref, selected
from .._selectors import matches
from ._scene import Scene, make
from .replicas import KINDS

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
AT_AN_END = frozenset({"TooFewReplicas", "TooManyReplicas"})
"""Reasons that say no more than that it stands at its minimum or maximum."""


def hpa_signals(hpa: Json, scene: Scene) -> Iterator[Signal]:
    """`hpa.inactive`, `hpa.at_max` and `hpa.limited`."""
    space = hpa["metadata"].get("namespace", "")
    target = dig(hpa, "spec", "scaleTargetRef", default={})
    workload = Ref(kind=target.get("kind", "?"), namespace=space, name=target.get("name", "?"))
    for index, each in enumerate(dig(hpa, "status", "conditions", default=())):
        # An autoscaler of a workload at zero replicas is disabled on purpose.
        broken = each.get("type") in {"ScalingActive", "AbleToScale"} and each.get("status") == "False"
        if broken and each.get("reason") != "ScalingDisabled":
            yield _inactive(hpa, workload, index, each, scene)
            break
    else:
        yield from _unfit(hpa, workload, scene)
    current, most = (
        dig(hpa, "status", "currentReplicas", default=0),
        dig(hpa, "spec", "maxReplicas", default=0),
    )
    limited = condition(hpa, "ScalingLimited")
    if current >= most > 0 and limited.get("reason") == "TooManyReplicas":
        yield _at_max(hpa, workload, current)
    elif limited.get("status") == "True" and limited.get("reason") not in AT_AN_END:
        yield _limited(hpa, workload, limited)


def _unfit(hpa: Json, workload: Ref, scene: Scene) -> Iterator[Signal]:
    """What its own conditions do not tell, or not yet: no target, or a target without what it measures by.

    Where it is active, requests that the template lacks come from elsewhere, such as a LimitRange.
    """
    if condition(hpa, "ScalingActive").get("status") == "True":
        return
    if scene.lacks(workload):
        said = {"reason": "NoTarget", "message": f"{workload.kind} {workload.name} does not exist"}
        yield _blind(hpa, workload, said, {"why": "target_missing"})
        return
    for metric in dig(hpa, "spec", "metrics", default=()):
        resource = dig(metric, "resource", "name", default="")
        measured = dig(metric, "resource", "target", "type") == "Utilization"
        for each in _containers(workload, scene) if resource and measured else ():
            if dig(each, "resources", "requests", resource) is None:
                message = f"container {each['name']} requests no {resource}"
                more = {"why": "no_request", "resource": resource, "container": each["name"]}
                yield _blind(hpa, workload, {"reason": "NoRequest", "message": message}, more)
                return


def _containers(workload: Ref, scene: Scene) -> list[Json]:
    found: list[Json] = dig(scene.get(workload), "spec", "template", "spec", "containers", default=[])
    # A limit stands for the request that is not there.
    return [
        {**each, "resources": {"requests": {**_of(each, "limits"), **_of(each, "requests")}}}
        for each in found
    ]


def _of(container: Json, field: str) -> Mapping[str, str]:
    found: Mapping[str, str] = dig(container, "resources", field, default={})
    return found


def _blind(hpa: Json, workload: Ref, said: Json, more: Json) -> Signal:
    return make(
        "hpa.inactive",
        hpa,
        workload,
        f"HorizontalPodAutoscaler {hpa['metadata']['name']} does not scale {workload.kind} {workload.name}: "
        f"{said['message']}",
        [quote_at(hpa, "spec", "scaleTargetRef")],
        data={**said, "settling": False, "hpa": str(ref(hpa)), "resource": "", "container": "", **more},
    )


def _limited(hpa: Json, workload: Ref, said: Json) -> Signal:
    return make(
        "hpa.limited",
        hpa,
        workload,
        f"HorizontalPodAutoscaler {hpa['metadata']['name']}: {said.get('reason')}: {said.get('message', '')}",
        [quote_at(hpa, "spec", "scaleTargetRef")],
        severity="info",
        at=moment(said.get("lastTransitionTime")),
        data={"reason": said.get("reason", ""), "message": said.get("message", "")},
    )


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
    """`pdb.blocks` for a budget that covers pods and allows no disruption, `pdb.selects_nothing` for one that
    covers none."""
    if dig(budget, "status", "expectedPods", default=0) == 0:
        if _selects_nothing(budget, scene):
            yield make(
                "pdb.selects_nothing",
                budget,
                ref(budget),
                f"PodDisruptionBudget {budget['metadata']['name']} selects no pod and no workload",
                [quote_at(budget, "spec", "selector")],
                severity="info",
            )
        return
    if dig(budget, "status", "disruptionsAllowed") != 0:
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


def _selects_nothing(budget: Json, scene: Scene) -> bool:
    """Whether neither a pod nor a template fits, in a namespace of which all of them were read."""
    space = budget["metadata"].get("namespace", "")
    if not all(scene.covers(kind, space) for kind in ("Pod", *KINDS)):
        return False
    here = (each for each in scene.of("Pod", *KINDS) if each["metadata"].get("namespace") == space)
    labels = (
        dig(each, *(() if each["kind"] == "Pod" else ("spec", "template")), "metadata", "labels", default={})
        for each in here
    )
    selector = dig(budget, "spec", "selector")
    return selector is None or not any(matches(selector, each) for each in labels)


def _covered(budget: Json, scene: Scene) -> Ref:
    labels = dig(budget, "spec", "selector", "matchLabels", default={})
    for pod in scene.of("Pod"):
        same = pod["metadata"].get("namespace") == budget["metadata"].get("namespace")
        if same and selected(dig(pod, "metadata", "labels", default={}), labels):
            return scene.owner(pod)
    return ref(budget)
