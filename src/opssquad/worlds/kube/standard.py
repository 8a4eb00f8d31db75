"""What every cluster holds and a recording may not: the cluster roles and bindings that the API server itself
makes when it starts.

A capture leaves them out, and whoever records may have no right to read roles: without them nobody but an
administrator could do anything in the recorded cluster, not even ask what he may do.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.controllers import naming

GROUP = "rbac.authorization.k8s.io"
OWN = "kubernetes.io/bootstrapping"
"""The label of the roles that an API server makes."""
PLURALS = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}


def missing_roles(objects: Iterable[Json], seed: str) -> Iterator[tuple[ResourceKey, Json]]:
    """The server's own roles and bindings, as old as the oldest namespace; none if any of them was recorded.

    `seed` makes the uids of one cluster differ from those of another.
    """
    recorded = list(objects)
    roles = [obj["metadata"] for obj in recorded if obj["kind"] in PLURALS]
    if any(OWN in (metadata.get("labels") or {}) for metadata in roles):
        return
    created = min(
        (o["metadata"]["creationTimestamp"] for o in recorded if o["kind"] == "Namespace"), default=""
    )
    made = {(obj["kind"], obj["metadata"]["name"]) for obj in recorded}
    for number, obj in enumerate(_defaults(), 1):
        if (obj["kind"], obj["metadata"]["name"]) in made:
            continue
        metadata = {
            **obj["metadata"],
            "uid": naming.uid(seed, obj["kind"], obj["metadata"]["name"]),
            "resourceVersion": str(number),
            **({"creationTimestamp": created} if created else {}),
        }
        yield ResourceKey(GROUP, PLURALS[obj["kind"]]), {**obj, "metadata": metadata}


@cache
def _defaults() -> list[Json]:
    """Roles and bindings of a 1.36 server, without what differs from cluster to cluster."""
    packed = files("opssquad.worlds.kube.apiserver").joinpath("data", "roles.json.gz").read_bytes()
    loaded: list[Json] = json.loads(gzip.decompress(packed))
    return loaded
