"""`health` against the recorded clusters over HTTP: one call shows what is broken, and says of what scope."""

import pytest
import tools._read
from tools._read import read
from tools.health import health

from opssquad import Result, ToolError
from opssquad.worlds.kube.cluster import Cluster
from tests.tools.recorded import IDS, of_kind, truth
from tests.tools.served import cluster_of


async def look(recording: str, **args: str) -> Result:
    async with cluster_of(recording) as cluster:
        return await health.run(dict(args), {Cluster: cluster})


def space(recording: str) -> str:
    return next(of_kind(recording, "Deployment"))["metadata"]["namespace"]


async def test_the_broken_workload_comes_first_with_its_pods_by_restarts() -> None:
    result = await look("auth-0308", namespace="authentication")
    assert result.data["workloads"][0] == "Deployment/authentication/auth-service"
    assert [each.rsplit("-", 1)[1] for each in result.data["pods"]] == ["nqd7q", "df7fg", "wxs5j"]
    head, counts = result.text.splitlines()[:2]
    assert head.startswith("Cluster production, namespace authentication, at 14:37:")
    assert counts == "14 pods: 10 ready, 3 not ready, 1 finished. nodes: 3 of 3 ready"
    assert "restarts since the pod started 51 min ago" in " ".join(result.text.split())


@pytest.mark.parametrize("recording", IDS)
async def test_one_call_is_short_fits_80_columns_and_cites_what_it_says(recording: str) -> None:
    result = await look(recording, namespace=space(recording))
    assert len(result.text) / 3.5 < 1500
    assert max(len(line) for line in result.text.splitlines()) <= 84
    sources = {each.locator: each.text for each in result.sources}
    assert all(q.text in sources[q.locator] for each in result.signals for q in each.quotes)
    name = truth(recording)["component"]["name"]
    assert name in result.text.split("WELL")[0] or recording == "shop-0618"


async def test_the_whole_cluster_is_looked_at_without_a_namespace() -> None:
    result = await look("shop-0412")
    assert "all namespaces" in result.text
    assert result.data["workloads"][0] == "Deployment/shop/checkout"
    assert result.commands[0] == "kubectl get pods -A"


async def test_of_a_workload_that_recovered_its_pods_and_the_recovery_are_shown() -> None:
    result = await look("media-0811", namespace="streaming", workload="deploy/profile")
    assert "Nothing is broken now." in result.text
    assert "all 2 pods ready since 11:51" in " ".join(result.text.split())
    assert [each.id for each in result.signals if each.id == "workload.recovered"]
    assert len(result.data["pods"]) == 2


async def test_a_workload_refused_by_a_quota_shows_the_quota() -> None:
    result = await look("media-0715", namespace="streaming", workload="profile")
    assert {"replicaset.create_failed", "quota.exceeded"} <= {each.id for each in result.signals}
    assert "recommender" not in result.text


async def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(ToolError, match="no workload 'payment' here; nearest: payments"):
        await look("shop-0618", namespace="shop", workload="payment")
    with pytest.raises(ToolError, match="shop"):
        await look("shop-0618", namespace="shopp")


async def test_what_was_read_whole_is_known_by_kind_and_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cluster_of("shop-0412") as cluster:
        one, everything = await read(cluster, "shop"), await read(cluster, "")
        monkeypatch.setattr(tools._read, "SMALL", 5)
        large = await read(cluster, "shop")
    assert one.scene.covers("Pod", "shop")
    assert not one.scene.covers("Service", "kube-system")
    assert everything.scene.covers("Service", "kube-system")
    assert one.scene.covers("IngressClass")
    # Of many pods only those in trouble are kept, so that one is missing there means nothing.
    assert not large.scene.covers("Pod", "shop")
    assert large.scene.covers("Service", "shop")
