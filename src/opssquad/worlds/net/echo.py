"""Ping from here: by the manner that the kernel allows, which the answer names."""

import asyncio
import errno
import os
import socket
import struct
import time
from dataclasses import dataclass
from functools import partial

from opssquad.worlds.net.answers import Echoed
from opssquad.worlds.net.asks import Echo
from opssquad.worlds.net.errqueue import ICMP, ICMP6, V6, Said, listen, options, read, stirred
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.names import host as as_host
from opssquad.worlds.net.tcp import Failed, Tries, addresses, ended, since, sockaddr

CLOSED = 33434
"""A UDP port that nobody listens at: the first that traceroute uses, so that firewalls know it."""
_FORBIDDEN = (errno.EPERM, errno.EACCES, errno.EPROTONOSUPPORT)
_SIGNS = 16
"""Random bytes in a request, by which a raw socket knows the reply among those to others."""


@dataclass
class _Means:
    """A socket that an echo request can go out by."""

    sock: socket.socket
    how: str
    raw: bool = False


async def echo(ask: Echo, here: Here) -> Echoed:
    """Send one echo request and wait for what comes back."""
    began, address, how = time.perf_counter(), "", ""
    answer = partial(Echoed, ask=ask, origin=here.words, at=here.now())
    try:
        async with asyncio.timeout(ask.seconds):
            host = as_host(ask.host)
            address = (await addresses(ask.address or host, "any"))[0]
            if why := here.refuses(host, address, 0):
                raise Failed("denied", why)
            means = _means(address)
            how = means.how
            with means.sock:
                ms = await _ask(means, address)
    except TimeoutError:
        failed = Tries([address] if address else []).late(ask.seconds)
        return answer(end=failed.end, ms=since(began), why=failed.why, address=address, how=how)
    except Failed as failed:
        return answer(end=failed.end, ms=since(began), why=failed.why, address=address, how=how)
    return answer(ms=ms, address=address, how=how)


def _means(address: str) -> _Means:
    """Ping's own socket where ping_group_range lets us, else a raw one, else UDP. Raises Failed."""
    its = options(address)
    protocol = socket.IPPROTO_ICMPV6 if its is V6 else socket.IPPROTO_ICMP
    kinds = ((socket.SOCK_DGRAM, protocol, "icmp"), (socket.SOCK_RAW, protocol, "icmp"),
             (socket.SOCK_DGRAM, socket.IPPROTO_UDP, "udp"))  # fmt: skip
    for kind, number, how in kinds:
        try:
            sock = socket.socket(its.family, kind, number)
        except OSError as error:
            if error.errno not in _FORBIDDEN:
                raise ended(error) from error
            continue
        sock.setblocking(False)
        listen(sock, its)
        return _Means(sock, how, kind is socket.SOCK_RAW)
    raise Failed("not_possible", "the kernel allows neither ICMP nor UDP")


async def _ask(means: _Means, address: str) -> float:
    """Milliseconds until the host itself answered. Raises Failed for what anybody else said."""
    six = options(address) is V6
    sign, began = os.urandom(_SIGNS), time.perf_counter()
    port = CLOSED if means.how == "udp" else 0
    try:
        means.sock.connect(sockaddr(address, port))
        began = time.perf_counter()
        means.sock.send(sign if means.how == "udp" else request(six=six, sign=sign))
        while True:
            await stirred(means.sock, 60)
            if (said := read(means.sock)) and _answers(said, means.how, address):
                return since(began)
            if _reply(means, six=six, sign=sign):
                return since(began)
    except OSError as error:
        raise ended(error) from error


def _answers(said: Said, how: str, address: str) -> bool:
    """Whether an ICMP error is the host's own answer to UDP. Raises Failed for any other."""
    if how == "udp" and said.words == "port unreachable" and said.address == address.partition("%")[0]:
        return True
    if said.origin in (ICMP, ICMP6):
        raise Failed("unreachable", f"{said.address} says: {said.words}")
    raise ended(OSError(said.errno, os.strerror(said.errno)))


def _reply(means: _Means, *, six: bool, sign: bytes) -> bool:
    try:
        data = means.sock.recv(2048)
    except (BlockingIOError, ConnectionRefusedError):
        return False
    return means.how == "udp" or is_reply(data, six=six, raw=means.raw, sign=sign)


def request(*, six: bool, sign: bytes) -> bytes:
    """An echo request. The kernel sums up ICMPv6, and what a ping socket sends."""
    kind = 128 if six else 8
    number = int.from_bytes(sign[:2], "big")
    blank = struct.pack("!BBHHH", kind, 0, 0, number, 1) + sign
    return blank if six else struct.pack("!BBHHH", kind, 0, checksum(blank), number, 1) + sign


def checksum(data: bytes) -> int:
    """The sum of RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def is_reply(data: bytes, *, six: bool, raw: bool, sign: bytes) -> bool:
    """Whether a packet is the reply to a request with that sign. A raw socket of IPv4 gets the IP header
    too."""
    if raw and not six:
        data = data[(data[0] & 0x0F) * 4 :] if data else b""
    return len(data) >= 8 and data[0] == (129 if six else 0) and data[8:] == sign
