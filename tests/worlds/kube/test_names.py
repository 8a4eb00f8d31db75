"""A name given by a model or an engineer is one part of a path, or no request is made at all."""

from pathlib import Path

import pytest
from aiohttp import web

from opssquad.errors import ToolError
from opssquad.worlds.kube.cluster import Cluster
from tests.worlds.kube.stub_api import serving

CROOKED = ["..", ".", "a/b", "../../secrets/x", "%2e%2e", "a%2Fb", "a\nb", "a\x00b", "", " "]


async def anything(request: web.Request) -> web.StreamResponse:
    return web.json_response({"kind": "Pod", "metadata": {"name": "x", "namespace": "shop"}})


@pytest.mark.parametrize("name", CROOKED)
async def test_a_name_that_leads_to_another_path_is_never_sent(name: str, tmp_path: Path) -> None:
    async with serving(anything, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        for attempt in (
            cluster.get("Pod", name, "shop"),
            cluster.find("Namespace", name),
            cluster.logs(name, "shop"),
            cluster.delete("Pod", name, "shop"),
            cluster.patch("Pod", name, "shop", {}, how="merge"),
            cluster.replace("Pod", name, "shop", {}),
        ):
            with pytest.raises(ToolError, match="name"):
                await attempt
        await cluster.close()
    assert stub.seen == []


@pytest.mark.parametrize("namespace", CROOKED[:-2])
async def test_a_namespace_that_leads_to_another_path_is_never_sent(namespace: str, tmp_path: Path) -> None:
    async with serving(anything, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        for attempt in (
            cluster.get("Pod", "web", namespace),
            cluster.list("Pod", namespace),
            cluster.create("ConfigMap", {}, namespace),
            cluster.delete("Pod", "web", namespace),
        ):
            with pytest.raises(ToolError, match="cannot be the name of a namespace"):
                await attempt
        await cluster.close()
    assert stub.seen == []


@pytest.mark.parametrize("name", ["system:controller:job", "node-1.example.org", "x?watch=1", "x#y", "-n"])
async def test_any_other_name_stays_one_part_of_the_path(name: str, tmp_path: Path) -> None:
    async with serving(anything, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        await cluster.get("Pod", name, "shop")
        await cluster.close()
    assert [(r.path, r.query_string) for r in stub.seen] == [(f"/api/v1/namespaces/shop/pods/{name}", "")]
