"""What is no URL, no header, no HTTP or no server: one line each, which shows nothing of what was sent."""

import asyncio

import pytest

from opssquad.errors import ToolError
from opssquad.worlds.http.client import Http
from opssquad.worlds.http.live import LiveHttp
from tests.network.servers import floods, reply, says, tcp_server

SECRET = "tokentokentokentoken"


@pytest.fixture
def reading() -> Http:
    return Http(LiveHttp(environ={})).limited("read")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab",
        b"\0" * 100,
        b"HTTP/1.1 2x\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_one_line(reading: Http, answer: bytes) -> None:
    async with tcp_server(says(answer)) as server:
        with pytest.raises(ToolError) as told:
            await reading.get(f"http://{server.place}/", headers={"x-key": SECRET})
    assert "\n" not in str(told.value)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("target", ["http://[bad", f"http://kim:{SECRET}@127.0.0.1/", f"file:///{SECRET}"])
async def test_a_redirect_to_what_is_no_url_is_one_line(reading: Http, target: str) -> None:
    async with tcp_server(says(reply(b"", status="302 Found", location=target))) as server:
        with pytest.raises(ToolError, match="redirects to what is no URL that is asked for") as told:
            await reading.get(f"http://{server.place}/")
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("charset", ["idna", "zip", "no-such"])
async def test_an_encoding_that_is_none_spoils_nothing(reading: Http, charset: str) -> None:
    async with tcp_server(says(reply(b"fine", content_type=f"text/plain; charset={charset}"))) as server:
        assert (await reading.get(f"http://{server.place}/")).text == "fine"


async def test_a_proxy_that_is_none_is_said() -> None:
    with pytest.raises(ToolError, match="the proxy of the environment is no URL"):
        await Http(LiveHttp(environ={"http_proxy": "nonsense"})).get("http://a.example/")
    with pytest.raises(ToolError, match="the proxy of the environment cannot be reached") as told:
        await Http(LiveHttp(environ={"http_proxy": f"http://kim:{SECRET}@127.0.0.1:1"})).get(
            "http://a.example/"
        )
    assert SECRET not in str(told.value)


async def test_a_body_that_is_no_json_is_said() -> None:
    for body in ({1, 2}, float("nan")):
        with pytest.raises(ToolError, match="the body is none that JSON can hold"):
            await Http(LiveHttp(environ={})).request("POST", "http://127.0.0.1:1/", json=body)


async def test_headers_without_end_are_refused(reading: Http) -> None:
    async with tcp_server(floods(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000, 1000)) as server:
        with pytest.raises(ToolError, match="no HTTP"):
            await reading.get(f"http://{server.place}/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://user:hunter2@127.0.0.1/", "user or password"),
        ("ftp://127.0.0.1/", "only http and https"),
        ("http:///x", "names no host"),
        ("http://127.0.0.1:99999/", "port is none"),
        ("http://127.0.0.1/a b", "blanks or control"),
        ("http://127.0.0.1/a\r\nx: y", "control characters"),
    ],
)
async def test_a_url_that_is_none_is_one_line(reading: Http, url: str, said: str) -> None:
    with pytest.raises(ToolError, match=said) as told:
        await reading.get(url)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"x-key": f"{SECRET}\r\nx-other: 1"}, "the header x-key holds a line break"),
        ({"x-key": f"{SECRET}\n"}, "the header x-key holds a line break"),
        ({"x-key": f"{SECRET}é"}, "not ASCII"),
        ({"x key": SECRET}, "no name of a header"),
        ({"Host": "other"}, "written by the client itself"),
        ({"Transfer-Encoding": "chunked"}, "written by the client itself"),
    ],
)
async def test_a_header_that_is_none_is_one_line_without_its_value(
    reading: Http, headers: dict[str, str], said: str
) -> None:
    with pytest.raises(ToolError, match=said) as told:
        await reading.get("http://127.0.0.1:9/", headers=headers)
    assert SECRET not in str(told.value)


async def test_nobody_there_is_one_line(reading: Http) -> None:
    async with tcp_server(says()) as server:
        port = server.port
    with pytest.raises(ToolError, match="cannot be reached") as told:
        await reading.get(f"http://127.0.0.1:{port}/?key={SECRET}")
    assert told.value.blind
    assert SECRET not in str(told.value)
    with pytest.raises(ToolError, match="cannot be resolved"):
        await reading.get("http://no-such-host.invalid/")


async def test_a_call_that_is_cancelled_closes_its_connection(reading: Http) -> None:
    closed = asyncio.Event()
    there = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        there.set()
        await reader.read()
        closed.set()

    async with tcp_server(talk) as server:
        call = asyncio.create_task(reading.get(f"http://{server.place}/"))
        await there.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(10):
            await closed.wait()


async def test_what_is_no_json_says_so(reading: Http) -> None:
    async with tcp_server(says(reply(b"<html>", content_type="text/html; charset=x-odd"))) as server:
        got = await reading.get(f"http://{server.place}/?key={SECRET}")
    assert got.text == "<html>"
    with pytest.raises(ToolError, match="answers 200 with text/html, which is not JSON") as told:
        got.json()
    assert SECRET not in str(told.value)
