"""HTTP from here, against real servers that answer well, badly, for ever or never."""

import asyncio
import gzip
import ssl

import pytest

from opssquad.errors import ToolError
from opssquad.worlds.net.answers import Fetched
from opssquad.worlds.net.asks import Fetch
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.http import fetch
from opssquad.worlds.net.telling import lines
from tests.network.certificates import AT, DAY, Issued
from tests.network.servers import Talk, closed_port, floods, handshakes, reply, says, tcp_server

ROOT = Issued.root()
HERE = Here(words="here (test)", now=lambda: AT, trusted=ROOT.pem)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


async def fetched(talk: Talk, path: str = "/", own: Issued | None = None, **more: object) -> Fetched:
    async with tcp_server(talk, tls=own.context() if own else None) as serving:
        url = f"{'https' if own else 'http'}://127.0.0.1:{serving.port}{path}"
        return await fetch(Fetch.model_validate({"url": url, **more}), HERE)


async def test_a_reply_is_told_with_its_timing_headers_and_the_beginning_of_its_text() -> None:
    talk = says(reply(b"all is well", server="nginx", x_envoy_upstream_service_time="3", x_other="y"))
    found = await fetched(talk)
    (step,) = found.steps
    assert (found.end, step.status, step.reason, found.body) == ("ok", 200, "OK", "all is well")
    assert step.headers == {
        "content-length": "11", "content-type": "text/plain", "server": "nginx",
        "x-envoy-upstream-service-time": "3",
    }  # fmt: skip
    assert (step.size, step.cut, step.address, step.tls_ms) == (11, False, "127.0.0.1", 0.0)
    assert 0 < step.first_byte_ms <= step.total_ms <= found.ms
    assert lines(found)[0].startswith("fetch http://127.0.0.1:")


async def test_the_request_is_the_one_that_was_asked_for() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(b""))

    await fetched(talk, "/a?b=c#d", method="HEAD", host="cart.shop")
    lines_ = heard[0].decode().split("\r\n")
    assert lines_[0] == "HEAD /a?b=c HTTP/1.1"
    assert lines_[1].startswith("Host: cart.shop:")
    assert not any(each.lower().startswith(("cookie", "authorization")) for each in lines_)


async def test_cookies_and_credentials_of_a_reply_are_never_told() -> None:
    head = b"HTTP/1.1 302 Found\r\nSet-Cookie: s=hunter2\r\nAuthorization: hunter2\r\n"
    where = b"Location: http://user:hunter2@127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    found = await fetched(says(head + where))
    assert "hunter2" not in found.model_dump_json()
    assert (found.end, found.why) == ("refused", "http://127.0.0.1:1/: connection refused")
    assert found.steps[0].headers["location"] == "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    ("own", "faults"),
    [
        (ROOT.issue("127.0.0.1"), ()),
        (ROOT.issue("127.0.0.1", after=AT - DAY), ("expired",)),
        (Issued.alone("pay.shop"), ("wrong_name", "self_signed")),
    ],
)
async def test_a_wrong_certificate_is_told_and_does_not_stop_the_request(
    own: Issued, faults: tuple[str, ...]
) -> None:
    found = await fetched(says(reply()), own=own)
    assert (found.end, found.steps[0].status, found.faults) == ("ok", 200, faults)
    assert found.steps[0].tls_ms > 0


async def test_the_host_that_is_given_is_the_name_that_tls_asks_for() -> None:
    found = await fetched(says(reply()), own=ROOT.issue("cart.shop"), host="cart.shop")
    assert (found.end, found.faults) == ("ok", ())


async def test_a_redirect_to_another_host_and_scheme_is_followed_and_visible() -> None:
    async with tcp_server(says(reply(b"there"))) as there:
        talk = says(reply(b"", "301 Moved", location=f"http://127.0.0.1:{there.port}/new"))
        found = await fetched(talk, own=ROOT.issue("127.0.0.1"))
    assert [each.status for each in found.steps] == [301, 200]
    assert [each.url.partition(":")[0] for each in found.steps] == ["https", "http"]
    assert (found.end, found.body) == ("ok", "there")


async def test_every_destination_of_a_redirect_is_checked_again() -> None:
    def refuses(host: str, address: str, port: int) -> str:
        return "link-local addresses are not probed" if address.startswith("169.254.") else ""

    here = Here(words="here", now=lambda: AT, refuses=refuses)
    async with tcp_server(says(reply(b"", "302 Found", location="http://169.254.169.254/x"))) as serving:
        found = await fetch(Fetch(url=f"http://127.0.0.1:{serving.port}/"), here)
    assert found.end == "denied"
    assert found.why == "http://169.254.169.254/x: link-local addresses are not probed"
    assert [each.status for each in found.steps] == [302]


async def test_a_circle_of_redirects_is_seen_and_so_is_one_without_end() -> None:
    found = await fetched(says(reply(b"", "302 Found", location="/")), follow=10)
    assert found.end == "too_much"
    assert "it redirects in a circle" in found.why
    asked = 0

    async def onwards(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(b"", "302 Found", location=f"/{asked}"))

    found = await fetched(onwards, follow=10)
    assert (found.end, len(found.steps), asked) == ("too_much", 11, 11)
    assert "it redirects on after 10 redirects, to " in found.why


async def test_a_redirect_that_is_not_to_be_followed_is_the_answer() -> None:
    found = await fetched(says(reply(b"", "302 Found", location="/x")), follow=0)
    assert (found.end, found.steps[0].status, found.steps[0].headers["location"]) == ("ok", 302, "/x")


async def test_of_a_gigabyte_only_the_beginning_is_read() -> None:
    for head in (HEAD + b"Content-Length: 1073741824\r\n\r\n", HEAD + b"\r\n"):
        found = await fetched(floods(head, b"x" * 65536, 16384))
        (step,) = found.steps
        assert (found.end, step.cut, found.body) == ("ok", True, "x" * 400)
        assert 65536 <= step.size < 2 * 65536


async def test_a_chunked_body_is_put_together() -> None:
    talk = says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nall\r\n", b"5\r\n good\r\n0\r\n\r\n")
    found = await fetched(talk)
    assert (found.end, found.body, found.steps[0].size) == ("ok", "all good", 8)


async def test_what_is_no_text_is_counted_and_not_told() -> None:
    found = await fetched(says(reply(b"\x89PNG" + b"\0" * 60, content_type="image/png")))
    assert (found.end, found.body, found.steps[0].size) == ("ok", "", 64)


NOT_HTTP = "what answers is not HTTP, it said: "
BAD: dict[str, tuple[Talk, str, str]] = {
    "ssh": (says(b"SSH-2.0-OpenSSH_9.6\r\n", then="stall"), "malformed", NOT_HTTP + "SSH-2.0-OpenSSH_9.6"),
    "bytes": (says(b"\0\1\2\3\r\n\r\n"), "malformed", NOT_HTTP),
    "a status": (says(b"HTTP/1.1 abc what\r\n\r\n"), "malformed", "its reply is no HTTP"),
    "a header": (says(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), "malformed", "its reply is no HTTP"),
    "tls": (says(b"\x15\x03\x01\0\2\2\x46"), "malformed", "it answered in TLS, not HTTP: ask with https"),
    "http/2": (
        says(b"\0\0\x06\4\0\0\0\0\0\0\3\0\0\0\x64" + b"\r\n\r\n"), "malformed", "it answered in HTTP/2 only",
    ),
    "nothing": (says(), "closed", "it hung up without an answer"),
    "a reset": (says(then="reset"), "reset", "connection reset by peer"),
    "half a body": (
        says(HEAD + b"Content-Length: 100\r\n\r\nhalf"), "closed",
        "it hung up in the middle of the body, after 4 bytes",
    ),
    "two lengths": (
        says(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), "malformed", "is no HTTP",
    ),
    "a bad chunk": (
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed", "its body is not sent as HTTP",
    ),
    "endless headers": (
        floods(HEAD, b"X-More: " + b"y" * 1000 + b"\r\n", 10_000), "too_much",
        "it sent more than 64 KB of headers without an end",
    ),
    "endless interim replies": (
        floods(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 1000), "too_much",
        "it sent more than 10 interim replies (1xx)",
    ),
}  # fmt: skip
"""Servers that answer badly: what they do, how it ends, and what is told of it."""


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_answer_is_one_clear_line(kind: str) -> None:
    talk, end, why = BAD[kind]
    found = await fetched(talk)
    assert found.end == end
    assert why in found.why
    assert "\n" not in lines(found)[0]
    assert len(found.why) < 200


async def test_a_reset_in_the_middle_keeps_what_came() -> None:
    read = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 100\r\n\r\nhalf")
        await writer.drain()
        await read.wait()
        await says(reads="nothing", then="reset")(reader, writer)

    async with tcp_server(talk) as serving:
        probe = asyncio.create_task(fetch(Fetch(url=f"http://127.0.0.1:{serving.port}/"), HERE))
        # The bytes are there once the kernel has none of them left for the probe to read.
        await asyncio.sleep(0.1)
        read.set()
        found = await probe
    assert (found.end, found.why) == ("reset", "connection reset by peer")
    assert (found.steps[0].status, found.steps[0].size, found.body) == (200, 4, "half")


async def test_a_server_that_stalls_is_a_timeout_that_says_where() -> None:
    found = await fetched(says(then="stall"), seconds=0.2)
    assert (found.end, found.why) == ("timeout", "no answer to the request in 0.2 s")
    found = await fetched(says(HEAD + b"Content-Length: 100\r\n\r\nhalf", then="stall"), seconds=0.2)
    assert found.why == "the headers came, then 4 bytes of the body and no end in 0.2 s"
    assert (found.steps[0].status, found.body) == (200, "half")


async def test_a_port_that_does_not_speak_tls_is_told_as_such() -> None:
    async with tcp_server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads="some")) as serving:
        found = await fetch(Fetch(url=f"https://127.0.0.1:{serving.port}/"), HERE)
    assert (found.end, found.why) == (
        "malformed",
        "it does not speak TLS here, it said: HTTP/1.1 400 Bad Request",
    )


async def test_a_closed_port_is_refused_and_a_bad_url_is_not_asked_for() -> None:
    with closed_port() as port:
        found = await fetch(Fetch(url=f"http://127.0.0.1:{port}/"), HERE)
    assert (found.end, found.why, found.steps) == ("refused", "connection refused", ())
    with pytest.raises(ToolError, match="leave them out"):
        await fetch(Fetch(url="http://user:hunter2@127.0.0.1/"), HERE)


async def test_an_address_of_ipv6_is_fetched_and_written_in_brackets() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply())

    async with tcp_server(talk, "::1") as serving:
        found = await fetch(Fetch(url=f"http://[::1]:{serving.port}/"), HERE)
    assert found.steps[0].address == "::1"
    assert f"Host: [::1]:{serving.port}".encode() in heard[0]


async def test_a_server_that_wants_a_certificate_of_ours_refuses_by_alert() -> None:
    context = ROOT.issue("127.0.0.1").context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ROOT.pem)
    async with tcp_server(handshakes(context)) as serving:
        found = await fetch(Fetch(url=f"https://127.0.0.1:{serving.port}/"), HERE)
    assert (found.end, found.why) == ("refused_tls", "it sent the alert: certificate required")


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        (b"/login?state=" + b"a" * 1000, "/login?state=" + "a" * 1000),
        ("/köln".encode(), "/k%C3%B6ln"),
    ],
    ids=["long", "bytes beyond ASCII"],
)
async def test_a_redirect_is_followed_whole_to_where_it_leads(where: bytes, asked: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        if target == "/":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + where + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(reply(status="200 OK" if target == asked else "400 Bad Request"))

    found = await fetched(talk)
    assert [each.status for each in found.steps] == [302, 200]


async def test_a_body_that_is_compressed_is_not_told_as_text() -> None:
    found = await fetched(says(reply(gzip.compress(b"hello"), content_encoding="gzip")))
    assert (found.body, found.steps[0].headers["content-encoding"]) == ("", "gzip")
