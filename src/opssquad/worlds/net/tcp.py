"""TCP from here: which addresses a host has, and a connection to the first that answers."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from opssquad.worlds.net.answers import Connected, End
from opssquad.worlds.net.asks import Connect, Family
from opssquad.worlds.net.errqueue import ICMP, ICMP6, listen, options, read
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
    errno.EINVAL: "not_possible",
    errno.EMFILE: "not_possible",
    errno.ENFILE: "not_possible",
    errno.ENOBUFS: "not_possible",
    errno.ENOMEM: "not_possible",
}
MOST_ADDRESSES = 4
"""Addresses of one name that are tried."""
APART = 0.25
"""Seconds after which the next address is tried beside those that have not answered yet (RFC 8305): a dead
one must not eat the deadline of the others."""


class Failed(Exception):
    """A probe that ended before it had what it asked for."""

    def __init__(self, end: End, why: str) -> None:
        super().__init__(why)
        self.end, self.why = end, why


def ended(error: OSError) -> Failed:
    """What an error of the kernel means for a probe."""
    number = error.errno or 0
    # In the kernel's words: asyncio has its own for a connection that failed, and no reason in them.
    why = os.strerror(number) if number > 0 else error.strerror or str(error)
    return Failed(ENDS.get(number, "unreachable"), why.lower())


def since(began: float) -> float:
    """Milliseconds from a moment of `time.perf_counter` to now."""
    return (time.perf_counter() - began) * 1000


async def addresses(host: str, family: Family) -> list[str]:
    """The addresses of a host by this machine's own ways (hosts file, search path, resolvers), link-local
    ones with their zone. Raises Failed."""
    known = as_address(host)
    if known:
        if family not in ("any", str(ipaddress.ip_address(known).version)):
            raise Failed("not_possible", f"{known} is no IPv{family} address")
        return [known]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, family=FAMILIES[family], type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Failed("unresolved", (error.strerror or str(error)).lower()) from error
    return list(dict.fromkeys(_zoned(each[4]) for each in found))[:MOST_ADDRESSES]


def _zoned(sockaddr: Sequence[object]) -> str:
    """The address of what `getaddrinfo` gives, which has the zone apart from it."""
    zone = sockaddr[3] if len(sockaddr) > 3 else 0
    bare = str(sockaddr[0]).partition("%")[0]
    return f"{bare}%{socket.if_indextoname(zone)}" if isinstance(zone, int) and zone else bare


@dataclass
class Opened:
    """A connection with what it took. The socket is not blocking, and its holder's to close."""

    socket: socket.socket
    address: str
    tried: tuple[str, ...]
    resolve_ms: float
    connect_ms: float


@dataclass
class Tries:
    """The addresses that are tried, in order, and how those ended that have; it is filled while it goes on,
    so that whoever ends it early knows how far it was."""

    order: list[str] = field(default_factory=list)
    ended: dict[str, Failed] = field(default_factory=dict)
    resolve_ms: float = 0.0

    @property
    def tried(self) -> tuple[str, ...]:
        """Those that something was sent to."""
        return tuple(
            each for each in self.order if each not in self.ended or self.ended[each].end != "denied"
        )

    def late(self, seconds: float) -> Failed:
        """How it ended where the deadline came first."""
        if not self.order:
            return Failed("unresolved", f"the lookup of its name had no answer in {seconds:g} s")
        return Failed("timeout", self.why(f"no answer in {seconds:g} s"))

    def last(self) -> Failed:
        """How the last one of them ended that was tried at all; without any, that the last was denied."""
        over = [self.ended[each] for each in self.order if each in self.ended]
        sent = [self.ended[each] for each in self.tried if each in self.ended]
        return (sent or over or [Failed("unresolved", "the name has no address")])[-1]

    def why(self, waiting: str) -> str:
        """How each ended, in one line; `waiting` is said of those that have not."""
        said = {each: str(self.ended[each]) if each in self.ended else waiting for each in self.order}
        if len(said) < 2:
            return next(iter(said.values()), waiting)
        return "; ".join(f"{each}: {why}" for each, why in said.items())


async def open_tcp(
    host: str, port: int, family: Family, here: Here, tries: Tries, *, address: str = ""
) -> Opened:
    """Connect to the first address of a host that answers, or to the one that is known. Raises Failed for how
    the last one ended, and for a destination that may not be probed; the deadline is the caller's."""
    began = time.perf_counter()
    # Policy is asked about the host that is probed, however it was typed.
    meant = as_host(host)
    found = await addresses(address or meant, family)
    tries.resolve_ms = since(began)
    return await open_any(found, meant, port, here, tries)


async def open_any(found: Sequence[str], host: str, port: int, here: Here, tries: Tries) -> Opened:
    """The same for addresses that are known already to be those of the host."""
    race = _Race(host, port, here, tries)
    try:
        won = await race.run(found)
    finally:
        await race.over()
    if won is None:
        raise tries.last()
    return won


class _Race:
    """Attempts to connect to several addresses; all but the first that succeeds are closed."""

    def __init__(self, host: str, port: int, here: Here, tries: Tries) -> None:
        self._host, self._port, self._here, self._tries = host, port, here, tries
        self._running: set[asyncio.Task[Opened | None]] = set()

    async def run(self, found: Sequence[str]) -> Opened | None:
        """The one that succeeded first; None where none did."""
        waiting = list(found)
        while waiting or self._running:
            if waiting:
                self._running.add(asyncio.create_task(self._attempt(waiting.pop(0))))
            done, _ = await asyncio.wait(
                self._running, timeout=APART if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for each in done:
                self._running.discard(each)
                if won := each.result():
                    self._running |= done - {each}
                    return won
        return None

    async def _attempt(self, address: str) -> Opened | None:
        self._tries.order.append(address)
        if why := self._here.refuses(self._host, address, self._port):
            self._tries.ended[address] = Failed("denied", why)
            return None
        began = time.perf_counter()
        try:
            opened = await _connect(address, self._port)
        except (OSError, Failed) as error:
            self._tries.ended[address] = error if isinstance(error, Failed) else ended(error)
            return None
        return Opened(opened, address, self._tries.tried, self._tries.resolve_ms, since(began))

    async def over(self) -> None:
        """End what still runs, and close what came second."""
        for each in self._running:
            each.cancel()
        if self._running:
            await asyncio.wait(self._running)
        for each in self._running:
            if not each.cancelled() and not each.exception() and (late := each.result()):
                late.socket.close()


async def _connect(address: str, port: int) -> socket.socket:
    its = options(address)
    opened = socket.socket(its.family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        # Else what a firewall says by ICMPv6 counts as nothing, and by IPv4 is told without its reason.
        listen(opened, its)
        await asyncio.get_running_loop().sock_connect(opened, sockaddr(address, port))
        listen(opened, its, on=False)
    except OSError:
        said = read(opened)
        opened.close()
        if said and said.origin in (ICMP, ICMP6):
            raise Failed("unreachable", f"{said.address} says: {said.words}") from None
        raise
    except BaseException:
        opened.close()
        raise
    return opened


def sockaddr(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address as the socket takes it: the zone of an IPv6 one is a number there. Raises Failed."""
    bare, _, zone = address.partition("%")
    if not zone:
        return (bare, port)
    try:
        return (bare, port, 0, socket.if_nametoindex(zone))
    except OSError as error:
        raise Failed("not_possible", f"no interface {zone!r} here") from error


async def connect(ask: Connect, here: Here) -> Connected:
    """Connect and close."""
    began, tries = time.perf_counter(), Tries()
    answer = partial(Connected, ask=ask, origin=here.words, at=here.now())
    try:
        async with asyncio.timeout(ask.seconds):
            opened = await open_tcp(ask.host, ask.port, ask.family, here, tries, address=ask.address)
    except TimeoutError:
        failed = tries.late(ask.seconds)
    except Failed as error:
        failed = Failed(error.end, tries.why("not tried")) if tries.order else error
    else:
        with contextlib.closing(opened.socket):
            return answer(
                ms=opened.connect_ms,
                address=opened.address,
                tried=opened.tried,
                resolve_ms=opened.resolve_ms,
            )
    return answer(
        end=failed.end,
        ms=since(began),
        why=failed.why,
        address=(tries.tried or tuple(tries.order) or ("",))[-1],
        tried=tries.tried,
        resolve_ms=tries.resolve_ms,
    )
