"""Names, asked of real DNS servers on hosts of their own: one right, one wrong, one far away."""

from collections.abc import Iterator

import pytest

from opssquad.worlds.net import asks
from opssquad.worlds.net.answers import Resolved
from tests.network.lab import Lab, Link, link_by, why_not

RIGHT, WRONG = "10.20.0.7", "10.66.0.66"
DELAY = 30.0
reason = why_not("dnsmasq")
pytestmark = pytest.mark.skipif(bool(reason), reason=reason)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A client, and servers that know `cart.shop.test`: each says where it is."""
    with Lab() as made:
        made.host("client")
        for host, link, address in (
            ("right", Link(), RIGHT),
            ("wrong", Link(), WRONG),
            ("late", Link(delay=DELAY), RIGHT),
        ):
            made.host(host, link)
            made.dnsmasq(host, {"cart.shop.test": address}, "shop.test")
        yield made


def asked(lab: Lab, server: str, name: str = "cart.shop.test.") -> Resolved:
    found = lab.ask("client", asks.Lookup(name=name, server=server))
    assert isinstance(found, Resolved)
    return found


@pytest.mark.parametrize("version", ["v4", "v6"])
def test_two_servers_that_differ_are_told_apart(lab: Lab, version: str) -> None:
    answers = {host: asked(lab, getattr(lab.hosts[host], version)) for host in ("right", "wrong")}
    assert {host: [each.data for each in found.records] for host, found in answers.items()} == {
        "right": [RIGHT],
        "wrong": [WRONG],
    }


def test_a_name_that_a_server_does_not_have_is_no_timeout(lab: Lab) -> None:
    found = asked(lab, lab.hosts["right"].v4, "basket.shop.test.")
    assert (found.end, found.status, found.records) == ("ok", "NXDOMAIN", ())


@pytest.mark.parametrize("by", [link_by()])
def test_a_server_that_is_far_answers_rightly_and_late(lab: Lab, by: str) -> None:
    found = asked(lab, lab.hosts["late"].v4)
    assert [each.data for each in found.records] == [RIGHT]
    assert found.ms >= 2 * DELAY


def test_a_host_without_a_server_is_told_as_such(lab: Lab) -> None:
    assert asked(lab, lab.hosts["client"].router4).end == "refused"
