"""TCP from here: which addresses a host has, and a connection to the first that answers."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import time
from dataclasses import dataclass
from functools import partial

from opssquad.worlds.net.answers import Connected, End
from opssquad.worlds.net.asks import Connect, Family
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.names import address as as_address
from opssquad.worlds.net.names import host as as_host

FAMILIES = {"any": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}
ENDS: dict[int, End] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "not_possible",
    errno.EAFNOSUPPORT: "not_possible",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}
MOST_ADDRESSES = 4
"""Addresses of one name that are tried, one after another."""


class Failed(Exception):
    """A probe that ended before it had what it asked for."""

    def __init__(self, end: End, why: str) -> None:
        super().__init__(why)
        self.end, self.why = end, why


def ended(error: OSError) -> Failed:
    """What an error of the kernel means for a probe."""
    said = error.strerror or str(error)
    # asyncio names the address in place of the reason.
    said = os.strerror(error.errno) if error.errno and said.startswith("Connect call failed") else said
    return Failed(ENDS.get(error.errno or 0, "unreachable"), said.lower())


def since(began: float) -> float:
    """Milliseconds from a moment of `time.perf_counter` to now."""
    return (time.perf_counter() - began) * 1000


async def addresses(host: str, family: Family) -> list[str]:
    """The addresses of a host by this machine's own ways (hosts file, search path, resolvers). Raises
    Failed."""
    known = as_address(host)
    if known:
        return [known]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, family=FAMILIES[family], type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Failed("unresolved", (error.strerror or str(error)).lower()) from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))[:MOST_ADDRESSES]


@dataclass
class Opened:
    """A connection with what it took. The socket is not blocking, and its holder's to close."""

    socket: socket.socket
    address: str
    tried: tuple[str, ...]
    resolve_ms: float
    connect_ms: float


async def open_tcp(host: str, port: int, family: Family, here: Here) -> Opened:
    """Connect to the first address of a host that answers. Raises Failed for how the last one ended, and
    for a destination that may not be probed; the deadline is the caller's."""
    began = time.perf_counter()
    found = await addresses(as_host(host), family)
    resolve_ms, last = since(began), Failed("unresolved", "the name has no address")
    for number, each in enumerate(found, 1):
        if why := here.refuses(host, each, port):
            last = Failed("denied", why)
            continue
        began = time.perf_counter()
        try:
            opened = await _connect(each, port)
        except OSError as error:
            last = ended(error)
            continue
        return Opened(opened, each, tuple(found[:number]), resolve_ms, since(began))
    raise last


async def _connect(address: str, port: int) -> socket.socket:
    version = ipaddress.ip_address(address).version
    opened = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, _sockaddr(address, port))
    except BaseException:
        opened.close()
        raise
    return opened


def _sockaddr(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address as the socket takes it: the zone of an IPv6 one is a number there."""
    bare, _, zone = address.partition("%")
    if not zone:
        return (bare, port)
    try:
        return (bare, port, 0, socket.if_nametoindex(zone))
    except OSError as error:
        raise OSError(errno.EADDRNOTAVAIL, f"no interface {zone!r} here") from error


async def connect(ask: Connect, here: Here) -> Connected:
    """Connect and close."""
    began = time.perf_counter()
    answer = partial(Connected, ask=ask, origin=here.words, at=here.now())
    try:
        async with asyncio.timeout(ask.seconds):
            opened = await open_tcp(ask.host, ask.port, ask.family, here)
    except TimeoutError:
        return answer(end="timeout", ms=since(began), why=f"no answer in {ask.seconds:g} s")
    except Failed as failed:
        return answer(end=failed.end, ms=since(began), why=failed.why)
    with contextlib.closing(opened.socket):
        return answer(
            ms=opened.connect_ms,
            address=opened.address,
            tried=opened.tried,
            resolve_ms=opened.resolve_ms,
        )
