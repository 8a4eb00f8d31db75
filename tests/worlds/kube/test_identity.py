"""What tells one cluster from another, over real HTTP."""

from pathlib import Path

import pytest
from aiohttp import web

from opssquad.errors import ToolError
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.identity import identity
from tests.worlds.kube.stub_api import Stub, serving, status


async def told(stub: Stub, **cluster: object) -> str:
    connected = await Cluster.connect(stub.kubeconfig(cluster=cluster), deadline=2)
    try:
        return await identity(connected)
    finally:
        await connected.close()


async def test_a_cluster_is_told_by_the_uid_of_its_system_namespace(tmp_path: Path) -> None:
    async def system(request: web.Request) -> web.Response:
        return web.json_response({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "1f0c"}})

    async with serving(system, tmp_path) as stub:
        assert await told(stub) == "uid=1f0c"
        assert [request.path for request in stub.seen] == ["/api/v1/namespaces/kube-system"]


@pytest.mark.parametrize("metadata", [None, {}, {"uid": ""}, "x"])
async def test_two_clusters_whose_namespace_has_no_uid_are_two(tmp_path: Path, metadata: object) -> None:
    async def bare(request: web.Request) -> web.Response:
        return web.json_response({"kind": "Namespace", "metadata": metadata})

    async with serving(bare, tmp_path) as stub, serving(bare, tmp_path) as other:
        assert await told(stub) == await told(stub) != await told(other)


@pytest.mark.parametrize("code", [403, 404])
async def test_where_that_is_not_shown_it_is_told_by_address_and_authority(tmp_path: Path, code: int) -> None:
    async def withheld(request: web.Request) -> web.Response:
        return status(code, "Forbidden", "no")

    async with serving(withheld, tmp_path) as stub, serving(withheld, tmp_path) as other:
        here = await told(stub)
        assert here.startswith(f"server={stub.url} authority=")
        assert await told(stub) == here
        assert await told(other) != here
        assert await told(stub, **{"certificate-authority-data": "eA=="}) != here


async def test_a_server_that_fails_tells_nothing(tmp_path: Path) -> None:
    async def failing(request: web.Request) -> web.Response:
        return status(500, "InternalError", "no")

    async with serving(failing, tmp_path) as stub:
        with pytest.raises(ToolError):
            await told(stub)
