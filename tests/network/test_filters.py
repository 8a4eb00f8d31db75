"""What firewalls do to probes, on real hosts behind a real router: packets that vanish, or are refused."""

from typing import Literal

import pytest

from opssquad.worlds.net import asks
from opssquad.worlds.net.answers import Answer, Connected, Traced
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.tcp import Failed, Tries, open_any
from tests.network.lab import Lab

Version = Literal["4", "6"]
VERSIONS = pytest.mark.parametrize("version", ["4", "6"])
SHORT = 0.3


def address(lab: Lab, host: str, version: Version) -> str:
    its = lab.hosts[host]
    return its.v4 if version == "4" else its.v6


def connected(lab: Lab, version: Version, port: int) -> Answer:
    return lab.ask("client", asks.Connect(host=address(lab, "server", version), port=port, seconds=SHORT))


@VERSIONS
def test_a_port_that_nobody_listens_at_is_refused(lab: Lab, version: Version) -> None:
    assert connected(lab, version, 80).end == "refused"


@VERSIONS
def test_a_dropped_port_is_a_timeout_and_no_refusal(lab: Lab, version: Version) -> None:
    port = 1000 + int(version)
    lab.drop("server", port)
    found = connected(lab, version, port)
    assert isinstance(found, Connected)
    assert (found.end, found.address) == ("timeout", address(lab, "server", version))
    assert found.why == "no answer in 0.3 s"


@VERSIONS
def test_a_port_that_a_firewall_resets_is_refused(lab: Lab, version: Version) -> None:
    port = 1010 + int(version)
    lab.reset("server", port)
    assert connected(lab, version, port).end == "refused"


@VERSIONS
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("admin-prohibited", {"4": "administratively prohibited", "6": "administratively prohibited"}),
        ("port-unreachable", {"4": "port unreachable", "6": "port unreachable"}),
        ("host-unreachable", {"4": "host unreachable", "6": "address unreachable"}),
        ("no-route", {"4": "network unreachable", "6": "no route"}),
    ],
)
def test_a_port_that_a_router_rejects_is_unreachable_and_who_says_so_and_why_is_told(
    lab: Lab, version: Version, reason: str, said: dict[str, str]
) -> None:
    port = 1100 + sum(map(ord, reason)) + int(version)
    lab.reject(port, reason)
    client = lab.hosts["client"]
    router = client.router4 if version == "4" else client.router6
    found = connected(lab, version, port)
    assert (found.end, found.why) == ("unreachable", f"{router} says: {said[version]}")


@VERSIONS
def test_a_trace_to_a_rejected_port_ends_at_the_router_that_rejects(lab: Lab, version: Version) -> None:
    port = 1020 + int(version)
    lab.reject(port)
    found = lab.ask("client", asks.Trace(host=address(lab, "server", version), port=port))
    assert isinstance(found, Traced)
    assert (found.end, found.reached) == ("unreachable", False)
    assert found.hops[-1].said == "administratively prohibited"


def test_a_trace_to_a_dropped_port_tells_the_last_hop_that_answered(lab: Lab) -> None:
    lab.drop("server", 1030)
    ask = asks.Trace(host=lab.hosts["server"].v4, port=1030, hops=3, seconds=1)
    found = lab.ask("client", ask)
    assert isinstance(found, Traced)
    assert (found.end, found.reached) == ("ok", False)
    assert [hop.address for hop in found.hops] == [lab.hosts["client"].router4, ""]


def test_a_name_of_which_one_address_is_dead_is_reached_at_the_other(lab: Lab) -> None:
    its, tries = lab.hosts["server"], Tries()
    lab.start("server", "python3", "-c", LISTENS, its.v4, "1040", ready="listening")
    lab.rule("server", "input", f"ip6 daddr {its.v6} tcp dport 1040 drop")

    async def opened() -> str:
        won = await open_any([its.v6, its.v4], "cart", 1040, Here(), tries)
        won.socket.close()
        return won.address

    assert lab.inside("client", opened) == its.v4
    assert tries.tried == (its.v6, its.v4)


def test_a_name_of_which_all_addresses_fail_tells_how_each_did(lab: Lab) -> None:
    its, tries = lab.hosts["server"], Tries()
    lab.reject(1041)
    lab.rule("server", "input", "tcp dport 1041 drop")
    found = [lab.hosts["client"].v4, its.v4]
    with pytest.raises(Failed) as failed:
        lab.inside("client", lambda: open_any(found, "cart", 1041, Here(), tries))
    assert failed.value.end == "unreachable"
    prohibited = f"{lab.hosts['client'].router4} says: administratively prohibited"
    assert tries.why("no answer") == f"{found[0]}: connection refused; {its.v4}: {prohibited}"


LISTENS = """
import socket, sys, time
held = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
time.sleep(600)
"""
