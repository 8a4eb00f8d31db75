"""One DNS question to one server: by UDP, and by TCP where the answer does not fit.

What comes back is checked before it is believed: id, question, lengths.
"""

import asyncio
import contextlib
import socket
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from opssquad.worlds.net.here import Here
from opssquad.worlds.net.streams import Plain, printable
from opssquad.worlds.net.tcp import Failed, Tries, ended, open_tcp
from opssquad.worlds.net.telling import host_port

PAYLOAD = 1232
"""Bytes that are taken by UDP: what passes every path whole (DNS flag day 2020)."""
SENT = 3
"""How often a question is sent by UDP: one lost packet is no server that does not answer."""
PORT = 53
HEADER = 12
"""Bytes of a message before its sections."""
_OLD = ("FORMERR", "NOTIMP", "BADVERS")
"""Codes of servers that do not know EDNS: they are asked again without."""
_BARE = (*_OLD, "REFUSED", "SERVFAIL")
"""Codes whose answers may leave the question out."""
_PROOFS = ("RRSIG", "NSEC", "NSEC3")
"""What only whoever validates needs."""
Sets = list[tuple[str, str, int, list[str]]]
"""Records by name, type and TTL."""


@dataclass(frozen=True)
class Reply:
    """What a server answered. `found`: there are records of the type asked for."""

    status: str
    name: str
    server: str
    answers: Sets
    authority: Sets
    found: bool
    authoritative: bool
    secure: bool
    truncated: bool


async def ask_server(name: str, kind: str, address: str, port: int, seconds: float, here: Here) -> Reply:
    """The reply of a server to the question for a full name. Raises Failed."""
    try:
        async with asyncio.timeout(seconds):
            reply = await _ask(name, kind, address, port, seconds, here, edns=True)
            if reply.rcode() and dns.rcode.to_text(reply.rcode()) in _OLD:
                reply = await _ask(name, kind, address, port, seconds, here, edns=False)
    except TimeoutError as error:
        raise Failed("timeout", f"no answer in {seconds:g} s") from error
    answers = _sets(reply.answer)
    return Reply(
        status=dns.rcode.to_text(reply.rcode()),
        name=name,
        server=shown(address, port),
        answers=answers,
        authority=_sets(reply.authority),
        found=any(each == kind for _, each, _, _ in answers),
        authoritative=bool(reply.flags & dns.flags.AA),
        secure=bool(reply.flags & dns.flags.AD),
        truncated=bool(reply.flags & dns.flags.TC),
    )


def shown(address: str, port: int) -> str:
    """A server as answers name it: its port only where it is not the usual one."""
    return address if port == PORT else host_port(address, port)


async def _ask(
    name: str, kind: str, address: str, port: int, seconds: float, here: Here, edns: bool
) -> dns.message.Message:
    query = dns.message.make_query(
        name, kind, use_edns=0 if edns else False, payload=PAYLOAD, want_dnssec=edns
    )
    query.flags |= dns.flags.AD
    wire = await _by_udp(query.to_wire(), address, port, seconds)
    if len(wire) > PAYLOAD:
        raise Failed("malformed", f"its answer has {len(wire)} bytes by UDP, {PAYLOAD} were allowed")
    checked(query, wire)
    if int.from_bytes(wire[2:4], "big") & dns.flags.TC:
        try:
            wire = await _by_tcp(query.to_wire(), address, port, here)
        except Failed as failed:
            raise Failed(failed.end, f"its answer does not fit UDP, and by TCP: {failed.why}") from failed
        checked(query, wire)
    return read(query, wire)


async def _by_udp(wire: bytes, address: str, port: int, seconds: float) -> bytes:
    try:
        with contextlib.closing(_connected(address, port)) as sock:
            for _ in range(SENT):
                with contextlib.suppress(TimeoutError):
                    return await _answer(sock, wire, seconds / SENT)
    except OSError as error:
        raise ended(error) from error
    raise Failed("timeout", f"no answer in {seconds:g} s")


async def _answer(sock: socket.socket, wire: bytes, seconds: float) -> bytes:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        await loop.sock_sendall(sock, wire)
        return await loop.sock_recv(sock, 65535)


def _connected(address: str, port: int) -> socket.socket:
    """A UDP socket that the kernel keeps others' packets from, and tells of a closed port."""
    try:
        # A numeric address: nothing is looked up, and the zone of an IPv6 one becomes a number.
        found = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        raise Failed("not_possible", f"{address} is no address here: {error.strerror}".lower()) from error
    family, kind, protocol, _, place = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        # For UDP that only notes the address: nothing is waited for.
        sock.connect(place)
    except BaseException:
        sock.close()
        raise
    return sock


async def _by_tcp(wire: bytes, address: str, port: int, here: Here) -> bytes:
    opened = await open_tcp(address, port, "any", here, Tries())
    with contextlib.closing(opened.socket):
        stream = Plain(opened.socket)
        await stream.send(len(wire).to_bytes(2, "big") + wire)
        came = b""
        while len(came) < 2 or len(came) < 2 + int.from_bytes(came[:2], "big"):
            if not (data := await stream.receive()):
                break
            came += data
    if not came:
        raise Failed("closed", "it hung up without an answer")
    said, sent = int.from_bytes(came[:2], "big"), max(len(came) - 2, 0)
    if sent != said or len(came) < 2:
        raise Failed("malformed", f"it says that its answer has {said} bytes, and sends {sent}")
    return came[2:]


def checked(query: dns.message.Message, wire: bytes) -> None:
    """That it is an answer, and to what was sent. Raises Failed."""
    if len(wire) < HEADER:
        raise Failed("malformed", f"its answer has {len(wire)} bytes, too few for DNS: {printable(wire)!r}")
    given = int.from_bytes(wire[:2], "big")
    if given != query.id:
        raise Failed("malformed", f"its answer has the id {given}, the question has {query.id}")
    if not wire[2] & 0x80:
        raise Failed("malformed", "it sends a question back, no answer")


def read(query: dns.message.Message, wire: bytes) -> dns.message.Message:
    try:
        reply = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        why = " ".join(str(error).split())
        raise Failed("malformed", f"its answer of {len(wire)} bytes cannot be read: {why}") from error
    left_out = not reply.question and dns.rcode.to_text(reply.rcode()) in _BARE
    if not left_out and reply.question != query.question:
        said = ", ".join(f"{each.name} {dns.rdatatype.to_text(each.rdtype)}" for each in reply.question)
        raise Failed("malformed", f"it answers another question: {said or 'none'}")
    return reply


def _sets(section: list[dns.rrset.RRset]) -> Sets:
    kinds = ((each, dns.rdatatype.to_text(each.rdtype)) for each in section)
    return [
        (each.name.to_text(), kind, each.ttl, [data.to_text() for data in each])
        for each, kind in kinds
        if kind not in _PROOFS
    ]
