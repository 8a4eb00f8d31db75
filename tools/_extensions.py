"""Kinds that are no part of Kubernetes and that signals are read off, where the cluster serves them.

Which those are is told by the server's discovery: of what it does not serve nothing is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from opssquad import Cluster, ToolError

MESH, MESH_ROOT = "security.istio.io", "istio-system"
"""Istio's policies, and the namespace where one is about all others, unless the mesh was set up otherwise."""
READ = {
    "gateway.networking.k8s.io": ("GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute"),
    "operators.coreos.com": (
        *("CatalogSource", "ClusterServiceVersion", "Subscription", "InstallPlan", "OperatorGroup"),
    ),
    "olm.operatorframework.io": ("ClusterCatalog", "ClusterExtension"),
    "cert-manager.io": ("Certificate",),
    "keda.sh": ("ScaledObject",),
    MESH: ("AuthorizationPolicy", "PeerAuthentication"),
}
"""The kinds by group. Another group may have kinds of the same names: those mean something else."""


@dataclass(frozen=True)
class Extension:
    """A kind of an API group that the cluster serves, and whether its objects live in namespaces."""

    group: str
    kind: str
    namespaced: bool


async def served(cluster: Cluster) -> tuple[list[Extension], dict[str, str]]:
    """Those of the kinds that the cluster serves; and what is not known if it does not tell."""
    try:
        found = await cluster.kinds(*READ)
    except ToolError as error:
        return [], {"custom kinds": str(error)}
    known = [Extension(each.group, each.kind, each.namespaced) for each in found]
    return [each for each in known if each.kind in READ[each.group]], {}


def spaces_of(kind: Extension, spaces: Iterable[str]) -> list[str]:
    """Where a kind is read for what is in these namespaces ("": everywhere)."""
    if not kind.namespaced:
        return [""]
    found = list(spaces)
    more = [MESH_ROOT] if kind.group == MESH and found and "" not in found else []
    return list(dict.fromkeys([*found, *more]))
