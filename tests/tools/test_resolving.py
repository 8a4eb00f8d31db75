"""`logs` over HTTP of a name that does not resolve: whether its Service exists, and who should know it."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tools.logs import logs

from opssquad import Json, Result, Signal
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS, of_kind

SYSTEM = {"namespace": "kube-system"}
LABELS = {"k8s-app": "kube-dns"}


def stored(version: str, kind: str, name: str, number: int, **more: Any) -> Json:
    meta = {
        "name": name,
        "uid": f"00000000-0000-4000-8000-{number:012d}",
        "resourceVersion": "84150000",
        "creationTimestamp": "2026-01-02T00:00:00Z",
    }
    return {"apiVersion": version, "kind": kind, "metadata": {**meta, **more.pop("place", SYSTEM)}, **more}


PORT = {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}
TEMPLATE = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "names", "image": "registry.example/names:1"}]},
}
RESOLVER = [
    stored("v1", "Namespace", "kube-system", 1, place={}, status={"phase": "Active"}),
    stored("v1", "Service", "kube-dns", 2, spec={"selector": LABELS, "ports": [PORT]}),
    stored(
        "apps/v1",
        "Deployment",
        "names",
        3,
        spec={"replicas": 2, "selector": {"matchLabels": LABELS}, "template": TEMPLATE},
    ),
]


async def asked(folder: Path, words: str, *more: Json) -> Signal:
    """The signal of a name that does not resolve, of a pod that logged these words last."""
    made = folder / "shop-0412"
    shutil.copytree(RECORDINGS / "shop-0412", made)
    here = {each["metadata"]["name"] for each in of_kind("shop-0412", "Namespace")}
    path = made / "cluster" / "objects.jsonl.gz"
    added = "".join(json.dumps(each) + "\n" for each in more if each["metadata"]["name"] not in here)
    path.write_bytes(gzip.compress(path.read_bytes() and gzip.decompress(path.read_bytes()) + added.encode()))
    log = next((made / "logs" / "shop").glob("cart-*/cart.log"))
    with log.open("a", encoding="utf-8") as kept:
        kept.write(f"2026-04-12T10:40:59.000000000Z ERROR {words}\n")
    async with open_recording(made) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        try:
            found: Result = await logs.run({"pod": log.parent.name, "namespace": "shop"}, {Cluster: cluster})
        finally:
            await cluster.close()
    sources = {each.locator: each.text for each in found.sources}
    (signal,) = (each for each in found.signals if each.id == "log.unresolved")
    assert all(quote.text in sources[quote.locator] for quote in signal.quotes)
    return signal


@pytest.mark.parametrize(
    ("host", "exists", "dns"),
    [
        ("catalog", True, "Deployment/kube-system/names"),
        ("catalog.shop.svc.cluster.local", True, "Deployment/kube-system/names"),
        ("no-such", False, None),
    ],
)
async def test_a_name_whose_service_exists_points_at_the_clusters_dns(
    tmp_path: Path, host: str, exists: bool, dns: str | None
) -> None:
    found = await asked(tmp_path, f"getaddrinfo ENOTFOUND {host}", *RESOLVER)
    assert (found.data["exists"], found.data.get("dns")) == (exists, dns)
    assert ("exists" in found.text) is exists


async def test_without_an_answer_the_name_need_not_exist(tmp_path: Path) -> None:
    found = await asked(tmp_path, "getaddrinfo EAI_AGAIN no-such", *RESOLVER)
    assert (found.data["exists"], found.data["dns"]) == (False, "Deployment/kube-system/names")


async def test_a_cluster_that_shows_no_dns_is_not_accused(tmp_path: Path) -> None:
    found = await asked(tmp_path, "getaddrinfo ENOTFOUND catalog")
    assert (found.data["exists"], "dns" in found.data) == (True, False)


async def test_a_name_outside_of_the_cluster_is_looked_up_nowhere(tmp_path: Path) -> None:
    found = await asked(tmp_path, "getaddrinfo ENOTFOUND api.payments.example.com", *RESOLVER)
    assert not {"exists", "dns", "used_by"} & set(found.data)
