"""Kinds that are no part of Kubernetes: read where the cluster serves them, else no request is made."""

import gzip
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zlib import crc32

import pytest
from tools._extensions import READ
from tools.health import health

from opssquad import Json, Result
from opssquad.worlds.kube.apiserver import server
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply, Stream
from opssquad.worlds.kube.apiserver.world import ServedWorld
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS

GATEWAYS = "gateway.networking.k8s.io"
ELSEWHERE = "networking.other.example"


def definition(group: str, kind: str, plural: str, scope: str = "Namespaced") -> Json:
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    versions = [{"name": "v1", "served": True, "storage": True}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta(f"{plural}.{group}"),
        "spec": {"group": group, "names": names, "scope": scope, "versions": versions},
    }


def meta(name: str, namespace: str = "") -> Json:
    where = {"namespace": namespace} if namespace else {}
    uid = f"00000000-0000-4000-8000-{crc32(name.encode()):012d}"
    stamp = {"resourceVersion": "84150000", "creationTimestamp": "2026-01-02T00:00:00Z"}
    return {"name": name, **where, "uid": uid, **stamp}


def custom(group: str, kind: str, name: str, spec: Json) -> Json:
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta(name, "shop"), "spec": spec}


ROUTE = custom(
    GATEWAYS,
    "HTTPRoute",
    "shop",
    {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "no-such", "port": 80}]}]},
)
NAMESAKE = custom(ELSEWHERE, "Gateway", "edge", {"gatewayClassName": "absent"})


@asynccontextmanager
async def cluster_with(folder: Path, *more: Json) -> AsyncIterator[tuple[Cluster, list[str]]]:
    """A recorded cluster with more objects, and the requests that came to it."""
    made = folder / "shop-0412"
    shutil.copytree(RECORDINGS / "shop-0412", made)
    path = made / "cluster" / "objects.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress((lines + "".join(json.dumps(each) + "\n" for each in more)).encode()))
    async with open_recording(made) as served:
        seen: list[str] = []

        def heard(world: ServedWorld, call: Call) -> Reply | Stream:
            seen.append(call.target.partition("?")[0])
            return answer(world, call)

        cluster = await Cluster.connect(served.kubeconfig)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(server, "answer", heard)
            yield cluster, seen
        await cluster.close()


async def look(cluster: Cluster) -> Result:
    return await health.run({"namespace": "shop"}, {Cluster: cluster})


async def test_custom_kinds_are_read_where_the_cluster_serves_them(tmp_path: Path) -> None:
    more = [definition(GATEWAYS, "HTTPRoute", "httproutes"), ROUTE]
    async with cluster_with(tmp_path, *more) as (cluster, seen):
        found = {each.id: each for each in (await look(cluster)).signals}
    assert found["route.backend_missing"].text == "HTTPRoute shop: Service no-such does not exist"
    # That there is no Gateway is not known of a cluster that does not serve the kind.
    assert "route.not_accepted" not in found
    assert sum(GATEWAYS in each for each in seen) == 1


async def test_a_cluster_without_them_is_asked_once_what_it_serves_and_for_none(tmp_path: Path) -> None:
    async with cluster_with(tmp_path) as (cluster, seen):
        first = await look(cluster)
        once = len(seen)
        await look(cluster)
    assert first.data["unread"] == []
    assert [each for each in seen if each == "/apis"] == ["/apis"]
    assert len(seen) - once == once - 1
    assert not [each for each in seen for group in READ if group in each]


async def test_a_kind_of_the_same_name_in_another_group_is_not_taken_for_it(tmp_path: Path) -> None:
    more = [definition(ELSEWHERE, "Gateway", "gateways"), NAMESAKE]
    async with cluster_with(tmp_path, *more) as (cluster, seen):
        found = {each.id for each in (await look(cluster)).signals}
    assert not {each for each in found if each.startswith("gateway")}
    assert not [each for each in seen if ELSEWHERE in each]
