"""The tools `trace` and `sockets`: on this machine, and their signals as functions of answers."""

import sys
from datetime import UTC, datetime

import pytest
from tools.network.signals.kernel import sockets as of_sockets
from tools.network.signals.tcp import traced
from tools.network.sockets import sockets
from tools.network.trace import trace

from opssquad import Ref, ToolError, asks
from opssquad.worlds.net.answers import Hop, SocketsSeen, Traced
from tests.tools.network.probing import ids, run

ABOUT = Ref(kind="Host", name="cart")
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


SIZES = {"mtu": 1500, "link_mtu": 1500}


def way(**more: object) -> Traced:
    told = {
        "ask": asks.Trace(host="cart"),
        "origin": "here",
        "at": AT,
        "reached": True,
        "address": "10.0.0.7",
    }
    hops = (Hop(number=1, address="10.0.0.1"), Hop(number=2, address="10.0.0.7"))
    return Traced.model_validate({**told, "hops": hops, "reached": True, **SIZES, **more})


@linux
async def test_the_way_to_this_machine_is_told() -> None:
    found = await run(trace, host="127.0.0.1")
    assert ids(found) == []
    assert found.data["hops"] == ["127.0.0.1"]
    assert found.data["reached"]
    assert found.commands == ("traceroute -n 127.0.0.1",)


@pytest.mark.parametrize("port", [-1, 65536])
async def test_a_port_out_of_range_is_refused_in_a_line(port: int) -> None:
    with pytest.raises(ToolError, match="port"):
        await run(trace, host="127.0.0.1", port=port)


def test_a_way_that_carries_less_is_harmless_where_senders_are_told_of_it() -> None:
    (told,) = traced(way(mtu=1400), ABOUT)
    (silent,) = traced(way(mtu=1400, silent=True), ABOUT)
    assert (told.id, told.severity, told.data["silent"]) == ("net.mtu", "info", False)
    assert (silent.severity, silent.data["mtu"], silent.data["link_mtu"]) == ("critical", 1400, 1500)
    assert list(traced(way(), ABOUT)) == []
    assert list(traced(way(mtu=0), ABOUT)) == []


def test_who_refuses_on_the_way_is_told_and_silence_is_not() -> None:
    why = "10.0.0.1 says: administratively prohibited"
    (found,) = traced(way(end="unreachable", why=why, reached=False), ABOUT)
    assert found.id == "net.unreachable"
    assert found.text == f"cart cannot be reached, asked from here: {why}"
    assert list(traced(way(end="timeout", reached=False, mtu=0), ABOUT)) == []


def seen(origin: str = "node/w2", **more: object) -> SocketsSeen:
    told = {"ask": asks.Sockets(origin=origin), "origin": f"node {origin}", "at": AT}
    return SocketsSeen.model_validate({**told, "ephemeral_range": (32768, 60999), **more})


@pytest.mark.parametrize(("count", "full"), [(94, False), (95, True), (100, True)])
def test_a_table_of_connections_is_full_from_95_percent_on(count: int, full: bool) -> None:
    found = list(of_sockets(seen(conntrack=count, conntrack_max=100)))
    assert [each.data["table"] for each in found] == (["conntrack"] if full else [])
    assert all((each.id, str(each.entity)) == ("net.table_full", "Node//w2") for each in found)


def test_a_table_of_which_no_limit_is_known_is_not_full() -> None:
    assert list(of_sockets(seen(conntrack=10, ephemeral_used=5, ephemeral_range=(0, 0)))) == []


def test_ephemeral_ports_run_out_towards_one_destination() -> None:
    (found,) = of_sockets(seen(ephemeral_used=28232))
    assert (found.data["table"], found.data["percent"]) == ("ephemeral", 100.0)


@pytest.mark.parametrize(
    ("out", "again", "told"),
    [(1000, 1000, False), (1001, 20, False), (1001, 21, True), (100_000, 1999, False)],
)
def test_retransmits_count_from_two_percent_of_more_than_a_thousand(out: int, again: int, told: bool) -> None:
    found = list(of_sockets(seen(segments_out=out, retransmitted=again)))
    assert [each.id for each in found] == (["net.retransmits"] if told else [])


def test_what_was_not_read_is_no_signal() -> None:
    assert list(of_sockets(seen(end="not_recorded", conntrack=100, conntrack_max=100))) == []


@linux
async def test_the_sockets_of_this_machine_are_told_and_every_signal_quotes_them() -> None:
    found = await run(sockets)
    assert found.data["end"] == "ok"
    assert "segments out=" in found.text
