"""DNS from here, against real servers on loopback: right, wrong, late, lying, truncated."""

import asyncio
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from opssquad.errors import ToolError
from opssquad.worlds.net.answers import Resolved
from opssquad.worlds.net.asks import Lookup
from opssquad.worlds.net.dns import candidates, lookup, server
from opssquad.worlds.net.here import Here, Resolvers
from opssquad.worlds.net.telling import lines
from tests.network.servers import Answer, closed_port, dns_server, silent, zone

HERE = Here(words="here (test)", resolvers=Resolvers(()))
CART = "cart.shop. 30 A 10.0.0.1"


async def asked(
    answer: Answer, name: str = "cart.shop.", kind: str = "A", seconds: float = 5.0, tcp: bool = True
) -> Resolved:
    async with dns_server(answer, tcp=tcp) as serving:
        ask = Lookup.model_validate({"name": name, "type": kind, "server": serving.place, "seconds": seconds})
        return await lookup(ask, HERE)


async def test_records_come_with_ttl_and_the_server_that_told_them() -> None:
    found = await asked(zone(CART, "cart.shop. 30 AAAA fd00::1"))
    assert (found.end, found.status, found.name) == ("ok", "NOERROR", "cart.shop.")
    assert [(each.name, each.type, each.ttl, each.data) for each in found.records] == [
        ("cart.shop.", "A", 30, "10.0.0.1")
    ]
    assert found.origin == "here (test)"
    assert lines(found)[0].startswith("lookup cart.shop. A @127.0.0.1:")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("MX", "10 mail.shop."), ("NS", "ns.shop."), ("SRV", "0 5 8080 cart-0.shop."),
        ("TXT", '"v=spf1 -all"'), ("CAA", '0 issue "ca.example"'),
        ("SOA", "ns.shop. root.shop. 7 3600 600 86400 30"),
    ],
)  # fmt: skip
async def test_each_type_is_told_as_zone_files_write_it(kind: str, data: str) -> None:
    found = await asked(zone(f"cart.shop. 60 {kind} {data}"), kind=kind)
    assert [each.data for each in found.records] == [data]


async def test_the_flags_are_those_of_the_server() -> None:
    found = await asked(zone(CART, flags=dns.flags.AA | dns.flags.AD))
    assert (found.authoritative, found.secure, found.truncated) == (True, True, False)
    found = await asked(zone(CART))
    assert (found.authoritative, found.secure) == (False, False)


async def test_a_validating_server_is_asked_for_its_word() -> None:
    seen: list[tuple[bool, bool]] = []

    def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
        seen.append((bool(query.flags & dns.flags.AD), bool(query.ednsflags & dns.flags.DO)))
        return dns.message.make_response(query).to_wire()

    await asked(answer)
    assert seen == [(True, True)]


@pytest.mark.parametrize("status", ["NXDOMAIN", "SERVFAIL", "REFUSED"])
async def test_a_server_that_says_no_has_answered(status: str) -> None:
    found = await asked(zone(CART, unknown=status), name="basket.shop.")
    assert (found.end, found.status, found.records) == ("ok", status, ())


async def test_the_authority_of_a_name_that_is_not_there_is_told() -> None:
    def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
        made = dns.message.make_response(query)
        made.set_rcode(dns.rcode.NXDOMAIN)
        soa = "ns.shop. root.shop. 7 3600 600 86400 30"
        made.authority = [dns.rrset.from_text("shop.", 300, "IN", "SOA", soa)]
        return made.to_wire()

    found = await asked(answer)
    assert [(each.name, each.type, each.ttl) for each in found.authority] == [("shop.", "SOA", 300)]


async def test_an_address_is_looked_up_backwards() -> None:
    found = await asked(zone("7.0.0.10.in-addr.arpa. 60 PTR cart.shop."), name="10.0.0.7", kind="PTR")
    assert [each.data for each in found.records] == ["cart.shop."]
    with pytest.raises(ToolError, match="is an address: ask for its PTR"):
        await asked(zone(CART), name="10.0.0.7")


async def test_a_closed_port_is_refused_and_silence_is_a_timeout() -> None:
    with closed_port() as port:
        found = await lookup(Lookup(name="cart.shop.", server=f"127.0.0.1:{port}"), HERE)
    assert (found.end, found.why) == ("refused", "connection refused")
    found = await asked(silent, seconds=0.2)
    assert (found.end, found.why) == ("timeout", "no answer in 0.2 s")


async def test_a_lost_packet_is_sent_again() -> None:
    times = 0

    def answer(query: dns.message.Message, by_tcp: bool) -> bytes | None:
        nonlocal times
        times += 1
        return zone(CART)(query, by_tcp) if times > 1 else None

    found = await asked(answer, seconds=3.0)
    assert (found.end, times) == ("ok", 2)


async def test_a_server_without_edns_is_asked_again_without() -> None:
    def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
        if query.edns < 0:
            return zone(CART)(query, by_tcp)
        # A header alone, as the oldest send it: FORMERR, and nothing in any section.
        return query.id.to_bytes(2, "big") + b"\x81\x81" + bytes(8)

    found = await asked(answer)
    assert (found.end, found.status, len(found.records)) == ("ok", "NOERROR", 1)


async def test_a_short_name_goes_along_the_search_path() -> None:
    async with dns_server(zone("cart.shop.svc. 30 A 10.0.0.1")) as serving:
        resolvers = Resolvers((serving.place,), ("other.svc", "shop.svc", "svc"), 5)
        here = Here(words="pod", resolvers=resolvers)
        found = await lookup(Lookup(name="cart"), here)
        absolute = await lookup(Lookup(name="cart."), here)
    assert found.tried == ("cart.other.svc.", "cart.shop.svc.")
    assert (found.status, found.name) == ("NOERROR", "cart.shop.svc.")
    assert (absolute.status, absolute.tried) == ("NXDOMAIN", ("cart.",))


async def test_a_name_without_such_records_tells_more_than_one_that_is_not_there() -> None:
    async with dns_server(zone("cart.shop. 30 AAAA fd00::1")) as serving:
        here = Here(words="pod", resolvers=Resolvers((serving.place,), ("shop", "svc"), 2))
        found = await lookup(Lookup(name="cart"), here)
    assert found.tried == ("cart.shop.", "cart.svc.", "cart.")
    assert (found.status, found.name, found.records) == ("NOERROR", "cart.shop.", ())


async def test_the_next_resolver_is_asked_where_the_first_is_gone() -> None:
    with closed_port() as port:
        async with dns_server(zone(CART)) as serving:
            servers = (f"127.0.0.1:{port}", serving.place)
            found = await lookup(Lookup(name="cart.shop."), Here(words="pod", resolvers=Resolvers(servers)))
    assert (found.status, found.server) == ("NOERROR", serving.place)


@pytest.mark.parametrize(
    ("name", "ndots", "tried"),
    [
        ("cart", 1, ["cart.a.b.", "cart.c.", "cart."]),
        ("cart.shop", 1, ["cart.shop.", "cart.shop.a.b.", "cart.shop.c."]),
        ("cart.shop", 5, ["cart.shop.a.b.", "cart.shop.c.", "cart.shop."]),
        ("cart.", 5, ["cart."]),
    ],
)
def test_dots_say_when_a_name_is_tried_as_it_is(name: str, ndots: int, tried: list[str]) -> None:
    assert candidates(name, ("a.b", "c."), ndots) == tried


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("10.0.0.1", ("10.0.0.1", 53)),
        ("10.0.0.1:5353", ("10.0.0.1", 5353)),
        ("fd00::1", ("fd00::1", 53)),
        ("[fd00::1]", ("fd00::1", 53)),
        ("[fe80::1%eth0]:5353", ("fe80::1%eth0", 5353)),
    ],
)
def test_a_server_is_an_address_with_or_without_a_port(text: str, place: tuple[str, int]) -> None:
    assert server(text) == place


@pytest.mark.parametrize(
    "text", ["dns.google", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:70000", "10.0.0:53", "[::1"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="is no DNS server|out of range"):
        server(text)


async def test_a_server_may_be_one_of_ipv6() -> None:
    async with dns_server(zone(CART), address="::1") as serving:
        found = await lookup(Lookup(name="cart.shop.", server=serving.place), HERE)
    assert (found.status, found.server) == ("NOERROR", serving.place)


async def test_a_server_in_a_zone_that_is_not_here_is_not_possible() -> None:
    found = await lookup(Lookup(name="cart.shop.", server="fe80::1%nowhere0"), HERE)
    assert found.end == "not_possible"
    assert found.why.startswith("fe80::1%nowhere0 is no address here")


async def test_the_destination_policy_holds_for_servers() -> None:
    here = Here(
        words="here", resolvers=Resolvers(()), refuses=lambda host, address, port: f"not {address}:{port}"
    )
    found = await lookup(Lookup(name="cart.shop.", server="127.0.0.1:53"), here)
    assert (found.end, found.why) == ("denied", "not 127.0.0.1:53")


async def test_the_deadline_holds_over_all_names_and_servers() -> None:
    async with dns_server(silent) as serving:
        resolvers = Resolvers((serving.place,) * 3, ("a", "b", "c"), 5)
        began = time.monotonic()
        found = await lookup(Lookup(name="cart", seconds=0.3), Here(words="pod", resolvers=resolvers))
    assert found.end == "timeout"
    assert time.monotonic() - began < 5


async def test_a_lookup_that_is_cancelled_leaves_no_socket(recwarn: pytest.WarningsRecorder) -> None:
    async with dns_server(silent) as serving:
        before = len(list(Path("/proc/self/fd").iterdir()))
        task = asyncio.create_task(lookup(Lookup(name="cart.shop.", server=serving.place), HERE))
        while not serving.asked:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(list(Path("/proc/self/fd").iterdir())) == before
