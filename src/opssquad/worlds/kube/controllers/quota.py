"""The status of ResourceQuotas: limits follow the spec, use follows the pods."""

from collections.abc import Iterable
from fractions import Fraction

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.quota import usage
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.apiserver.typed.quantity import canonical, parse
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import (
    copy,
    is_finished,
    key_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.podspec import pods as pod_resource


class QuotaController:
    """Keeps the counts of quotas."""

    latency = 0.05

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """A quota that changed; those of the namespace of a pod that is gone."""
        if change.resource == kinds.QUOTAS and change.type != "DELETED":
            yield key_of(change.object)
        elif change.resource == kinds.PODS and change.type == "DELETED":
            yield from map(key_of, self._plane.all(kinds.QUOTAS, namespace_of(change.object)))

    def sync(self, key: tuple[str, str]) -> None:
        """Bring a quota's status up to date."""
        quota = self._plane.get(kinds.QUOTAS, *key)
        if quota is None:
            return
        hard, old = quota["spec"].get("hard") or {}, status_of(quota)
        running = [p for p in self._plane.all(kinds.PODS, key[0]) if not is_finished(p)]
        used = {name: self._used(name, running, old) for name in hard}
        status = {**old, "hard": dict(hard), "used": used}
        if status != old:
            self._plane.update(kinds.QUOTAS, {**copy(quota), "status": status}, subresource="status")

    @staticmethod
    def _used(name: str, pods: list[Json], old: Json) -> str:
        before: str = (old.get("used") or {}).get(name, "0")
        amounts = [usage(pod_resource(), pod) for pod in pods]
        if not any(name in amount for amount in amounts):
            return before
        total = sum((amount.get(name, Fraction(0)) for amount in amounts), Fraction(0))
        if total == parse(before):
            return before
        whole = total.denominator == 1 and total >= 1024 and total % 1024 == 0
        return canonical(f"{total // 1024}Ki") if whole else canonical(f"{total * 1000}m")
