"""Validation of objects, word for word as the server says what is wrong; each function yields causes."""

from collections.abc import Callable, Iterable, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.validation import kinds, updates, workloads
from opssquad.worlds.kube.apiserver.validation.metadata import metadata_causes, metadata_update_causes

Check = Callable[[Json], Iterable[Cause]]
CHECKS: dict[str, Check] = {
    "pods": workloads.pod,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "services": kinds.service,
    "configmaps": kinds.config_map,
    "secrets": kinds.secret,
    "horizontalpodautoscalers.autoscaling": kinds.autoscaler,
    "events": kinds.event,
    "poddisruptionbudgets.policy": kinds.disruption_budget,
    "networkpolicies.networking.k8s.io": kinds.network_policy,
}


def create_causes(resource: Resource, obj: Json) -> Iterator[Cause]:
    """What is wrong with a new object."""
    yield from metadata_causes(resource, obj)
    if check := CHECKS.get(resource.qualified):
        yield from check(obj)


def update_causes(resource: Resource, before: Json, after: Json) -> Iterator[Cause]:
    """What is wrong with a change."""
    yield from metadata_update_causes(before, after)
    if check := CHECKS.get(resource.qualified):
        yield from check(after)
    if change := updates.CHECKS.get(resource.qualified):
        yield from change(before, after)
