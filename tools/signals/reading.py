"""Every signal of a scene, gravest first: the one entry to the modules that know a kind of object each."""

from collections.abc import Callable, Iterable, Iterator

from opssquad import Json, Ref, Signal

from .._kube import ref
from ._scene import Scene
from .agents import agent_signals
from .autoscaling import budget_signals, hpa_signals
from .certificates import certificate_signals, secret_signals
from .companions import claim_class_signals, governing_signals, pull_secret_signals
from .cpu import cpu_signals
from .creation import creation_signals
from .dns import dns_signals
from .environment import environment_signals
from .gateways import ROUTES, class_signals, gateway_signals, route_signals
from .ingresses import ingress_signals
from .jobs import cron_signals, job_signals
from .mesh import mesh_signals
from .mutation import mutation_signals
from .names import missing_services
from .nodes import node_signals
from .operators import (
    catalog_signals,
    extension_signals,
    group_signals,
    plan_signals,
    subscription_signals,
    version_signals,
)
from .pods import pod_signals
from .policies import policy_signals
from .quota import quota_signals
from .recovery import divided, health_signals, troubled
from .references import reference_signals
from .replicas import KINDS
from .scalers import scaled_signals
from .services import service_signals
from .stopping import old_pod_signals
from .storage import claim_signals, default_class_signals, volume_signals
from .webhooks import MUTATING, VALIDATING, webhook_signals
from .workloads import workload_signals

READERS: dict[str, Callable[[Json, Scene], Iterable[Signal]]] = {
    "Node": node_signals,
    "Pod": pod_signals,
    "Job": job_signals,
    "CronJob": cron_signals,
    "ResourceQuota": quota_signals,
    "Service": service_signals,
    "Ingress": ingress_signals,
    "Secret": secret_signals,
    "Certificate": certificate_signals,
    "PersistentVolumeClaim": claim_signals,
    "HorizontalPodAutoscaler": hpa_signals,
    "PodDisruptionBudget": budget_signals,
    VALIDATING: webhook_signals,
    MUTATING: webhook_signals,
    "GatewayClass": class_signals,
    "Gateway": gateway_signals,
    **dict.fromkeys(ROUTES, route_signals),
    "CatalogSource": catalog_signals,
    "ClusterCatalog": catalog_signals,
    "ClusterServiceVersion": version_signals,
    "Subscription": subscription_signals,
    "InstallPlan": plan_signals,
    "ClusterExtension": extension_signals,
    "ScaledObject": scaled_signals,
}
RANK = {"critical": 0, "warning": 1, "info": 2}


def read_signals(scene: Scene) -> list[Signal]:
    """Everything that the objects and events of the scene tell, gravest first, else in reading order."""
    found = list(_all(scene))
    found.sort(key=lambda each: RANK[each.severity])
    return found


def _all(scene: Scene) -> Iterator[Signal]:
    for kind, reader in READERS.items():
        for obj in scene.of(kind):
            yield from reader(obj, scene)
    for volume in scene.of("PersistentVolume"):
        yield from volume_signals(volume)
    yield from default_class_signals(scene)
    yield from group_signals(scene)
    yield from dns_signals(scene)
    yield from policy_signals(scene)
    yield from mesh_signals(scene)
    yield from agent_signals(scene)
    for pod in scene.of("Pod"):
        yield from mutation_signals(pod, scene)
    past = troubled(scene)
    for workload in scene.of(*KINDS):
        yield from workload_signals(workload, scene)
        yield from creation_signals(workload, scene)
        yield from reference_signals(workload, scene)
        yield from missing_services(workload, scene)
        yield from governing_signals(workload, scene)
        yield from claim_class_signals(workload, scene)
        yield from pull_secret_signals(workload, scene)
        yield from cpu_signals(workload, scene)
        yield from environment_signals(workload, scene)
        yield from divided(workload, scene)
        yield from health_signals(workload, scene, past.get(ref(workload), []))
        yield from old_pod_signals(workload, scene, past.get(ref(workload), []))


def concerning(signals: Iterable[Signal], workload: Ref) -> list[Signal]:
    """The signals that a workload answers for, or that are about it."""
    return [each for each in signals if workload in (each.owner, each.entity)]
