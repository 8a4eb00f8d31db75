"""Connections from here, on loopback: how they end, which addresses are tried, and that all is closed."""

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from opssquad.worlds.net import asks
from opssquad.worlds.net.answers import Connected
from opssquad.worlds.net.here import Here, anywhere
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.tcp import Failed, Tries, addresses, ended, open_any
from tests.network.servers import says, tcp_server


@contextlib.contextmanager
def full() -> Iterator[int]:
    """A port whose queue of connections is full, so that the kernel drops what asks for another one."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = server.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def connected(host: str, port: int, here: Here | None = None, **more: object) -> Connected:
    ask = asks.Connect.model_validate({"host": host, "port": port, "seconds": 0.3, **more})
    found = await Live(here or Here()).probe(ask)
    assert isinstance(found, Connected)
    return found


async def test_a_server_is_open_and_a_port_without_one_refused_in_the_words_of_the_kernel() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        found = await connected("127.0.0.1", server.port)
    assert (found.end, found.address, found.tried) == ("ok", "127.0.0.1", ("127.0.0.1",))
    found = await connected("127.0.0.1", free_port())
    assert (found.end, found.why, found.address) == ("refused", "connection refused", "127.0.0.1")


async def test_packets_that_vanish_are_a_timeout() -> None:
    with full() as port:
        found = await connected("127.0.0.1", port)
    assert (found.end, found.why) == ("timeout", "no answer in 0.3 s")
    assert (found.address, found.tried) == ("127.0.0.1", ("127.0.0.1",))


async def test_one_address_that_is_dead_does_not_keep_from_the_next() -> None:
    tries = Tries()
    with full() as port:
        async with tcp_server(says(reads="nothing"), "127.0.0.2", port), asyncio.timeout(20):
            won = await open_any(["127.0.0.1", "127.0.0.2"], "cart", port, Here(), tries)
            won.socket.close()
    assert won.address == "127.0.0.2"
    assert won.tried == ("127.0.0.1", "127.0.0.2")


async def test_an_address_that_policy_refuses_is_not_tried_and_the_others_are() -> None:
    def refuses(host: str, address: str, port: int) -> str:
        return "no" if address == "127.0.0.1" else ""

    async with tcp_server(says(reads="nothing"), "127.0.0.2") as server:
        found = ["127.0.0.1", "127.0.0.2"]
        won = await open_any(found, "cart", server.port, Here(refuses=refuses), Tries())
        won.socket.close()
    assert won.tried == ("127.0.0.2",)


async def test_a_host_all_of_whose_addresses_are_refused_by_policy_is_denied_with_the_reason() -> None:
    found = await connected("127.0.0.1", 80, Here(refuses=lambda *_: "not that one"))
    assert (found.end, found.why, found.tried) == ("denied", "not that one", ())


async def test_what_fails_is_told_by_address_where_there_are_several() -> None:
    tries, port = Tries(), free_port()
    with pytest.raises(Failed) as failed:
        await open_any(["127.0.0.1", "127.0.0.2"], "cart", port, Here(), tries)
    assert failed.value.end == "refused"
    assert tries.why("") == "127.0.0.1: connection refused; 127.0.0.2: connection refused"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted by /proc")
async def test_who_is_cancelled_leaves_no_socket_open() -> None:
    def sockets() -> set[str]:
        held = (str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
        return {each for each in held if each.startswith("socket:")}

    with full() as port:
        before = sockets()
        opening = open_any(["127.0.0.1", "127.0.0.1"], "cart", port, Here(refuses=anywhere), Tries())
        task = asyncio.create_task(opening)
        while len(sockets()) == len(before):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sockets() == before


async def test_an_address_of_the_other_family_is_not_possible() -> None:
    found = await connected("127.0.0.1", 80, family="6")
    assert (found.end, found.why) == ("not_possible", "127.0.0.1 is no IPv6 address")


async def test_a_zone_that_there_is_not_is_told_by_its_name() -> None:
    found = await connected("fe80::1%nosuch0", 80)
    assert (found.end, found.why) == ("not_possible", "no interface 'nosuch0' here")


async def test_a_name_that_there_is_not_is_unresolved() -> None:
    with pytest.raises(Failed) as failed:
        await addresses("no-such-host.invalid", "any")
    assert failed.value.end == "unresolved"


@pytest.mark.parametrize("name", ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"])
def test_that_this_machine_lacks_something_is_not_told_of_the_network(name: str) -> None:
    number = getattr(errno, name)
    assert ended(OSError(number, os.strerror(number))).end == "not_possible"


async def test_a_link_local_address_without_its_zone_says_nothing_of_the_network() -> None:
    found = await connected("fe80::1", 80)
    assert (found.end, found.why) == ("not_possible", "invalid argument")


@pytest.mark.parametrize(
    "ask",
    [
        asks.Connect(host="cart.shop", port=80, seconds=0.2),
        asks.Shake(host="cart.shop", seconds=0.2),
        asks.Fetch(url="http://cart.shop/", seconds=0.2),
        asks.Trace(host="cart.shop", seconds=0.2),
        asks.Echo(host="cart.shop", seconds=0.2),
    ],
    ids=lambda ask: ask.kind,
)
async def test_resolvers_that_do_not_answer_are_not_told_of_the_host(
    ask: asks.Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    try:
        found = await Live(Here()).probe(ask)
    finally:
        over.set()
    assert (found.end, found.why) == ("unresolved", "the lookup of its name had no answer in 0.2 s")


async def test_an_address_that_was_found_before_is_not_looked_up_again_and_policy_is_asked_of_both() -> None:
    asked: list[tuple[str, str]] = []

    def told(host: str, address: str, port: int) -> str:
        asked.append((host, address))
        return ""

    live = Live(Here(refuses=told))
    async with tcp_server(says(reads="nothing")) as server:
        ask = asks.Connect(host="no-such-host.invalid", address="127.0.0.1", port=server.port)
        assert (await live.probe(ask)).end == "ok"
    await live.probe(asks.Echo(host="no-such-host.invalid", address="127.0.0.1"))
    assert asked == [("no-such-host.invalid", "127.0.0.1")] * 2


def test_a_deadline_in_a_lookup_says_nothing_of_the_way_to_the_host() -> None:
    looked_up = Tries().late(5)
    assert (looked_up.end, str(looked_up)) == ("unresolved", "the lookup of its name had no answer in 5 s")
    assert Tries(["10.0.0.1"]).late(5).end == "timeout"
