"""Hops, sizes, loss and delay, on real hosts behind a real router."""

from collections.abc import Iterator
from typing import Literal

import pytest
from tools.network.connect import connect

from opssquad.worlds.net import asks, series
from opssquad.worlds.net.answers import Answer, Echoed, SocketsSeen, Traced
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from tests.network.lab import Lab, Link, link_by, why_not
from tests.tools.network.probing import run

Version = Literal["4", "6"]
VERSIONS = pytest.mark.parametrize("version", ["4", "6"])
DELAY = 30.0


def address(lab: Lab, host: str, version: Version) -> str:
    its = lab.hosts[host]
    return its.v4 if version == "4" else its.v6


def traced(lab: Lab, host: str, version: Version, port: int = 0) -> Traced:
    found = lab.ask("client", asks.Trace(host=address(lab, host, version), port=port))
    assert isinstance(found, Traced)
    return found


@VERSIONS
@pytest.mark.parametrize("port", [0, 80], ids=["udp", "tcp"])
def test_a_trace_shows_the_router_and_then_the_host(lab: Lab, version: Version, port: int) -> None:
    client, found = lab.hosts["client"], traced(lab, "server", version, port)
    router = client.router4 if version == "4" else client.router6
    assert [hop.address for hop in found.hops] == [router, address(lab, "server", version)]
    assert found.reached
    assert found.hops[1].said == ("refused" if port else "port unreachable")
    assert (found.mtu, found.link_mtu, found.silent) == (1500, 1500, False)


@VERSIONS
def test_what_a_small_link_carries_is_found(narrow: Lab, version: Version) -> None:
    found = traced(narrow, "small", version)
    assert (found.mtu, found.link_mtu, found.silent) == (1400, 1500, False)


@VERSIONS
def test_a_small_link_that_nobody_speaks_of_is_found_all_the_same(narrow: Lab, version: Version) -> None:
    found = traced(narrow, "silent", version)
    assert (found.mtu, found.link_mtu, found.silent) == (1400, 1500, True)


@VERSIONS
def test_an_echo_comes_back_from_the_host_itself(lab: Lab, version: Version) -> None:
    found = lab.ask("client", asks.Echo(host=address(lab, "server", version)))
    assert isinstance(found, Echoed)
    assert (found.end, found.how, found.address) == ("ok", "icmp", address(lab, "server", version))


def test_an_echo_to_a_host_that_is_not_there_tells_who_says_so(lab: Lab) -> None:
    lab.rule("router", "forward", "ip daddr 10.77.9.9 reject with icmp type host-unreachable")
    lab.run("router", "ip", "route", "add", "10.77.9.0/24", "via", lab.hosts["server"].v4)
    found = lab.ask("client", asks.Echo(host="10.77.9.9"))
    assert found.end == "unreachable"
    assert found.why == f"{lab.hosts['client'].router4} says: host unreachable"


def test_sockets_are_those_of_the_place_where_it_is_asked(lab: Lab) -> None:
    lab.start("server", "python3", "-c", LISTENS, "1050", ready="listening")
    found, other = (lab.ask(host, asks.Sockets()) for host in ("server", "client"))
    assert isinstance(found, SocketsSeen)
    assert isinstance(other, SocketsSeen)
    assert 1050 in [each.port for each in found.listeners]
    assert 1050 not in [each.port for each in other.listeners]


LISTENS = """
import socket, sys, time
held = socket.create_server(("", int(sys.argv[1])))
print("listening", flush=True)
time.sleep(600)
"""


def test_a_loss_of_connections_is_found_by_the_tool_and_named_by_its_percentage(lab: Lab) -> None:
    lab.start("server", "python3", "-c", LISTENS, "1060", ready="listening")
    lab.lose(30, "tcp dport 1060 tcp flags syn", evenly=True)
    host = lab.hosts["server"].v4
    found = lab.inside("client", lambda: run(connect, host=host, port=1060, times=20))
    loss = next(each for each in found.signals if each.id == "net.loss")
    assert loss.data["loss"] == found.data["loss"] == 5.0 * found.data["ends"]["timeout"]
    # Of the first connection a lost packet is sent again: 20 or 21 packets, of ten of which three are lost.
    assert 5 <= found.data["ends"]["timeout"] <= 7


@pytest.fixture(scope="module")
def lossy() -> Iterator[Lab]:
    if reason := why_not():
        pytest.skip(reason)
    with Lab() as made:
        made.host("client")
        made.host("server")
        made.host("far", Link(delay=DELAY))
        made.lose(30, f"ip daddr {made.hosts['server'].v4}", evenly=True)
        made.lose(30, f"ip6 daddr {made.hosts['server'].v6} icmpv6 type echo-request", evenly=True)
        yield made


def many(lab: Lab, ask: asks.Ask) -> list[Answer]:
    """Twenty answers, as the client gets them."""
    live = Live(Here())
    return lab.inside("client", lambda: series.repeated(live.probe, ask, 20, at_once=True))


@VERSIONS
def test_a_loss_of_30_percent_is_found_by_20_probes(lossy: Lab, version: Version) -> None:
    found = many(lossy, asks.Echo(host=address(lossy, "server", version), seconds=0.5))
    spread = series.spread(found)
    assert (spread.sent, spread.lost, spread.loss) == (20, 6, 30.0)
    assert spread.ends == {"timeout": 6}
    assert "loss 30 %" in spread.line()


@VERSIONS
@pytest.mark.parametrize("by", [link_by()])
def test_the_delay_of_a_link_shows_in_every_percentile(lossy: Lab, version: Version, by: str) -> None:
    spread = series.spread(many(lossy, asks.Connect(host=address(lossy, "far", version), port=9)))
    assert spread.ends == {"refused": 20}
    spread = series.spread(many(lossy, asks.Echo(host=address(lossy, "far", version))))
    assert spread.good == 20
    assert 2 * DELAY <= spread.least <= spread.p50 <= spread.p95 <= spread.most


@VERSIONS
def test_what_the_kernel_remembers_of_a_path_is_not_what_the_link_carries(
    narrow: Lab, version: Version
) -> None:
    for _ in range(2):
        found = traced(narrow, "small", version)
        assert (found.mtu, found.link_mtu, found.silent) == (1400, 1500, False)


@pytest.fixture(scope="module")
def tunnel() -> Iterator[Lab]:
    """A host behind a tunnel that says nothing, which like any answers a handful at once, then one a second;
    and one that the first large packet to is lost."""
    if reason := why_not():
        pytest.skip(reason)
    with Lab() as made:
        made.host("client")
        few, once = made.host("few"), made.host("once")
        made.run("few", "sh", "-c", "echo 1000 > /proc/sys/net/ipv4/icmp_ratelimit")
        made.rule("router", "forward", f"ip daddr {few.v4} meta length > 1492 drop")
        first = "meta length > 1400 limit rate 1/hour burst 1 packets"
        made.rule("router", "forward", f"ip daddr {once.v4} {first} drop")
        yield made


def test_a_size_that_passes_is_found_though_the_host_answers_few_at_once(tunnel: Lab) -> None:
    found = traced(tunnel, "few", "4")
    assert (found.mtu, found.link_mtu, found.silent) == (1492, 1500, True)


def test_a_large_packet_that_is_lost_once_does_not_count_as_too_large(tunnel: Lab) -> None:
    found = traced(tunnel, "once", "4")
    assert (found.mtu, found.link_mtu, found.silent) == (1500, 1500, False)
