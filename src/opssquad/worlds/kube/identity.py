"""What tells a cluster from all others, whatever its context is called and wherever it points."""

from datetime import timedelta
from urllib.parse import quote

from opssquad.times import Clock, wall_clock
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.trouble import ApiError

WITHHELD = (403, 404)
"""Statuses of a server that does not show the namespace: to this login, or at all."""


SKEW = timedelta(minutes=5)
"""How far a live cluster's clock may be from ours: what Kerberos allows two machines."""


async def observed_as(cluster: Cluster, wall: Clock = wall_clock) -> str:
    """Under what name that is kept which is seen of a cluster: its identity. A served recording bears that of
    the cluster it was made of; it is told by its clock, which is another day's, and is kept apart by where
    it is served. Raises ToolError where nothing answers."""
    name = await identity(cluster)
    apart = abs(cluster.now() - wall())
    return name if apart <= SKEW else f"{name} served at {cluster.server}"


async def identity(cluster: Cluster) -> str:
    """`uid=...` of the namespace kube-system, asked for anew; where none can be read, address and authority
    of the server. Raises ToolError where nothing answers."""
    try:
        found = await cluster._http.read("/api/v1/namespaces/kube-system")
    except ApiError as error:
        if error.status not in WITHHELD:
            raise
        return cluster._http.access.identity()
    meta = found.get("metadata")
    uid = meta.get("uid") if isinstance(meta, dict) else None
    return f"uid={uid}" if uid else cluster._http.access.identity()


async def login_of(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """The data of a Secret that holds a login of ours, base64 as the API gives it. The one way by which
    values of a Secret leave a cluster: tools have none. Raises ToolError."""
    found = await cluster._http.read(f"/api/v1/namespaces/{quote(namespace)}/secrets/{quote(name)}")
    data = found.get("data")
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
