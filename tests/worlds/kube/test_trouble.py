"""Servers slow, overloaded, cut off, gone or not trusted: each is one line, and nothing hangs."""

import asyncio
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from opssquad.errors import ToolError, ToolUnsure
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.trouble import ApiError
from tests.worlds.kube.stub_api import Handler, Stub, items, pod, serving, status


async def told(stub: Stub, deadline: float = 5.0, **kubeconfig: Any) -> str:
    """The one line that a read ends with."""
    return await line_of(stub.kubeconfig(**kubeconfig), deadline)


async def line_of(kubeconfig: Path, deadline: float = 5.0) -> str:
    cluster = await Cluster.connect(kubeconfig, deadline=deadline)
    try:
        with pytest.raises(ToolError) as caught:
            await cluster.list("pods", "shop")
    finally:
        await cluster.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def plays(*answers: web.Response) -> Handler:
    left = list(answers)

    async def handler(_: web.Request) -> web.StreamResponse:
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def test_a_server_that_accepts_and_never_answers_is_left_at_the_deadline(tmp_path: Path) -> None:
    async with serving(never, tmp_path) as stub:
        began = time.monotonic()
        line = await told(stub, deadline=0.3)
    assert "did not answer within 0.3 s" in line
    assert "kubectl --context stub" in line
    assert time.monotonic() - began < 5


async def test_a_change_without_an_answer_is_unsure_and_sent_once(tmp_path: Path) -> None:
    async with serving(never, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig(), deadline=0.3)
        with pytest.raises(ToolUnsure, match="may or may not have been made"):
            await cluster.delete("pod", "a", "shop")
        await cluster.close()
        assert len(stub.seen) == 1


async def test_a_change_is_never_repeated_on_an_overloaded_server(tmp_path: Path) -> None:
    async with serving(
        plays(status(429, "TooManyRequests", "slow down", {"Retry-After": "0"})), tmp_path
    ) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ApiError, match="slow down"):
            await cluster.patch("pod", "a", "shop", {"x": 1}, how="merge")
        await cluster.close()
    assert len(stub.seen) == 1


async def test_a_read_waits_as_an_overloaded_server_asks(tmp_path: Path) -> None:
    busy = status(429, "TooManyRequests", "slow down", {"Retry-After": "1"})
    async with serving(plays(busy, items(pod("a"))), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        began = time.monotonic()
        assert len(await cluster.list("pod")) == 1
        await cluster.close()
    assert time.monotonic() - began >= 1
    assert len(stub.seen) == 2


async def test_a_kubelet_that_cannot_be_connected_to_is_not_waited_for(tmp_path: Path) -> None:
    said = 'Get "https://10.0.0.7:10250/containerLogs/shop/a/app": dial tcp 10.0.0.7:10250: connect: no route'
    async with serving(plays(status(500, "InternalError", said)), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ApiError, match="no route"):
            await cluster.logs("a", "shop")
        await cluster.close()
    assert len(stub.seen) == 1


async def test_a_wait_past_the_deadline_is_not_begun(tmp_path: Path) -> None:
    async with serving(
        plays(status(503, "ServiceUnavailable", "starting", {"Retry-After": "60"})), tmp_path
    ) as stub:
        began = time.monotonic()
        assert "starting" in await told(stub)
    assert time.monotonic() - began < 2


async def test_a_read_is_repeated_when_the_connection_breaks(tmp_path: Path) -> None:
    broken = [True]

    async def handler(request: web.Request) -> web.StreamResponse:
        if broken.pop() if broken else False:
            assert request.transport is not None
            request.transport.abort()
        return items(pod("a"))

    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        assert len(await cluster.list("pod")) == 1
        await cluster.close()
    assert len(stub.seen) == 2


async def test_nobody_there_is_told_with_the_address(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        stub = Stub(never, tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}")
        line = await told(stub)
    assert f"cluster 'stub' at {stub.url} cannot be reached" in line
    assert "VPN" in line


async def test_a_refusal_for_lack_of_rights_comes_in_the_servers_words(tmp_path: Path) -> None:
    words = (
        'pods is forbidden: User "viewer" cannot list resource "pods" in API group "" in the namespace "shop"'
    )
    async with serving(plays(status(403, "Forbidden", words)), tmp_path) as stub:
        assert words in await told(stub)
    assert len(stub.seen) == 1


async def test_expired_credentials_are_told_with_where_they_came_from(tmp_path: Path) -> None:
    async with serving(plays(status(401, "Unauthorized", "Unauthorized")), tmp_path) as stub:
        line = await told(stub)
    assert "refuses the credentials" in line
    assert str(tmp_path / "kubeconfig") in line


async def test_a_renewed_token_file_is_read_again_after_a_401(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer new":
            return items(pod("a"))
        token.write_text("new")
        return status(401, "Unauthorized", "Unauthorized")

    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig(user={"tokenFile": "token"}))
        assert len(await cluster.list("pod")) == 1
        await cluster.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            web.Response(status=502, text="<html>", content_type="text/html"),
            "HTTP 502 .text/html., not as a Kubernetes",
        ),
        (web.Response(text="<html>login</html>", content_type="text/html"), "did not answer in JSON"),
        (web.json_response([1]), "JSON that is no object"),
        (web.Response(status=404, text="404 page not found"), "serves no Pod"),
    ],
)
async def test_what_is_no_api_server_is_told(tmp_path: Path, answer: web.Response, words: str) -> None:
    async with serving(lambda _: _copy(answer), tmp_path) as stub:
        assert re.search(words, await told(stub))


async def _copy(answer: web.Response) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody signed but itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=stub"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=digitalSignature,keyCertSign"]
        + ["-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def test_an_unknown_certificate_is_refused_and_a_known_one_is_not(tmp_path: Path) -> None:
    async with serving(plays(items(pod("a"))), tmp_path, certificate(tmp_path)) as stub:
        line = await told(stub)
        assert "the certificate of cluster 'stub'" in line
        assert "certificate-authority" in line
        cluster = await Cluster.connect(stub.kubeconfig({"certificate-authority": "cert.pem"}))
        assert len(await cluster.list("pod", "shop")) == 1
        await cluster.close()


async def test_plain_http_behind_an_https_address_is_told(tmp_path: Path) -> None:
    async with serving(plays(items()), tmp_path) as stub:
        stub.url = stub.url.replace("http:", "https:")
        assert "TLS with cluster 'stub'" in await told(stub)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (
            {"client-certificate": "gone.pem", "client-key": "gone.pem"},
            "client-certificate .*gone.pem does not exist",
        ),
        (
            {"client-certificate-data": "bm9uZQ==", "client-key-data": "bm9uZQ=="},
            "certificate or key is unusable",
        ),
        ({"client-certificate-data": "###", "client-key-data": "bm9uZQ=="}, "certificate or key is unusable"),
        ({"client-certificate-data": "bm9uZQ=="}, "without client-key"),
        ({"tokenFile": "gone"}, "tokenFile .*gone does not exist"),
    ],
)
async def test_a_login_that_cannot_be_read_is_told(tmp_path: Path, user: Any, words: str) -> None:
    async with serving(plays(items()), tmp_path) as stub:
        stub.url = stub.url.replace("http:", "https:")
        with pytest.raises(ToolError, match=words):
            await (await Cluster.connect(stub.kubeconfig(user=user))).list("pods")
    assert stub.seen == []
