"""DNS servers that cut, lie, or send what is no answer: each is one clear line, never a traceback."""

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.worlds.net import query as asking
from opssquad.worlds.net.answers import Resolved
from opssquad.worlds.net.asks import Lookup
from opssquad.worlds.net.dns import lookup
from opssquad.worlds.net.here import Here, Resolvers
from opssquad.worlds.net.tcp import Failed
from opssquad.worlds.net.telling import lines
from tests.network.servers import Answer, Framed, dns_server

HERE = Here(words="here (test)", resolvers=Resolvers(()))


async def asked(answer: Answer, tcp: bool = True) -> Resolved:
    async with dns_server(answer, tcp=tcp) as serving:
        return await lookup(Lookup(name="cart.shop.", server=serving.place), HERE)


def response(query: dns.message.Message, *addresses: str, cut: bool = False) -> bytes:
    made = dns.message.make_response(query)
    made.use_edns(False)
    made.flags |= dns.flags.TC if cut else 0
    made.answer = [dns.rrset.from_text("cart.shop.", 30, "IN", "A", *addresses)] if addresses else []
    return made.to_wire(max_size=65535)


def by_tcp_only(*addresses: str) -> Answer:
    """Cuts what it sends by UDP."""
    return lambda query, tcp: response(query, *addresses) if tcp else response(query, cut=True)


async def test_what_does_not_fit_udp_comes_by_tcp() -> None:
    async with dns_server(by_tcp_only(*(f"10.0.{number}.1" for number in range(90)))) as serving:
        found = await lookup(Lookup(name="cart.shop.", server=serving.place), HERE)
    assert serving.asked == ["cart.shop. udp", "cart.shop. tcp"]
    assert (found.end, len(found.records), found.truncated) == ("ok", 90, False)


async def test_a_server_that_cuts_its_answer_and_has_no_tcp_is_told_in_one_line() -> None:
    found = await asked(by_tcp_only("10.0.0.1"), tcp=False)
    assert found.end == "refused"
    assert found.why == "its answer does not fit UDP, and by TCP: connection refused"


async def test_more_records_than_are_kept_are_counted() -> None:
    found = await asked(by_tcp_only(*(f"10.{number // 200}.{number % 200}.1" for number in range(3000))))
    assert (found.end, len(found.records)) == ("too_much", 100)
    assert found.why == "3000 records came, 100 are kept"


Bend = Callable[[dns.message.Message, bytes], bytes]
LIES: dict[str, tuple[Bend, str]] = {
    "garbage": (lambda query, wire: wire[:2] + b"\x81\x80" + b"\xff" * 40, "cannot be read"),
    "short": (lambda query, wire: b"hello", "has 5 bytes, too few for DNS: 'hello'"),
    "another id": (
        lambda query, wire: (query.id ^ 1).to_bytes(2, "big") + wire[2:],
        "its answer has the id",
    ),
    "another question": (
        lambda query, wire: response(dns.message.make_query("other.shop.", "A", id=query.id)),
        "it answers another question: other.shop. A",
    ),
    "the question": (lambda query, wire: query.to_wire(), "it sends a question back"),
    "a count": (lambda query, wire: wire[:6] + (500).to_bytes(2, "big") + wire[8:], "cannot be read"),
    "cut short": (lambda query, wire: wire[:-2], "cannot be read"),
    "more behind": (lambda query, wire: wire + b"more", "cannot be read"),
    "oversize": (lambda query, wire: wire + b"\0" * 4000, "bytes by UDP, 1232 were allowed"),
}
"""What a server sends for a question and its right answer, and what is told of it."""


@pytest.mark.parametrize("lie", LIES)
async def test_an_answer_that_lies_is_malformed_in_one_line(lie: str) -> None:
    bend, why = LIES[lie]
    found = await asked(lambda query, tcp: bend(query, response(query, "10.0.0.1")))
    assert found.end == "malformed"
    assert why in found.why
    assert "\n" not in lines(found)[0]
    assert (found.status, found.records) == ("", ())


@pytest.mark.parametrize("said", [20, 500])
async def test_a_server_that_lies_about_lengths_by_tcp_is_malformed(said: int) -> None:
    def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
        wire = response(query, "10.0.0.1", cut=not by_tcp)
        return Framed.saying(said, wire) if by_tcp else wire

    found = await asked(answer)
    # 12 bytes of header, 15 of the question, 16 of the record.
    assert found.end == "malformed"
    assert f"says that its answer has {said} bytes, and sends 43" in found.why


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_malformed(tail: bytes) -> None:
    sent = dns.message.make_query("cart.shop.", "A", id=7)
    head = b"\0\7\x81\x80" + b"\0\1\0\1\0\0\0\0" + b"\4cart\4shop\0\0\1\0\1"
    for wire in (head + tail, b"\0\7\x81\x80" + tail, tail):
        try:
            asking.checked(sent, wire)
            asking.read(sent, wire)
        except Failed as failed:
            end = failed.end
        else:
            end = "ok"
        assert end in ("ok", "malformed")
