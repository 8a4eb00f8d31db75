"""Which workload has which address, where a cluster is connected: a session tells its client's address."""

from opssquad import Cluster, Json, ToolError

from .._kube import dig


async def workloads_by_address(cluster: Cluster | None) -> dict[str, str]:
    """`Kind/namespace/name` of the workload by the address of each of its pods; empty where that cannot be
    seen."""
    if cluster is None:
        return {}
    try:
        pods = await cluster.list("Pod", keep=_slim)
        sets = await cluster.list("ReplicaSet", keep=_owner)
    except ToolError:
        # Sessions are told without their workloads then.
        return {}
    above = {name: owner for name, owner in sets if owner}
    return {address: above.get(owner, owner) for address, owner in pods if address and owner}


def _slim(pod: Json) -> tuple[str, str]:
    return str(dig(pod, "status", "podIP", default="")), _owned_by(pod)


def _owner(obj: Json) -> tuple[str, str]:
    meta = obj["metadata"]
    return f"ReplicaSet/{meta['namespace']}/{meta['name']}", _owned_by(obj)


def _owned_by(obj: Json) -> str:
    meta = obj["metadata"]
    owners = meta.get("ownerReferences") or []
    own = f"{obj.get('kind', 'Pod')}/{meta['namespace']}/{meta['name']}"
    return f"{owners[0]['kind']}/{meta['namespace']}/{owners[0]['name']}" if owners else own
