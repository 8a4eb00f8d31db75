"""Evictions: deletions of pods that a disruption budget may forbid."""

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver import labels
from opssquad.worlds.kube.apiserver.bodies import Expected, read_body
from opssquad.worlds.kube.apiserver.deleting import delete_object
from opssquad.worlds.kube.apiserver.options import delete_options_of
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.status import Cause, internal, not_found, too_many_requests
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.schema import schema

BUDGETS = ResourceKey("policy", "poddisruptionbudgets")
FORBIDDEN = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
EVICTED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def evict(store: Store, request: Request) -> Reply:
    """POST of an Eviction. Raises ApiStatus 429 when a budget forbids it."""
    kind = schema().kind("policy/v1", "Eviction")
    body = read_body(request, Expected("policy/v1", "Eviction", kind)).obj
    options = delete_options_of({**_query_options(request), **(body.get("deleteOptions") or {})})
    pod = store.get(request.resource.key, request.namespace, request.name)
    if pod is None:
        raise not_found(request.resource, request.name)
    if _needs_budget(pod):
        _spend(store, pod, options.dry_run)
        pod = _told(store, request, pod, options.dry_run)
    delete_object(store, request.resource, pod, options)
    return Reply(201, dict(EVICTED))


def _query_options(request: Request) -> Json:
    return {"dryRun": [request.query["dryRun"]]} if request.query.get("dryRun") else {}


def _needs_budget(pod: Json) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed", "Pending") and not pod["metadata"].get("deletionTimestamp")


def _spend(store: Store, pod: Json, dry_run: bool) -> None:
    """Take one disruption from the budget that covers the pod, if there is one."""
    budgets = [b for b in store.list(BUDGETS, pod["metadata"]["namespace"]) if _covers(b, pod)]
    if not budgets:
        return
    if len(budgets) > 1:
        raise internal(SEVERAL)
    [budget] = budgets
    status, name = dict(budget.get("status") or {}), budget["metadata"]["name"]
    if not _ready(pod) and _may_go_unready(budget):
        return
    if status.get("disruptionsAllowed", 0) < 1:
        needed, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        said = f"The disruption budget {name} needs {needed} healthy pods and has {has} currently"
        raise too_many_requests(FORBIDDEN, [Cause("DisruptionBudget", said)])
    now = rfc3339(store.now())
    status["disruptionsAllowed"] -= 1
    status["disruptedPods"] = {**status.get("disruptedPods", {}), pod["metadata"]["name"]: now}
    if not status["disruptionsAllowed"]:
        status["conditions"] = [_insufficient(c, now) for c in status.get("conditions") or []]
    if not dry_run:
        store.put(BUDGETS, {**budget, "status": status})


def _covers(budget: Json, pod: Json) -> bool:
    wanted = labels.of_selector((budget.get("spec") or {}).get("selector"))
    return wanted is not None and labels.matches(wanted, pod["metadata"].get("labels") or {})


def _ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _may_go_unready(budget: Json) -> bool:
    """Pods that are not ready may go if the budget says always, or if enough others are healthy."""
    status = budget.get("status") or {}
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status.get("desiredHealthy", 0)
    return bool(desired > 0 and status.get("currentHealthy", 0) >= desired)


def _insufficient(condition: Json, now: str) -> Json:
    if condition["type"] != "DisruptionAllowed" or condition["status"] == "False":
        return condition
    return {**condition, "status": "False", "reason": "InsufficientPods", "lastTransitionTime": now}


def _told(store: Store, request: Request, pod: Json, dry_run: bool) -> Json:
    """The pod with the condition that says why it goes."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(store.now()),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    status = pod.get("status", {})
    conditions = [c for c in status.get("conditions") or [] if c["type"] != "DisruptionTarget"]
    told = {**pod, "status": {**status, "conditions": [*conditions, condition]}}
    return told if dry_run else store.put(request.resource.key, told)
