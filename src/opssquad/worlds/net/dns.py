"""DNS from here: one question, along the search path, to the system's resolvers or to one server."""

import asyncio
import ipaddress
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import dns.exception
import dns.resolver
import dns.reversename

from opssquad.errors import ToolError
from opssquad.worlds.net import names
from opssquad.worlds.net.answers import DnsRecord, End, Resolved
from opssquad.worlds.net.asks import Lookup
from opssquad.worlds.net.here import Here, Resolvers
from opssquad.worlds.net.query import PORT, Reply, Sets, ask_server, shown
from opssquad.worlds.net.tcp import Failed, since

RESOLV_CONF = Path("/etc/resolv.conf")
MOST_SERVERS, MOST_RECORDS = 3, 100
"""Servers that are asked, as in glibc; records of an answer that are kept."""
FINAL = 3
"""The rank of an answer from which it ends the search along the path."""
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](?::(?P<port6>\d{1,5}))?|(?P<four>[\d.]+):(?P<port4>\d{1,5})")


def server(text: str) -> tuple[str, int]:
    """`address`, `address:port` or `[address]:port` as both. Raises ToolError."""
    bare = text.strip()
    found = _WITH_PORT.fullmatch(bare)
    host = (found["six"] or found["four"]) if found else bare
    address = names.address(host)
    if not address:
        raise ToolError(f"{text!r} is no DNS server: give its address, with :port if it is not {PORT}")
    given = (found["port6"] or found["port4"]) if found else None
    return address, names.port(int(given)) if given else PORT


def system() -> Resolvers:
    """What /etc/resolv.conf says. Raises Failed for a system without resolvers."""
    found = dns.resolver.Resolver(configure=False)
    try:
        found.read_resolv_conf(str(RESOLV_CONF))
        servers = tuple(str(each) for each in found.nameservers)
    except (dns.exception.DNSException, ValueError) as error:
        raise Failed("not_possible", f"{RESOLV_CONF} names no resolver: {error}") from error
    suffixes = found.search or ([found.domain] if found.domain and len(found.domain) > 1 else [])
    search = tuple(each.to_text(omit_final_dot=True) for each in suffixes)
    return Resolvers(servers, search, 1 if found.ndots is None else found.ndots)


def candidates(name: str, search: tuple[str, ...], ndots: int) -> list[str]:
    """The full names to try, in order, as the C library has it: with enough dots the name first, else last;
    with a final dot nothing but the name."""
    if name.endswith("."):
        return [name]
    along = [f"{name}.{each.rstrip('.')}." for each in search if each.strip(".")]
    fits = [each for each in along if len(each) <= names.LONGEST + 1]
    alone = f"{name}."
    return [alone, *fits] if name.count(".") >= ndots else [*fits, alone]


@dataclass
class _Search:
    """A question under way: what was tried, and the best answer by now."""

    tried: list[str] = field(default_factory=list)
    server: str = ""
    best: Reply | None = None

    def take(self, reply: Reply) -> bool:
        """Note a reply; whether it ends the search. A name that is there without such records tells more
        than a server that fails, and that more than a name that is not there."""
        if self.best is None or rank(reply.status, reply.found) > rank(self.best.status, self.best.found):
            self.best = reply
        return rank(reply.status, reply.found) >= FINAL


def rank(status: str, found: bool) -> int:
    """How much an answer tells, of those along the search path."""
    return 4 if found else {"NXDOMAIN": 0, "SERVFAIL": 1, "NOERROR": 2}.get(status, FINAL)


async def lookup(ask: Lookup, here: Here) -> Resolved:
    """Ask. That a name is not there is an answer (`status`); the end tells of servers that give none."""
    began, at = time.perf_counter(), here.now()
    given = server(ask.server) if ask.server else None
    name = asked(ask)
    search = _Search()
    end: End = "ok"
    why = ""
    try:
        async with asyncio.timeout(ask.seconds):
            await _search(search, ask, name, given, here)
    except TimeoutError:
        end, why = "timeout", f"no answer in {ask.seconds:g} s"
    except Failed as failed:
        end, why = failed.end, failed.why
    answer = partial(Resolved, ask=ask, origin=here.words, at=at, server=search.server)
    if search.best and end == "ok":
        return _told(search.best, partial(answer, tried=tuple(search.tried), ms=since(began)))
    return answer(
        end=end, why=why, ms=since(began), tried=tuple(search.tried), name=(search.tried or [""])[-1]
    )


def asked(ask: Lookup) -> str:
    """The name as it is asked for; for PTR the reverse name of an address. Raises ToolError."""
    bare = names.address(ask.name.strip().strip("[]"))
    if not bare:
        return names.host(ask.name)
    if ask.type != "PTR":
        raise ToolError(f"{bare} is an address: ask for its PTR record, or for {ask.type} of a name")
    return dns.reversename.from_address(str(ipaddress.ip_address(bare.partition("%")[0]))).to_text()


async def _search(search: _Search, ask: Lookup, name: str, given: tuple[str, int] | None, here: Here) -> None:
    known = here.resolvers or _known(given)
    servers = [given] if given else [server(each) for each in known.servers[:MOST_SERVERS]]
    if not servers:
        raise Failed("not_possible", "no resolver is known here")
    for each in candidates(name, known.search, known.ndots):
        search.tried.append(each)
        reply = await _from_any(search, each, ask, servers, here)
        if search.take(reply):
            return


def _known(given: tuple[str, int] | None) -> Resolvers:
    """The system's, of which only the search path counts where a server is given."""
    try:
        return system()
    except Failed:
        if given is None:
            raise
        return Resolvers(())


async def _from_any(
    search: _Search, name: str, ask: Lookup, servers: list[tuple[str, int]], here: Here
) -> Reply:
    """The first server's answer that is one; the next is asked where one gives none. Raises Failed as the
    last one did."""
    last: Reply | Failed = Failed("not_possible", "no resolver is known here")
    for address, port in servers:
        search.server = shown(address, port)
        if why := here.refuses(address, address, port):
            last = Failed("denied", why)
            continue
        try:
            last = await ask_server(name, ask.type, address, port, ask.seconds / len(servers), here)
        except Failed as failed:
            last = failed
            continue
        if last.status in ("NOERROR", "NXDOMAIN"):
            return last
    if isinstance(last, Failed):
        raise last
    return last


def _told(reply: Reply, answer: "partial[Resolved]") -> Resolved:
    records = list(_records(reply.answers))
    end: End = "too_much" if len(records) > MOST_RECORDS else "ok"
    return answer(
        end=end,
        why=f"{len(records)} records came, {MOST_RECORDS} are kept" if end != "ok" else "",
        status=reply.status,
        name=reply.name,
        server=reply.server,
        records=tuple(records[:MOST_RECORDS]),
        authority=tuple(_records(reply.authority))[:MOST_RECORDS],
        authoritative=reply.authoritative,
        secure=reply.secure,
        truncated=reply.truncated,
    )


def _records(sets: Sets) -> Iterator[DnsRecord]:
    for name, kind, ttl, values in sets:
        yield from (DnsRecord(name=name, type=kind, ttl=ttl, data=each) for each in values)
