"""What every cluster holds and a recording may not: the cluster roles and bindings that the API server itself
makes when it starts.

Whoever recorded without the right to read roles would otherwise leave a cluster in which nobody but an
administrator may do anything, not even ask what he may do.
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
PLURALS = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}


def missing_roles(objects: Iterable[Json], seed: str) -> Iterator[tuple[ResourceKey, Json]]:
    """The server's own roles and bindings, as old as the oldest namespace; none if any role was recorded.

    `seed` makes the uids of one cluster differ from those of another.
    """
    recorded = list(objects)
    if any(obj["kind"] in PLURALS for obj in recorded):
        return
    created = min(
        (o["metadata"]["creationTimestamp"] for o in recorded if o["kind"] == "Namespace"), default=""
    )
    for number, obj in enumerate(_defaults(), 1):
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
