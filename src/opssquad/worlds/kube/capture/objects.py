"""Every object that a recording holds, read from a live cluster in the order in which recordings have them.

Custom kinds are recorded where the cluster says which there are: the objects in the chosen namespaces and the
definitions of their kinds. Custom objects that belong to no namespace are not.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from opssquad.types import Json
from opssquad.worlds.kube.capture.turns import Turns
from opssquad.worlds.kube.cluster import Cluster

OF_CLUSTER = """\
Node PersistentVolume Namespace StorageClass.storage.k8s.io IngressClass.networking.k8s.io
PriorityClass.scheduling.k8s.io ValidatingWebhookConfiguration.admissionregistration.k8s.io
MutatingWebhookConfiguration.admissionregistration.k8s.io
ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io
"""
OF_NAMESPACE = """\
Pod Service Endpoints ConfigMap Secret ServiceAccount PersistentVolumeClaim ResourceQuota LimitRange
ReplicationController EndpointSlice.discovery.k8s.io Deployment.apps ReplicaSet.apps StatefulSet.apps
DaemonSet.apps ControllerRevision.apps Job.batch CronJob.batch HorizontalPodAutoscaler.autoscaling
PodDisruptionBudget.policy Ingress.networking.k8s.io NetworkPolicy.networking.k8s.io
Role.rbac.authorization.k8s.io RoleBinding.rbac.authorization.k8s.io
Event Event.events.k8s.io PodMetrics.metrics.k8s.io
"""
NODE_METRICS = "NodeMetrics.metrics.k8s.io"
EVENTS = ("Event", "Event.events.k8s.io")
WITHOUT_NAMESPACE = "default"
"""Where the API server keeps events about objects that belong to no namespace, such as nodes."""
OWN_ROLES = "kubernetes.io/bootstrapping!=rbac-defaults"
"""Not the roles that every API server makes: whoever serves the recording makes them again."""

Keep = Callable[[Json], Json | None]


@dataclass(frozen=True)
class _Share:
    """One list to be read."""

    kind: str
    namespace: str = ""
    labels: str = ""
    keep: Keep | None = None


async def read_objects(cluster: Cluster, namespaces: tuple[str, ...], turns: Turns) -> list[Json]:
    """The objects of the namespaces and of the cluster; what cannot be read is in `turns.missing`."""
    shares = list(_shares(namespaces))
    found = await asyncio.gather(*(_read(cluster, share, turns) for share in shares))
    if not any(obj["kind"] == "Namespace" for part in found for obj in part):
        alone = await asyncio.gather(*(_namespace(cluster, name, turns) for name in namespaces))
        found.append(list(chain.from_iterable(alone)))
    custom = await _custom(cluster, namespaces, turns)
    return [*chain.from_iterable(found), *custom]


def _shares(namespaces: tuple[str, ...]) -> Iterator[_Share]:
    for kind in OF_CLUSTER.split():
        yield _Share(kind, labels=OWN_ROLES if kind.startswith("ClusterRole") else "")
    for kind in OF_NAMESPACE.split():
        yield from (_Share(kind, namespace) for namespace in namespaces)
    yield _Share(NODE_METRICS)
    if WITHOUT_NAMESPACE not in namespaces:
        yield from (_Share(kind, WITHOUT_NAMESPACE, keep=_about_cluster) for kind in EVENTS)


def _about_cluster(event: Json) -> Json | None:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return None if about.get("namespace") else event


async def _read(cluster: Cluster, share: _Share, turns: Turns) -> list[Json]:
    kind, _, group = share.kind.partition(".")
    found = await turns.take(
        share.kind,
        share.namespace,
        lambda: cluster.list(kind, share.namespace, labels=share.labels, group=group, keep=share.keep),
    )
    return found or []


async def _namespace(cluster: Cluster, name: str, turns: Turns) -> list[Json]:
    """A namespace by its name: whoever may not list them may often read his own."""
    found = await turns.take("Namespace", name, lambda: cluster.get("Namespace", name))
    return [found] if found else []


async def _custom(cluster: Cluster, namespaces: tuple[str, ...], turns: Turns) -> list[Json]:
    """Definitions of the custom kinds that are used in the namespaces, then the objects."""
    table = await turns.take(
        "CustomResourceDefinition", "", lambda: cluster.table("CustomResourceDefinition")
    )
    if not table or not table.rows:
        return []
    defined = {row.name for row in table.rows}
    served = await turns.take("CustomResourceDefinition", "", cluster.kinds) or []
    # A kind may be served in several versions, the preferred one first.
    kinds = dict.fromkeys(f"{each.plural}.{each.group}" for each in served if each.namespaced)
    custom = [name for name in kinds if name in defined]
    shares = [_Share(name, namespace) for name in custom for namespace in namespaces]
    found = await asyncio.gather(*(_read(cluster, share, turns) for share in shares))
    used = dict.fromkeys(share.kind for share, part in zip(shares, found, strict=True) if part)
    definitions = await asyncio.gather(*(_definition(cluster, name, turns) for name in used))
    known = {each["metadata"]["name"] for each in definitions if each}
    objects = [obj for share, part in zip(shares, found, strict=True) if share.kind in known for obj in part]
    return [*(each for each in definitions if each), *objects]


async def _definition(cluster: Cluster, name: str, turns: Turns) -> Json | None:
    return await turns.take(
        "CustomResourceDefinition", name, lambda: cluster.get("CustomResourceDefinition", name)
    )
