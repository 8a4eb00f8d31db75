"""Hosts of a recorded network: connections, echo, hops, TLS and HTTP, as they follow from what listens."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from opssquad.types import Json
from opssquad.worlds.net import asks
from tests.worlds.net.recorded import CLOCK, SERVER, network, pem, written

LISTENS = """\
listeners:
  - {addresses: [192.0.2.80], port: 443, ms: 3, certificate: edge, http: [{path: /, body: hello}]}
  - {addresses: [192.0.2.80], port: 80, http: [{path: "/*", status: 301, location: "https://www.tern.example/"}]}
  - {addresses: [192.0.2.80], answers: refused, ms: 2}
  - {addresses: [192.0.2.81], answers: timeout}
  - {addresses: [192.0.2.82], port: 25, answers: timeout}
  - {addresses: ["2001:db8::/32"], answers: unreachable}
  - {hosts: [pay.partner.example], port: 443, answers: reset}
"""
DAY = timedelta(days=1)


def folder(tmp_path: Path, more: str = "", begins: timedelta = -DAY, ends: timedelta = DAY) -> Path:
    edge = pem("www.tern.example", begins, ends)
    text = f"trusted: [edge]\n{SERVER}{LISTENS}{more}"
    return written(tmp_path, text, certificates__edge_pem=edge)


@pytest.mark.parametrize(
    ("host", "port", "end", "address"),
    [
        ("www.tern.example", 443, "ok", "192.0.2.80"),
        ("www.tern.example", 8080, "unreachable", "2001:db8::80"),
        ("192.0.2.80", 8080, "refused", "192.0.2.80"),
        ("new.apps.tern.example", 443, "timeout", "192.0.2.81"),
        ("gone.tern.example", 443, "unresolved", ""),
        ("192.0.2.82", 26, "not_recorded", ""),
        ("198.51.100.1", 80, "not_recorded", ""),
        ("pay.partner.example", 443, "ok", ""),
    ],
)
async def test_a_connection_ends_as_the_host_listens(
    tmp_path: Path, host: str, port: int, end: str, address: str
) -> None:
    found = await network(folder(tmp_path)).connect(asks.Connect(host=host, port=port))
    assert (found.end, found.address) == (end, address)
    assert bool(found.why) == (end != "ok")


async def test_all_addresses_are_tried_until_one_answers(tmp_path: Path) -> None:
    found = await network(folder(tmp_path)).connect(asks.Connect(host="www.tern.example", port=8080))
    assert found.tried == ("192.0.2.80", "2001:db8::80")
    six = await network(folder(tmp_path / "six")).connect(
        asks.Connect(host="www.tern.example", port=8080, family="6")
    )
    assert six.tried == ("2001:db8::80",)


async def test_a_listener_holds_for_the_origins_that_it_names(tmp_path: Path) -> None:
    told = """\
        listeners:
          - {addresses: [192.0.2.0/24], port: 80, answers: timeout, origins: [node/k2]}
          - {addresses: [192.0.2.0/24], port: 80}
        """
    net = network(written(tmp_path, told))
    ask = asks.Connect(host="192.0.2.7", port=80)
    assert (await net.connect(ask)).end == "ok"
    assert (await net.connect(ask.model_copy(update={"origin": "node/k2"}))).end == "timeout"


async def test_lost_packets_are_the_same_in_every_run_and_about_as_many_as_told(tmp_path: Path) -> None:
    told = "seed: 4\nlisteners:\n  - {addresses: [192.0.2.7], port: 80, loss: 30, echo: true}\n"
    here = written(tmp_path, told)

    async def pinged() -> list[str]:
        net = network(here)
        return [(await net.echo(asks.Echo(host="192.0.2.7"))).end for _ in range(200)]

    first, again = await pinged(), await pinged()
    assert first == again
    assert 40 <= first.count("timeout") <= 80


async def test_a_first_packet_that_is_lost_costs_a_connection_a_second(tmp_path: Path) -> None:
    told = "listeners:\n  - {addresses: [192.0.2.7], port: 80, loss: 40, ms: 5}\n"
    net = network(written(tmp_path, told))
    ask = asks.Connect(host="192.0.2.7", port=80)
    found = await asyncio.gather(*(net.connect(ask) for _ in range(100)))
    assert {each.ms for each in found if each.end == "ok"} == {5, 1005, 3005}
    assert {each.ms for each in found if each.end == "timeout"} == {5000}


@pytest.mark.parametrize(
    ("host", "end"),
    [
        ("192.0.2.80", "ok"),
        ("192.0.2.81", "timeout"),
        ("192.0.2.82", "not_recorded"),
        ("2001:db8::1", "unreachable"),
        ("gone.tern.example", "unresolved"),
    ],
)
async def test_an_echo_follows_from_what_is_known_of_the_host(tmp_path: Path, host: str, end: str) -> None:
    assert (await network(folder(tmp_path)).echo(asks.Echo(host=host))).end == end


async def test_hops_are_those_that_were_told(tmp_path: Path) -> None:
    hops = "{address: 10.0.0.1, ms: 0.4}, {}, {address: 192.0.2.80, ms: 9}"
    told = (
        f"hops:\n  - {{addresses: [192.0.2.80], mtu: 1400, link_mtu: 1500, silent: true, hops: [{hops}]}}\n"
    )
    net = network(written(tmp_path, told))
    found = await net.trace(asks.Trace(host="192.0.2.80"))
    assert [(each.number, each.address) for each in found.hops] == [
        (1, "10.0.0.1"),
        (2, ""),
        (3, "192.0.2.80"),
    ]
    assert (found.reached, found.mtu, found.link_mtu, found.silent) == (True, 1400, 1500, True)
    short = await net.trace(asks.Trace(host="192.0.2.80", hops=2))
    assert (len(short.hops), short.reached) == (2, False)
    assert (await net.trace(asks.Trace(host="192.0.2.81"))).end == "not_recorded"


async def test_what_a_kernel_said_is_told_for_its_origin_alone(tmp_path: Path) -> None:
    here = written(tmp_path, "")
    file = here / "network" / "network.yaml"
    told = file.read_text().replace(
        "clock_ahead: 3456000", "sockets: {conntrack: 65536, conntrack_max: 65536}"
    )
    file.write_text(told)
    found = await network(here).sockets(asks.Sockets(origin="node/k2"))
    assert (found.conntrack, found.conntrack_max) == (65536, 65536)
    assert (await network(here).sockets(asks.Sockets())).end == "not_recorded"


@pytest.mark.parametrize(
    ("begins", "ends", "origin", "faults"),
    [
        (-DAY, DAY, "", ()),
        (-2 * DAY, -DAY, "", ("expired",)),
        (-DAY, DAY, "node/k2", ("expired",)),
        (DAY, 60 * DAY, "", ("not_yet_valid",)),
        (DAY, 60 * DAY, "node/k2", ()),
    ],
)
async def test_a_certificate_is_judged_by_the_clock_of_who_looks(
    tmp_path: Path, begins: timedelta, ends: timedelta, origin: str, faults: tuple[str, ...]
) -> None:
    net = network(folder(tmp_path, begins=begins, ends=ends))
    ask = asks.Shake(host="192.0.2.80", name="www.tern.example", origin=origin)
    found = await net.shake(ask)
    assert (found.end, found.faults) == ("ok", faults)
    assert found.clock == CLOCK + timedelta(days=40 if origin else 0)
    assert found.chain[0].names == ("www.tern.example",)


async def test_a_certificate_for_another_name_is_wrong(tmp_path: Path) -> None:
    found = await network(folder(tmp_path)).shake(asks.Shake(host="192.0.2.80", name="pay.tern.example"))
    assert found.faults == ("wrong_name",)


@pytest.mark.parametrize(("port", "end"), [(80, "malformed"), (8443, "refused")])
async def test_no_handshake_comes_about_where_nothing_speaks_tls(tmp_path: Path, port: int, end: str) -> None:
    found = await network(folder(tmp_path)).shake(asks.Shake(host="192.0.2.80", port=port))
    assert (found.end, found.chain) == (end, ())


async def test_a_server_that_wants_a_certificate_of_the_client_says_so(tmp_path: Path) -> None:
    more = "  - {addresses: [192.0.2.90], port: 443, certificate: edge, requires_client: true}\n"
    found = await network(folder(tmp_path, more)).shake(
        asks.Shake(host="192.0.2.90", name="www.tern.example")
    )
    assert (found.end, found.alert) == ("refused_tls", "certificate required")


async def test_redirects_are_followed_over_hosts_and_ports(tmp_path: Path) -> None:
    net = network(folder(tmp_path))
    found = await net.fetch(asks.Fetch(url="http://www.tern.example/cart"))
    assert [(each.url, each.status) for each in found.steps] == [
        ("http://www.tern.example/cart", 301),
        ("https://www.tern.example/", 200),
    ]
    assert (found.end, found.body, found.faults) == ("ok", "hello", ())
    assert found.steps[0].headers == {"location": "https://www.tern.example/"}
    stopped = await net.fetch(asks.Fetch(url="http://www.tern.example/cart", follow=0))
    assert [each.status for each in stopped.steps] == [301]


@pytest.mark.parametrize(
    ("served", "end", "status"),
    [
        ({"path": "/*", "status": 302, "location": "/again"}, "too_much", 302),
        ({"path": "/*", "ends": "timeout"}, "timeout", 0),
        ({"path": "/*", "ends": "reset"}, "reset", 0),
        ({"path": "/*", "first_byte_ms": 9000}, "timeout", 0),
        ({"path": "/*", "status": 503}, "ok", 503),
        ({"path": "/other"}, "not_recorded", 0),
        ({"path": "/*", "hosts": ["a.tern.example"]}, "not_recorded", 0),
        ({"path": "/*", "status": 302, "location": "ftp://x/"}, "malformed", 302),
    ],
)
async def test_an_http_server_may_answer_badly(tmp_path: Path, served: Json, end: str, status: int) -> None:
    told = f"listeners: [{{addresses: [192.0.2.7], port: 80, http: [{served}]}}]\n"
    found = await network(written(tmp_path, told)).fetch(asks.Fetch(url="http://192.0.2.7/x"))
    assert (found.end, found.steps[-1].status) == (end, status)
