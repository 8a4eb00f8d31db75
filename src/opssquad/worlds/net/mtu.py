"""The largest packet that passes whole to a host, by UDP to a port that nobody listens at.

Where a router says what it can carry, that is heeded. Where larger packets vanish without a word (a router
whose ICMP is dropped), sizes that links commonly have are tried instead.
"""

import asyncio
import errno
import socket
import time
from dataclasses import dataclass

from opssquad.worlds.net.errqueue import LOCAL, PROBE, Options, listen, options, read, stirred
from opssquad.worlds.net.tcp import ended, sockaddr

PORT = 33434
LARGEST = 65535
"""Of a packet that can be sent at all; loopback says that it carries one byte more."""
PATIENCE = 0.5
"""Seconds for the first answer; later ones get a multiple of what that took."""
COMMON = (576, 1006, 1280, 1350, 1400, 1420, 1440, 1450, 1460, 1472, 1476, 1480, 1492, 1500, 4352, 8500, 9000)
"""Sizes that links and tunnels have. Few steps matter: a host answers a handful of packets, then one a
second."""
_STEPS = 6
_PAUSE, _AGAIN = 1.1, 2
"""Seconds after which a host that has answered enough answers one more, and how often that is awaited."""


@dataclass(frozen=True)
class Passing:
    """The size that passed, 0 if none is known; what this machine's own link carries; and whether larger
    packets vanish without a word."""

    size: int = 0
    link: int = 0
    silent: bool = False


async def largest(address: str) -> Passing:
    """Find it. The deadline is the caller's. Raises Failed."""
    its = options(address)
    try:
        link = size = _link(address, its)
        for _ in range(_STEPS):
            told, _ = await _sent(address, its, size, PATIENCE)
            if told == size:
                return Passing(size, link)
            if not 0 < told < size:
                break
            size = told
        return await _searched(address, its, size, link)
    except OSError as error:
        raise ended(error) from error


async def _searched(address: str, its: Options, vanished: int, link: int) -> Passing:
    """The largest of the common sizes that passes, where `vanished` did without a word."""
    told, took = await _sent(address, its, its.least, PATIENCE)
    if told != its.least:
        return Passing(link=link)
    known, patience = its.least, 4 * took + 0.1
    sizes = [*(each for each in COMMON if its.least < each < vanished), vanished]
    while sizes:
        known = await _halved(address, its, [known, *sizes[:-1]], patience)
        sizes = [each for each in sizes if each > known]
        # What was not answered may have been lost, or one more than the host answers at once.
        if not await _passes_late(address, its, sizes[0], patience):
            return Passing(known, link, silent=True)
        known = sizes.pop(0)
    return Passing(known, link)


async def _halved(address: str, its: Options, sizes: list[int], patience: float) -> int:
    """The largest of rising sizes that is answered, of which the first is."""
    while len(sizes) > 1:
        middle = len(sizes) // 2
        told, _ = await _sent(address, its, sizes[middle], patience)
        sizes = sizes[middle:] if told == sizes[middle] else sizes[:middle]
    return sizes[0]


async def _passes_late(address: str, its: Options, size: int, patience: float) -> bool:
    """Whether a size passes when the host may answer again."""
    for _ in range(_AGAIN):
        await asyncio.sleep(_PAUSE)
        told, _ = await _sent(address, its, size, patience)
        if told == size:
            return True
    return False


def _link(address: str, its: Options) -> int:
    """What the device towards it carries. A packet that is too large is not sent, and the kernel says so:
    IP_MTU would be what it remembers of the path."""
    with _open(address, its) as sock:
        try:
            sock.send(bytes(LARGEST - its.overhead))
        except OSError as error:
            said = read(sock)
            if error.errno != errno.EMSGSIZE or not said:
                raise
            return said.info
    return LARGEST


def _open(address: str, its: Options) -> socket.socket:
    sock = socket.socket(its.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(its.level, its.discover, PROBE)
        listen(sock, its)
        sock.connect(sockaddr(address, PORT))
    except BaseException:
        sock.close()
        raise
    return sock


async def _sent(address: str, its: Options, size: int, seconds: float) -> tuple[int, float]:
    """Send a packet of that size. What is known to pass (the size itself if the host answered, a smaller one
    that somebody told, 0 without an answer), and the seconds that it took."""
    began = time.perf_counter()
    with _open(address, its) as sock:
        sock.send(bytes(size - its.overhead))
        if not await stirred(sock, seconds):
            return 0, seconds
        took = time.perf_counter() - began
        said = read(sock)
        if said is None:
            return size, took
        if said.errno == errno.EMSGSIZE:
            return said.info, took
        if said.origin != LOCAL and said.address == address.partition("%")[0]:
            return size, took
        return 0, took
