"""The counts of PodDisruptionBudgets."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.labels import matches, of_selector
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import (
    condition,
    copy,
    is_deleted,
    is_ready,
    key_of,
    labels_of,
    namespace_of,
    scaled,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane


class BudgetController:
    """Counts the pods of budgets."""

    latency = 0.007

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The budget itself, and those that select a pod that changed."""
        if change.resource == kinds.BUDGETS and change.type != "DELETED":
            yield key_of(change.object)
        elif change.resource == kinds.PODS:
            for budget in self._plane.all(kinds.BUDGETS, namespace_of(change.object)):
                if _selects(budget, change.object):
                    yield key_of(budget)

    def sync(self, key: tuple[str, str]) -> None:
        """Count the pods of a budget."""
        budget = self._plane.get(kinds.BUDGETS, *key)
        if budget is None:
            return
        pods = [pod for pod in self._plane.all(kinds.PODS, key[0]) if _selects(budget, pod)]
        if not pods:
            self._plane.events.say(budget, "NoPods", "No matching pods found", "controllermanager")
        healthy = sum(is_ready(pod) and not is_deleted(pod) for pod in pods)
        spec, expected = budget["spec"], len(pods)
        if "maxUnavailable" in spec:
            desired = max(0, expected - scaled(spec["maxUnavailable"], expected, up=True))
        else:
            desired = scaled(spec.get("minAvailable", 1), expected, up=True)
        allowed = max(0, healthy - desired) if expected else 0
        old = status_of(budget)
        status = {
            **old,
            "observedGeneration": budget["metadata"].get("generation", 1),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
        }
        status["conditions"] = [self._condition(budget, old, allowed > 0)]
        if status != old:
            self._plane.update(kinds.BUDGETS, {**copy(budget), "status": status}, subresource="status")

    def _condition(self, budget: Json, old: Json, allowed: bool) -> Json:
        word, before = "True" if allowed else "False", condition(old, "DisruptionAllowed")
        same = before is not None and before["status"] == word
        return {
            "type": "DisruptionAllowed",
            "status": word,
            "observedGeneration": budget["metadata"].get("generation", 1),
            "lastTransitionTime": before["lastTransitionTime"] if before and same else self._plane.stamp,
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
        }


def _selects(budget: Json, pod: Json) -> bool:
    wanted = of_selector(budget["spec"].get("selector"))
    return wanted is not None and matches(wanted, labels_of(pod))
