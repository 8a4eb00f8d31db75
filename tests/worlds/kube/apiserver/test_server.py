"""The server over real HTTP: encodings, credentials, the clock, clients that go away, the stock Python
client.
"""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest

from opssquad.worlds.kube.apiserver.server import serving
from tests.worlds.kube.apiserver.small import PODS, SmallWorld, pod

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def world() -> SmallWorld:
    return SmallWorld(pod("web-1"))


@pytest.fixture
async def client(world: SmallWorld) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(world) as url, aiohttp.ClientSession(url) as session:
        yield session


async def test_the_date_is_that_of_the_world(client: aiohttp.ClientSession) -> None:
    async with client.get("/version") as response:
        assert response.headers["Date"] == "Sun, 08 Mar 2026 14:37:00 GMT"
        assert (await response.json())["gitVersion"] == "v1.36.2"


async def test_yaml_is_sent_to_those_who_ask(client: aiohttp.ClientSession) -> None:
    path = "/api/v1/namespaces/a/pods/web-1"
    async with client.get(path, headers={"Accept": "application/yaml"}) as response:
        assert response.content_type == "application/yaml"
        assert "  name: web-1\n" in await response.text()


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/api/v1/namespaces/a/pods/web-1", "application/vnd.kubernetes.protobuf,application/json", 200),
        ("/api/v1/namespaces/a/pods/web-1", "application/vnd.kubernetes.protobuf", 406),
        ("/api/v1/namespaces/a/pods/web-1", "application/xml", 406),
        ("/api/v1/namespaces/a/pods/none", "application/json", 404),
        ("/api/v1/namespaces/a/things", "application/json", 404),
        ("/apis/nothing/v1/things", "application/json", 404),
        ("/nowhere", "*/*", 404),
        ("/api/v1/namespaces/a/pods/web-1/exec?command=ls", "*/*", 400),
        ("/readyz?verbose", "*/*", 200),
        ("/openapi/v3/apis/apps/v1", "application/json", 200),
    ],
)
async def test_status_codes(client: aiohttp.ClientSession, path: str, accept: str, status: int) -> None:
    async with client.get(path, headers={"Accept": accept}) as response:
        assert response.status == status


async def test_wrong_credentials_are_401(client: aiohttp.ClientSession) -> None:
    async with client.get("/version", headers={"Authorization": "Bearer wrong"}) as response:
        assert (response.status, (await response.json())["reason"]) == (401, "Unauthorized")


async def test_a_body_may_be_large_but_not_endless(client: aiohttp.ClientSession) -> None:
    json = {"Content-Type": "application/json"}
    for size, status in ((2 * 1024 * 1024, 400), (4 * 1024 * 1024, 413)):
        body = BytesIO(b"x" * size)
        async with client.post("/api/v1/namespaces/a/configmaps", data=body, headers=json) as response:
            assert (response.status, (await response.json())["code"]) == (status, status)


async def test_a_watch_is_sent_as_it_happens_and_forgotten_when_the_client_leaves(
    client: aiohttp.ClientSession, world: SmallWorld
) -> None:
    async with client.get("/api/v1/pods?watch=1", headers={"Accept": TABLE}) as response:
        first = await response.content.readline()
        world.store.put(PODS, pod("web-2"))
        second = await response.content.readline()
    assert b'"ADDED"' in first
    assert b'"web-2"' in second
    async with asyncio.timeout(5):
        while world.store._waiting:
            await asyncio.sleep(0.01)


async def test_the_stock_python_client_reads_it(world: SmallWorld) -> None:
    from kubernetes import client as stock

    def read(url: str) -> tuple[list[str], str]:
        configuration = stock.Configuration()
        configuration.host = url
        with stock.ApiClient(configuration) as api:
            core = stock.CoreV1Api(api)
            listed = core.list_namespaced_pod("a", label_selector="app=web", limit=1)
            with pytest.raises(stock.ApiException) as raised:
                core.read_namespaced_pod("none", "a")
        return [item.metadata.name for item in listed.items], str(raised.value.reason)

    async with serving(world) as url:
        assert await asyncio.to_thread(read, url) == (["web-1"], "Not Found")
