"""Whom the network squad blames for what a probe of a host outside shows, on real servers."""

import asyncio
import socket
from functools import partial

import pytest
from tools.network.handshake import handshake
from tools.network.http import http
from tools.network.resolve import resolve
from tools.network.signals.tcp import unanswered

from opssquad import Ref, Result, answers, asks
from opssquad.diagnosis.differential import rank
from opssquad.squad.knowledge import known_faults
from tests.network.certificates import AT
from tests.network.servers import Answer, Talk, dns_server, reply, says, silent, tcp_server, zone
from tests.tools.network.probing import run
from tools.network import http as http_tool

CATALOGUE = known_faults("network", None).catalogue
SERVER = "a server outside that answers with an error, or not to the end"
SLOW = "a server outside that takes long to answer"
WELL = "what was probed works, so it is not the network"
SILENT = "a host outside, or a port of it, does not answer"
NO_NAME = "a name that the servers asked do not have"
ONE_OF = "one of several addresses of a host does not answer"
DNS = "a DNS server that is silent, or differs from others"


def blamed(result: Result) -> list[str]:
    """What is taken for the cause, the likeliest first."""
    return [each.title for each in rank(CATALOGUE, list(result.signals))]


async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(1.1)
    writer.write(reply())


@pytest.mark.parametrize(
    ("talk", "fault"),
    [
        (says(then="stall"), SERVER),
        (says(), SERVER),
        (says(then="reset"), SERVER),
        (says(reply(b"", "403 Forbidden")), SERVER),
        (late, SLOW),
        (says(reply()), WELL),
    ],
    ids=["never answers", "hangs up", "resets", "denies", "answers late", "is well"],
)
async def test_a_server_that_was_reached_is_not_taken_for_one_that_was_not(
    talk: Talk, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_tool, "SECONDS", 2.0)
    async with tcp_server(talk) as serving:
        found = await run(http, url=f"http://127.0.0.1:{serving.port}/")
    faults = blamed(found)
    assert faults[0] == fault
    assert SILENT not in faults


async def test_a_server_that_speaks_no_tls_is_told_as_that() -> None:
    async with tcp_server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads="some")) as serving:
        assert blamed(await run(handshake, host="127.0.0.1", port=serving.port)) == [SERVER]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (zone("pay.example. 30 A 10.0.0.1"), NO_NAME),
        (zone("cart.example. 30 TXT x"), NO_NAME),
        (zone(unknown="SERVFAIL"), DNS),
        (silent, DNS),
    ],
    ids=["no such name", "no address", "fails", "silent"],
)
async def test_a_dns_server_is_not_blamed_for_a_name_that_is_not_there(answer: Answer, fault: str) -> None:
    async with dns_server(answer) as serving:
        faults = blamed(await run(resolve, name="cart.example.", servers=serving.place))
    assert set(faults) == {fault}


async def test_an_address_that_is_dead_beside_one_that_answers_is_no_host_that_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with tcp_server(says(reply())) as serving:
        dead = ("127.0.0.9", serving.port)

        def both(*_: object, **__: object) -> list[object]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in (dead, ("127.0.0.1", 0))]

        monkeypatch.setattr(socket, "getaddrinfo", both)
        found = await run(http, url=f"http://cart.example:{serving.port}/")
    assert blamed(found) == [ONE_OF]
    assert "127.0.0.9 (an address of cart.example)" in found.text


def test_who_has_no_route_for_ipv6_blames_no_host_for_that() -> None:
    ask = asks.Connect(host="2001:db8::2", port=80)
    found = partial(answers.Connected, ask=ask, origin="here", at=AT, end="unreachable")
    about = Ref(kind="Host", name="cart.example")
    assert not list(unanswered(found(why="network is unreachable"), about, "cart.example"))
    assert list(unanswered(found(why="no route to host"), about, "cart.example"))
