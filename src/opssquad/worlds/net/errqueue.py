"""What the kernel keeps of ICMP errors about a socket (IP_RECVERR), and options that differ by IP version.

It needs no rights: the kernel matches an error to the socket that sent the packet. The numbers are those of
linux/in.h, linux/in6.h and linux/errqueue.h, which Python's socket module lacks.
"""

import asyncio
import ipaddress
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass

KEEPS = sys.platform == "linux"
"""Whether the kernel keeps errors: no other one than Linux does, and the numbers mean other things there."""
MSG_ERRQUEUE = 0x2000
LOCAL, ICMP, ICMP6 = 1, 2, 3
"""Who an error comes from: this machine's kernel, or an ICMP packet."""
PROBE = 3
"""Packets are never cut up, and what the kernel learned of the path before does not bound them."""
_HEAD = struct.Struct("=IBBBBII")
_SAID4 = {
    (3, 0): "network unreachable", (3, 1): "host unreachable", (3, 2): "protocol unreachable",
    (3, 3): "port unreachable", (3, 4): "fragmentation needed", (3, 9): "network prohibited",
    (3, 10): "host prohibited", (3, 13): "administratively prohibited", (11, 0): "time exceeded",
}  # fmt: skip
_SAID6 = {
    (1, 0): "no route", (1, 1): "administratively prohibited", (1, 3): "address unreachable",
    (1, 4): "port unreachable", (1, 5): "policy failed", (1, 6): "route rejected", (2, 0): "packet too big",
    (3, 0): "time exceeded",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The numbers of socket options for one IP version; `overhead` is the size of its header and UDP's,
    `least` the packet that every path of it must carry."""

    family: socket.AddressFamily
    level: int
    errors: int
    hops: int
    discover: int
    mtu: int
    overhead: int
    least: int


V4 = Options(socket.AF_INET, socket.IPPROTO_IP, 11, socket.IP_TTL, 10, 14, 28, 576)
V6 = Options(socket.AF_INET6, socket.IPPROTO_IPV6, 25, socket.IPV6_UNICAST_HOPS, 23, 24, 48, 1280)


def options(address: str) -> Options:
    """Those of the address's version."""
    return V6 if ipaddress.ip_address(address).version == 6 else V4


@dataclass(frozen=True)
class Said:
    """An error about a packet: the address that said so, in words, the errno, and for a packet that is too
    large the size that would pass, 0 if it is not told."""

    origin: int
    address: str
    words: str
    errno: int
    info: int

    @property
    def expired(self) -> bool:
        """Whether a router on the way counted the packet out."""
        return self.words == "time exceeded"


def parse(data: bytes) -> Said | None:
    """A `sock_extended_err` with the address of the offender behind it; None for less than one."""
    if len(data) < _HEAD.size:
        return None
    number, origin, kind, code, _, info, _ = _HEAD.unpack_from(data)
    names = _SAID6 if origin == ICMP6 else _SAID4
    words = names.get((kind, code), f"ICMP type {kind} code {code}") if origin in (ICMP, ICMP6) else ""
    return Said(origin, _offender(data[_HEAD.size :]), words, number, info)


def _offender(sockaddr: bytes) -> str:
    family = int.from_bytes(sockaddr[:2], "little" if socket.htons(1) != 1 else "big")
    if family == socket.AF_INET and len(sockaddr) >= 8:
        return socket.inet_ntop(socket.AF_INET, sockaddr[4:8])
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        return socket.inet_ntop(socket.AF_INET6, sockaddr[8:24])
    return ""


def listen(sock: socket.socket, its: Options, *, on: bool = True) -> None:
    """Have the kernel keep errors for a socket, or forget them; nothing where it cannot."""
    if KEEPS:
        sock.setsockopt(its.level, its.errors, int(on))


def read(sock: socket.socket) -> Said | None:
    """The next error that is kept for a socket; None without any."""
    if not KEEPS:
        return None
    try:
        _, ancillary, _, _ = sock.recvmsg(512, 512, MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) in ((V4.level, V4.errors), (V6.level, V6.errors)):
            return parse(data)
    return None


async def stirred(sock: socket.socket, seconds: float, *, writes: bool = False) -> bool:
    """Wait until a socket can be read (with `writes`: written, as one that has connected) or has an error;
    False after that time."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writes else (loop.add_reader, loop.remove_reader)

    def stir() -> None:
        if not future.done():
            future.set_result(None)

    add(sock, stir)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(future, max(seconds, 0.0))
            return True
        return False
    finally:
        remove(sock)
