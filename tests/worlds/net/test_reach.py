"""The bound against scanning: many destinations or ports in a while are refused, whoever asks for what."""

import ipaddress

import pytest

from opssquad.worlds.net import asks
from opssquad.worlds.net.here import Here, anywhere
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.reach import DESTINATIONS, PLACES, PORTS, STRETCH, Bounded


def hosts(count: int) -> list[tuple[str, str]]:
    first = int(ipaddress.IPv4Address("10.0.0.1"))
    return [(f"host-{n}", str(ipaddress.IPv4Address(first + n))) for n in range(count)]


def test_sixty_destinations_are_enough_and_the_reason_is_one_line() -> None:
    bounded = Bounded(anywhere)
    assert [bounded(host, address, 80) for host, address in hosts(DESTINATIONS)] == [""] * 60
    why = bounded("one-more", "10.9.9.9", 80)
    assert why == "60 destinations in 10 minutes are enough: this is no scanner; ask again later"


def test_eight_ports_of_one_host_are_enough_whatever_it_is_called() -> None:
    bounded = Bounded(anywhere)
    assert [bounded(f"name-{port}", "10.0.0.1", port) for port in range(1, PORTS + 1)] == [""] * 8
    assert "8 ports of 10.0.0.1" in bounded("another", "10.0.0.1", 99)
    assert bounded("other-host", "10.0.0.2", 99) == ""


def test_what_was_admitted_may_be_asked_again_however_often() -> None:
    bounded = Bounded(anywhere)
    found = {bounded("cart", "10.0.0.1", port) for _ in range(100) for port in range(1, PORTS + 1)}
    assert found == {""}


def test_what_policy_refuses_counts_for_nothing() -> None:
    bounded = Bounded(lambda host, address, port: "no" if host == "secret" else "")
    assert {bounded("secret", f"10.1.0.{n}", 80) for n in range(200)} == {"no"}
    assert bounded("cart", "10.0.0.1", 80) == ""


def test_after_a_while_one_may_go_on() -> None:
    time = [0.0]
    bounded = Bounded(anywhere, lambda: time[0])
    for host, address in hosts(DESTINATIONS):
        bounded(host, address, 80)
    time[0] = STRETCH
    assert bounded("one-more", "10.9.9.9", 80)
    time[0] = STRETCH + 1
    assert bounded("one-more", "10.9.9.9", 80) == ""


def test_a_ping_takes_no_port_and_is_a_destination() -> None:
    bounded = Bounded(anywhere)
    for port in range(1, PORTS + 1):
        bounded("cart", "10.0.0.1", port)
    assert bounded("cart", "10.0.0.1", 0) == ""


async def test_a_scan_by_probes_ends_in_denied_before_the_ninth_port() -> None:
    live = Live(Here(refuses=Bounded(anywhere)))
    found = [await live.probe(asks.Connect(host="127.0.0.1", port=port)) for port in range(1, 11)]
    assert [each.end == "denied" for each in found] == [False] * 8 + [True] * 2
    assert "this is no scanner" in found[-1].why


def test_a_name_whose_address_changes_with_each_look_is_no_way_around_the_bound() -> None:
    bounded = Bounded(anywhere)
    told = [bounded("rebinds.example", address, 80) for _, address in hosts(PLACES + 1)]
    assert told[:-1] == [""] * PLACES
    assert told[-1].startswith(f"{PLACES} addresses in 10 minutes are enough")


def test_a_mapped_address_is_the_host_of_the_one_in_it() -> None:
    bounded = Bounded(anywhere)
    forms = ("10.0.0.1", "::ffff:10.0.0.1")
    assert [bounded("cart", forms[port % 2], port) for port in range(1, PORTS + 1)] == [""] * 8
    for each in forms:
        assert "8 ports of 10.0.0.1" in bounded("cart", each, 99)


@pytest.mark.parametrize(
    ("typed", "meant"), [("[::1]", "::1"), ("LOCALHOST", "localhost"), (" 127.0.0.1 ", "127.0.0.1")]
)
async def test_policy_is_asked_about_the_host_that_is_meant_however_it_was_typed(
    typed: str, meant: str
) -> None:
    asked: set[str] = set()

    def told(host: str, address: str, port: int) -> str:
        asked.add(host)
        return "no"

    live = Live(Here(refuses=told))
    for ask in (asks.Connect(host=typed, port=1), asks.Echo(host=typed), asks.Trace(host=typed)):
        assert (await live.probe(ask)).end == "denied"
    assert asked == {meant}
