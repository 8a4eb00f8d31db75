"""Cases in which the squad may not see everything: the cluster itself refuses, and abstaining is right."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import ToolError
from opssquad.evals.plan import cases_of, jobs_of
from opssquad.evals.stage import staged
from opssquad.evals.suite import read_suite
from opssquad.evals.work import work
from opssquad.worlds.kube.cluster import Cluster

FOLDER = content.recordings()["shop-0412"]


async def test_the_cluster_refuses_what_is_withheld_and_nothing_else(tmp_path: Path) -> None:
    async with staged(FOLDER, tmp_path, ["pods/log", "events"]) as stage:
        cluster = await Cluster.connect(stage.kubeconfig)
        pods = await cluster.list("Pod", "shop")
        name = pods[0]["metadata"]["name"]
        with pytest.raises(ToolError, match='User "oncall-limited" cannot get resource "pods/log"'):
            await cluster.logs(name, "shop")
        with pytest.raises(ToolError, match="cannot list resource"):
            await cluster.list("Event", "shop")
        asked = [await cluster.can_i("list", kind, "shop") for kind in ("Deployment", "Event", "Secret")]
        assert asked == [True, False, True]
        await cluster.close()


async def test_what_is_withheld_as_a_whole_is_so_with_its_parts_and_a_colleague_sees_it(
    tmp_path: Path,
) -> None:
    async with staged(FOLDER, tmp_path, ["pods"]) as stage:
        cluster = await Cluster.connect(stage.kubeconfig)
        pod = next(obj["metadata"]["name"] for obj in stage.objects() if obj["kind"] == "Pod")
        for read in (cluster.list("Pod", "shop"), cluster.logs(pod, "shop")):
            with pytest.raises(ToolError, match="forbidden"):
                await read
        await cluster.close()
        assert stage.patch("Pod", "shop", pod, {"metadata": {"annotations": {"a": "b"}}})
        assert stage.writes() == []


async def test_a_squad_that_says_so_passes_and_one_that_could_see_it_does_not(tmp_path: Path) -> None:
    suite = tmp_path / "blind.yaml"
    entry = f"{{recording: {FOLDER}, expect: unknown"
    suite.write_text(f"name: blind\nversion: 1\ncases:\n- {entry}, withheld: [pods, events]}}\n- {entry}}}\n")
    reads = [read_suite(str(suite))]
    jobs = jobs_of(reads, cases_of(reads), ["offline"], 1, sampling={}, tapes="", replay=False)
    assert [job.case.id for job in jobs] == [
        "shop-0412/q0-without-pods+events/ask/plain",
        "shop-0412/q0/ask/plain",
    ]
    blind, seeing = [(await work(job)).score for job in jobs]
    assert blind
    assert seeing
    assert (blind.abstained, blind.passed, blind.harm) == ("right", True, ())
    assert (seeing.abstained, seeing.passed) == ("no", False)
