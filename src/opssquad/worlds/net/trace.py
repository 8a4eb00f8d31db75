"""The way to a host, hop by hop, and the largest packet that passes whole; without any rights.

A packet that may make n hops dies at the nth router, which says so by ICMP; the kernel keeps that for the
socket that sent it. UDP goes to ports that nobody listens at, TCP to the port that is asked about.
"""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from opssquad.together import together
from opssquad.worlds.net.answers import Hop, Traced
from opssquad.worlds.net.asks import Trace
from opssquad.worlds.net.errqueue import KEEPS, LOCAL, Options, Said, listen, options, read, stirred
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.mtu import Passing, largest
from opssquad.worlds.net.names import host as as_host
from opssquad.worlds.net.tcp import Failed, Tries, addresses, ended, since, sockaddr

FIRST = 33434
"""The UDP port of the first hop, as traceroute has it; each further hop has the next."""
AT_ONCE = 4
"""Hops that are asked side by side: a host answers a handful of packets at once, then one a second."""
TRIES = 2


@dataclass(frozen=True)
class Heard:
    """What came back for the packet of one hop. `final`: it got as far as it can."""

    hop: Hop
    final: bool = False
    reached: bool = False


@dataclass
class _Found:
    """What is known so far: a trace that its deadline ends tells that."""

    address: str = ""
    heard: dict[int, Heard] = field(default_factory=dict)
    passing: Passing = field(default_factory=Passing)


async def trace(ask: Trace, here: Here) -> Traced:
    """Find the hops, then the size of packets; what is not found by the deadline is left out."""
    began, found = time.perf_counter(), _Found()
    answer = partial(Traced, ask=ask, origin=here.words, at=here.now())
    failed: Failed | None = None
    try:
        async with asyncio.timeout(ask.seconds):
            await _find(ask, here, found)
    except Failed as error:
        failed = error
    except TimeoutError:
        failed = None if found.address else Tries().late(ask.seconds)
    hops, last = way(found.heard)
    told = partial(
        answer,
        ms=since(began),
        address=found.address,
        hops=hops,
        reached=last.reached if last else False,
        mtu=found.passing.size,
        link_mtu=found.passing.link,
        silent=found.passing.silent,
    )
    if failed:
        return told(end=failed.end, why=failed.why)
    if last is None:
        return told(end="timeout", why="nothing on the way answered")
    if last.final and not last.reached:
        return told(end="unreachable", why=f"{last.hop.address} says: {last.hop.said}")
    return told()


async def _find(ask: Trace, here: Here, found: _Found) -> None:
    if not KEEPS:
        raise Failed("not_possible", "only the kernel of Linux tells who dropped a packet")
    host = as_host(ask.host)
    found.address = (await addresses(host, "any"))[0]
    if why := here.refuses(host, found.address, ask.port):
        raise Failed("denied", why)
    for first in range(1, ask.hops + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, ask.hops + 1))
        await together(_hop(ask, each, found) for each in numbers)
        if any(each.final for each in found.heard.values()):
            break
    if any(each.reached for each in found.heard.values()):
        found.passing = await largest(found.address)


def way(heard: Mapping[int, Heard]) -> tuple[tuple[Hop, ...], Heard | None]:
    """The hops in order as far as any answered, and one silent one behind if there were more; and the last
    that answered, None if none did."""
    told = [heard.get(n) or Heard(Hop(number=n)) for n in range(1, max(heard, default=0) + 1)]
    end = next((number for number, each in enumerate(told, 1) if each.final), len(told))
    upto = max((number for number, each in enumerate(told[:end], 1) if each.hop.address), default=0)
    return tuple(each.hop for each in told[: min(upto + 1, end)]), told[upto - 1] if upto else None


def _wait(ask: Trace) -> float:
    """Seconds for one packet, so that all tries at all hops and the sizes have their time."""
    rounds = -(-ask.hops // AT_ONCE)
    return ask.seconds / (TRIES * rounds + 2)


async def _hop(ask: Trace, number: int, found: _Found) -> None:
    for _ in range(TRIES):
        try:
            heard = await _once(ask, found.address, number)
        except OSError as error:
            raise ended(error) from error
        found.heard[number] = heard or Heard(Hop(number=number))
        if heard:
            return


async def _once(ask: Trace, address: str, number: int) -> Heard | None:
    its, began = options(address), time.perf_counter()
    with _socket(its, number, tcp=ask.port > 0) as sock:
        if ask.port:
            begun = sock.connect_ex(sockaddr(address, ask.port))
            if begun not in (0, errno.EINPROGRESS, errno.ECONNREFUSED):
                raise OSError(begun, os.strerror(begun))
        else:
            sock.connect(sockaddr(address, FIRST + number - 1))
            sock.send(b"opssquad")
        if not await stirred(sock, _wait(ask), writes=ask.port > 0):
            return None
        ms, said = since(began), read(sock)
        if said and said.origin == LOCAL:
            raise OSError(said.errno, os.strerror(said.errno))
        if said:
            return _of_icmp(said, number, ms, address, its)
        if not ask.port:
            return Heard(Hop(number=number, address=address, ms=ms, said="answered"), True, True)
        return _of_tcp(sock, number, ms, address)


def _socket(its: Options, hops: int, *, tcp: bool) -> socket.socket:
    sock = socket.socket(its.family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
    sock.setblocking(False)
    listen(sock, its)
    sock.setsockopt(its.level, its.hops, hops)
    return sock


def _of_icmp(said: Said, number: int, ms: float, address: str, its: Options) -> Heard:
    hop = Hop(number=number, address=said.address, ms=ms, said=said.words)
    # A router may refuse with the very words that the host has for a closed port.
    reached = said.words == "port unreachable" and said.address == address.partition("%")[0]
    return Heard(hop, final=not said.expired, reached=reached)


def _of_tcp(sock: socket.socket, number: int, ms: float, address: str) -> Heard:
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error not in (0, errno.ECONNREFUSED, errno.ECONNRESET):
        raise OSError(error, os.strerror(error))
    words = "refused" if error else "connected"
    return Heard(Hop(number=number, address=address, ms=ms, said=words), final=True, reached=True)
