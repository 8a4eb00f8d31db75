"""A check of a rollback: whether pods of a StatefulSet or DaemonSet take the old template by themselves."""

from collections.abc import Sequence

from opssquad import Json

from ._checks import Finding
from ._held import keeping, late_ones
from ._kube import dig, uid
from ._plan import Plan
from ._pods import is_finished


def order(plan: Plan, pods: Sequence[Json]) -> Finding:
    """What has to be done by hand after the rollback, for the pods to follow it."""
    mine = [
        pod
        for pod in pods
        if not is_finished(pod)
        and any(
            owner.get("uid") == uid(plan.workload)
            for owner in dig(pod, "metadata", "ownerReferences", default=())
        )
    ]
    if words := keeping(plan.workload, mine):
        return Finding("order", "risk", words, (plan.workload, *late_ones(plan.workload, mine)))
    return Finding("order", "ok", "its pods take the template by themselves", (plan.workload,))
