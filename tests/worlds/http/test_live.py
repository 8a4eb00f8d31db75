"""Requests to real servers on loopback: right ones, slow ones, lying ones."""

import asyncio
import gzip
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

from opssquad.errors import Refused, ToolError, ToolUnsure
from opssquad.worlds.http.client import Http
from opssquad.worlds.http.live import LiveHttp
from opssquad.worlds.net.here import Reach, anywhere
from tests.network.certificates import DAY, Issued
from tests.network.servers import floods, reply, says, tcp_server

SECRET = "tokentokentokentoken"


def http(refuses: Reach = anywhere, environ: Mapping[str, str] | None = None, trusted: str = "") -> Http:
    return Http(LiveHttp(refuses, trusted, environ or {}))


@pytest.fixture
def reading() -> Http:
    return http().limited("read")


class Heard:
    """A server that keeps what it was sent, and answers in turn."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[str] = []
        self._answers: Iterator[bytes] = iter(answers)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.lower().splitlines()
        length = next((line[16:] for line in lines if line.startswith("content-length:")), "0")
        self.requests.append(head + (await reader.readexactly(int(length))).decode())
        writer.write(next(self._answers, reply()))
        await writer.drain()


async def test_an_answer_comes_whole(reading: Http) -> None:
    body = b'{"depth": 12}'
    async with tcp_server(says(reply(body, content_type="application/json", x_own="1"))) as server:
        got = await reading.get(f"http://{server.place}/queues")
    assert (got.status, got.reason, got.json(), got.cut, got.ok) == (200, "OK", {"depth": 12}, False, True)
    assert got.headers["x-own"] == "1"
    assert got.url == f"http://{server.place}/queues"
    assert got.ms > 0


async def test_what_is_asked_is_sent_as_given(reading: Http) -> None:
    heard = Heard()
    async with tcp_server(heard) as server:
        await reading.get(
            f"http://{server.place}/a%2Fb?x=1", params={"q": "a&b=c", "none": None}, headers={"X-Key": SECRET}
        )
    line, *rest = heard.requests[0].split("\r\n")
    assert line == "GET /a%2Fb?x=1&q=a%26b%3Dc HTTP/1.1"
    assert f"x-key: {SECRET}" in [each.lower() for each in rest]


async def test_a_change_sends_json() -> None:
    heard = Heard(reply(b"", status="201 Created"))
    async with tcp_server(heard) as server:
        got = await http().request("post", f"http://{server.place}/pause", json={"queue": "é"})
    assert got.status == 201
    assert heard.requests[0].startswith("POST /pause HTTP/1.1")
    assert heard.requests[0].endswith('{"queue": "é"}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "delete"])
async def test_a_read_sends_nothing_that_changes(reading: Http, method: str) -> None:
    heard = Heard()
    async with tcp_server(heard) as server:
        with pytest.raises(Refused, match="may only read"):
            await reading.request(method, f"http://{server.place}/")
    assert heard.requests == []


async def test_a_bad_status_is_an_answer(reading: Http) -> None:
    async with tcp_server(says(reply(b"gone", status="410 Gone"))) as server:
        got = await reading.get(f"http://{server.place}/")
    assert (got.status, got.text, got.ok) == (410, "gone", False)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
async def test_a_body_without_end_is_cut(reading: Http, packed: bool) -> None:
    flood = b"x" * 65536
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 4000000000\r\n"
    head += b"content-encoding: gzip\r\n\r\n" if packed else b"\r\n"
    # 200 MB once it is unpacked.
    talk = says(head + gzip.compress(b"x" * 200_000_000, 1)) if packed else floods(head, flood, 60_000)
    async with tcp_server(talk) as server:
        got = await reading.get(f"http://{server.place}/", cap=5_000_000)
    assert got.cut
    assert len(got.text) == 1_000_000
    with pytest.raises(ToolError, match="answers more than 1000000 characters"):
        got.json()


async def test_packed_bodies_are_unpacked(reading: Http) -> None:
    whole = reply(gzip.compress(b"fine"), content_encoding="gzip")
    async with tcp_server(says(whole)) as server:
        assert (await reading.get(f"http://{server.place}/")).text == "fine"
    async with tcp_server(says(reply(b"fine", content_encoding="gzip"))) as server:
        with pytest.raises(ToolError, match="says it is gzip and is not"):
            await reading.get(f"http://{server.place}/")
    async with tcp_server(says(reply(b"fine", content_encoding="br"))) as server:
        with pytest.raises(ToolError, match="packed as 'br', which was not asked for"):
            await reading.get(f"http://{server.place}/")


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte now and then, for ever."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_a_server_that_drips_for_ever_ends_at_the_deadline(reading: Http) -> None:
    async with tcp_server(drips) as server:
        with pytest.raises(ToolError, match=r"did not answer whole within 0.3 s") as told:
            await reading.get(f"http://{server.place}/?token={SECRET}", seconds=0.3)
    assert SECRET not in str(told.value)


async def test_a_change_whose_answer_is_lost_may_have_happened() -> None:
    async with tcp_server(says(then="stall")) as server:
        with pytest.raises(ToolUnsure, match="it may have happened"):
            await http().request("POST", f"http://{server.place}/", seconds=0.3)
    async with tcp_server(says(then="reset")) as server:
        with pytest.raises(ToolUnsure, match="it may have happened"):
            await http().request("POST", f"http://{server.place}/")


async def test_redirects_within_the_place_are_followed(reading: Http) -> None:
    heard = Heard(reply(b"", status="302 Found", location="/there?x=1"), reply(b"here"))
    async with tcp_server(heard) as server:
        got = await reading.get(f"http://{server.place}/old", headers={"x-key": SECRET})
    assert (got.text, got.url) == ("here", f"http://{server.place}/there?x=1")
    assert SECRET in heard.requests[1]


@pytest.mark.parametrize(
    "elsewhere",
    [f"http://{{other}}/x?token={SECRET}", "//{other}/x", "https://{place}/", "http://localhost:{port}/"],
)
async def test_a_redirect_elsewhere_is_not_followed(reading: Http, elsewhere: str) -> None:
    other = Heard()
    async with tcp_server(other) as second:
        heard = Heard()
        async with tcp_server(heard) as server:
            target = elsewhere.format(other=second.place, place=server.place, port=server.port)
            heard._answers = iter([reply(b"", status="301 Moved", location=target)])
            with pytest.raises(ToolError, match="another place, which is not followed") as told:
                await reading.get(f"http://{server.place}/", headers={"x-key": SECRET})
    assert SECRET not in str(told.value)
    assert other.requests == []
    assert len(heard.requests) == 1


async def test_redirects_in_a_circle_end(reading: Http) -> None:
    heard = Heard(*[reply(b"", status="302 Found", location="/")] * 20)
    async with tcp_server(heard) as server:
        with pytest.raises(ToolError, match="more than 5 times"):
            await reading.get(f"http://{server.place}/")


async def test_the_redirect_of_a_change_is_its_answer() -> None:
    heard = Heard(reply(b"", status="307 Again", location="/there"))
    async with tcp_server(heard) as server:
        assert (await http().request("POST", f"http://{server.place}/")).status == 307
    assert len(heard.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_policy_refuses_is_not_connected_to(host: str) -> None:
    asked: list[tuple[str, str, int]] = []

    def refuses(name: str, address: str, port: int) -> str:
        asked.append((name, address, port))
        return "not that one (rule 'loopback')"

    heard = Heard()
    async with tcp_server(heard) as server:
        with pytest.raises(ToolError, match=r"is not asked: not that one \(rule 'loopback'\)"):
            await http(refuses).get(f"http://{host}:{server.port}/")
    assert heard.requests == []
    assert (host, "127.0.0.1", server.port) in asked


async def test_a_proxy_is_gone_by_and_policy_judges_the_named_host() -> None:
    asked: list[tuple[str, str, int]] = []

    def refuses(name: str, address: str, port: int) -> str:
        asked.append((name, address, port))
        return "no" if name == "barred.example" else ""

    heard = Heard(reply(b"by proxy"))
    async with tcp_server(heard) as proxy:
        environ = {"http_proxy": f"http://{proxy.place}", "NO_PROXY": "127.0.0.1,.inside.example"}
        client = http(refuses, environ)
        assert (await client.get("http://api.example/x")).text == "by proxy"
        with pytest.raises(ToolError, match="is not asked: no"):
            await client.get("http://barred.example/x")
        async with tcp_server(says(reply(b"straight"))) as server:
            assert (await client.get(f"http://{server.place}/")).text == "straight"
    assert heard.requests[0].startswith("GET http://api.example/x HTTP/1.1")
    assert len(heard.requests) == 1
    assert ("api.example", "", 80) in asked


async def test_certificates_are_checked() -> None:
    now = datetime.now(UTC)
    root = Issued.root(after=now + 10 * DAY)
    issued = root.issue("localhost", before=now - DAY, after=now + DAY)
    async with tcp_server(says(reply(b"safe")), tls=issued.context()) as server:
        with pytest.raises(ToolError, match="its certificate is not trusted"):
            await http().get(f"https://localhost:{server.port}/")
        assert (await http(trusted=root.pem).get(f"https://localhost:{server.port}/")).text == "safe"
