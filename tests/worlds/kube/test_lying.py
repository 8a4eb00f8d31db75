"""A server, or what stands before it, that answers with what no API server would: told, and never a bug."""

from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from aiohttp import web

from opssquad.errors import ToolError, ToolUnsure
from opssquad.worlds.kube.cluster import Cluster
from tests.worlds.kube.stub_api import items, pod, serving, status


async def first_change(cluster: Cluster) -> None:
    async with aclosing(cluster.watch("pod", "shop", since="1")) as changes:
        await anext(changes)


async def test_a_date_that_is_none_leaves_the_clock_as_it_was(tmp_path: Path) -> None:
    async def undated(_: web.Request) -> web.StreamResponse:
        answer = items(pod("a"))
        answer.headers["Date"] = "nonsense"
        return answer

    async with serving(undated, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        assert len(await cluster.list("pod")) == 1
        assert cluster.now().year >= 2026
        await cluster.close()


async def test_a_refusal_which_may_be_a_gateways_does_not_set_a_clock_that_is_known(tmp_path: Path) -> None:
    async def gateway(_: web.Request) -> web.StreamResponse:
        ours = len(stub.seen) == 2
        answer = items(pod("a")) if ours else status(403, "Forbidden", "no")
        answer.headers["Date"] = f"Sun, 08 Mar {2026 if ours else 2027} 14:37:00 GMT"
        return answer

    async with serving(gateway, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        years = []
        for _ in range(3):
            with suppress(ToolError):
                await cluster.list("pod")
            years.append(cluster.now().year)
        await cluster.close()
    assert years == [2027, 2026, 2026], "until something is granted there is no better clock"


async def test_what_is_listed_is_of_the_kind_that_was_asked_for(tmp_path: Path) -> None:
    async def other(_: web.Request) -> web.StreamResponse:
        return items({**pod("a"), "kind": "Service", "apiVersion": "v2"})

    async with serving(other, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        (found,) = await cluster.list("pod")
        await cluster.close()
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")
    assert found["status"] == {}, "it was read as a pod"


@pytest.mark.parametrize("code", [200, 500])
async def test_json_that_is_too_deep_to_read_is_told(tmp_path: Path, code: int) -> None:
    async def deep(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text="[" * 200_000, content_type="application/json")

    async with serving(deep, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match="JSON|500"):
            await cluster.list("pod")
        await cluster.close()


@pytest.mark.parametrize("watched", [False, True])
async def test_an_answer_that_does_not_end_does_not_fill_the_memory(
    tmp_path: Path, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opssquad.worlds.kube.http.MOST", 4_000_000)

    async def endless(_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(_)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 1_000_000)
        return response

    async with serving(endless, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match="for one answer"):
            await (first_change(cluster) if watched else cluster.list("pod"))
        await cluster.close()


async def test_a_watch_that_speaks_no_json_is_told(tmp_path: Path) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>log in</html>\n", content_type="text/html")

    async with serving(page, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match="did not answer in JSON"):
            await first_change(cluster)
        await cluster.close()


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>done</html>", content_type="text/html"),
        status(504, "Timeout", "the server was unable to return a response in the time allotted"),
        web.Response(status=502, text="<html>bad gateway</html>"),
    ],
)
async def test_a_change_whose_answer_was_lost_on_the_way_is_unsure_and_no_failure(
    tmp_path: Path, answer: web.Response
) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return answer

    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolUnsure, match="may or may not have been made"):
            await cluster.patch("pod", "a", "shop", {"x": 1}, how="merge")
        await cluster.close()
    assert len(stub.seen) == 1


@pytest.mark.parametrize("code", [302, 307])
async def test_a_server_that_sends_requests_on_is_not_followed(tmp_path: Path, code: int) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        return items(pod("a"))

    async with serving(elsewhere, tmp_path) as other:

        async def sends_on(_: web.Request) -> web.StreamResponse:
            return web.Response(status=code, headers={"Location": f"{other.url}/api/v1/pods"})

        async with serving(sends_on, tmp_path) as stub:
            cluster = await Cluster.connect(stub.kubeconfig())
            for request in (cluster.list("pod"), cluster.delete("Pod", "a", "shop")):
                with pytest.raises(ToolError, match="sends requests on to"):
                    await request
            await cluster.close()
    assert asked == []
