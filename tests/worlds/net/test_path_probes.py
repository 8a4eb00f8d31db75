"""Trace and ping on loopback, and what the kernel says of ICMP errors, read strictly."""

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.worlds.net import asks
from opssquad.worlds.net.answers import Echoed, Hop, Traced
from opssquad.worlds.net.echo import checksum, is_reply, request
from opssquad.worlds.net.errqueue import ICMP, ICMP6, Said, parse
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.trace import Heard, way

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps ICMP errors")
LOCALS = pytest.mark.parametrize("address", ["127.0.0.1", "::1"])


def has(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, 0), family=family).close()
    except OSError:
        return False
    return True


@linux
@LOCALS
@pytest.mark.parametrize("port", [0, 1])
async def test_a_trace_to_this_machine_is_one_hop(address: str, port: int) -> None:
    if not has(address):
        pytest.skip(f"no {address} on this machine")
    found = await Live(Here()).probe(asks.Trace(host=address, port=port))
    assert isinstance(found, Traced)
    assert [hop.address for hop in found.hops] == [address]
    assert found.reached
    assert 0 < found.mtu == found.link_mtu


@linux
@LOCALS
async def test_this_machine_answers_an_echo_in_a_manner_that_is_named(address: str) -> None:
    if not has(address):
        pytest.skip(f"no {address} on this machine")
    found = await Live(Here()).probe(asks.Echo(host=address))
    assert isinstance(found, Echoed)
    assert (found.end, found.address) == ("ok", address)
    assert found.how in ("icmp", "udp")


@pytest.mark.parametrize("ask", [asks.Echo(host="127.0.0.1"), asks.Trace(host="127.0.0.1", port=80)])
async def test_a_destination_that_policy_refuses_is_sent_nothing(ask: asks.Ask) -> None:
    asked: list[tuple[str, str, int]] = []

    def refuses(host: str, address: str, port: int) -> str:
        asked.append((host, address, port))
        return "not that one"

    found = await Live(Here(refuses=refuses)).probe(ask)
    assert (found.end, found.why) == ("denied", "not that one")
    assert asked == [("127.0.0.1", "127.0.0.1", getattr(ask, "port", 0))]


@pytest.mark.parametrize("ask", [asks.Echo(host="no.invalid"), asks.Trace(host="no.invalid")])
async def test_a_name_without_an_address_is_unresolved(ask: asks.Ask) -> None:
    assert (await Live(Here()).probe(ask)).end == "unresolved"


def error(origin: int, kind: int, code: int, info: int = 0) -> bytes:
    four = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.0.0.1"))
    six = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, "fd00::1"), 0)
    return struct.pack("=IBBBBII", 113, origin, kind, code, 0, info, 0) + (six if origin == ICMP6 else four)


def test_an_error_names_who_said_it_and_what() -> None:
    assert parse(error(ICMP, 11, 0)) == Said(ICMP, "10.0.0.1", "time exceeded", 113, 0)
    assert parse(error(ICMP6, 1, 1)) == Said(ICMP6, "fd00::1", "administratively prohibited", 113, 0)
    assert parse(error(ICMP, 3, 4, info=1400)) == Said(ICMP, "10.0.0.1", "fragmentation needed", 113, 1400)


def test_an_error_that_has_no_words_is_told_by_its_numbers() -> None:
    found = parse(error(ICMP, 3, 99))
    assert found is not None
    assert found.words == "ICMP type 3 code 99"


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading_of_errors(data: bytes) -> None:
    found = parse(data)
    assert (found is None) == (len(data) < 16)


@given(st.binary(min_size=16, max_size=16))
def test_a_request_has_a_sum_that_a_host_accepts(sign: bytes) -> None:
    assert checksum(request(six=False, sign=sign)) == 0


@given(st.binary(max_size=64), st.booleans(), st.booleans())
def test_no_bytes_are_taken_for_a_reply_that_lack_the_sign(data: bytes, six: bool, raw: bool) -> None:
    assert not is_reply(data.replace(b"s", b""), six=six, raw=raw, sign=b"s" * 16)


def test_a_reply_is_known_by_its_sign_behind_the_header_of_ip() -> None:
    sign = b"0123456789abcdef"
    reply = b"\0\0" + request(six=False, sign=sign)[2:]
    assert is_reply(reply, six=False, raw=False, sign=sign)
    assert is_reply(b"\x45" + bytes(19) + reply, six=False, raw=True, sign=sign)
    assert not is_reply(reply, six=False, raw=False, sign=b"another, of 16 b")
    assert not is_reply(request(six=False, sign=sign), six=False, raw=False, sign=sign)


def heard(number: int, address: str = "", **more: bool) -> Heard:
    return Heard(Hop(number=number, address=address), **more)


def test_hops_end_at_the_first_that_is_final_and_silent_ones_behind_the_last_are_one() -> None:
    reached = {n: heard(n, "10.0.0.9", final=n > 1, reached=n > 1) for n in range(1, 5)}
    hops, last = way(reached)
    assert [hop.number for hop in hops] == [1, 2]
    assert last == reached[2]
    silent = {1: heard(1, "10.0.0.1"), 2: heard(2), 3: heard(3, "10.0.0.3"), 4: heard(4), 5: heard(5)}
    hops, last = way(silent)
    assert [hop.address for hop in hops] == ["10.0.0.1", "", "10.0.0.3", ""]
    assert last == silent[3]


def test_of_hops_that_the_deadline_left_out_the_number_is_told() -> None:
    hops, _ = way({2: heard(2, "10.0.0.2")})
    assert [(hop.number, hop.address) for hop in hops] == [(1, ""), (2, "10.0.0.2")]
    assert way({}) == ((), None)
