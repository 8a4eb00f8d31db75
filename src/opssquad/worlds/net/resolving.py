"""Names of a recorded network: asked of its servers along the search path, as the C library asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from opssquad.worlds.net import names
from opssquad.worlds.net.answers import DnsRecord, End, Resolved
from opssquad.worlds.net.asks import Family, Lookup
from opssquad.worlds.net.dns import FINAL, MOST_SERVERS, asked, candidates, rank
from opssquad.worlds.net.dns import server as server_at
from opssquad.worlds.net.query import PORT, shown
from opssquad.worlds.net.told import Server
from opssquad.worlds.net.view import Luck, View
from opssquad.worlds.net.zones import Reply, Zones

TYPES = {"4": ("A",), "6": ("AAAA",), "any": ("A", "AAAA")}
SILENT = {"servfail": "SERVFAIL", "refused": "REFUSED", "nxdomain": "NXDOMAIN"}
"""What servers and zones that tell nothing else answer, as DNS calls it."""


@dataclass(frozen=True)
class Said:
    """What came of one question to one server."""

    reply: Reply = Reply()
    end: End = "ok"
    why: str = ""
    ms: float = 0.0
    server: Server | None = None
    name: str = ""


@dataclass
class Asking:
    """A question under way from one place: what was tried, and how long it took in milliseconds."""

    view: View
    origin: str
    luck: Luck
    seconds: float
    tried: list[str] = field(default_factory=list)
    ms: float = 0.0

    def ask(self, name: str, kind: str, server: str) -> Said:
        """The best of the answers along the search path: a name that is there without such records tells
        more than one that is not."""
        place = self.view.origin(self.origin)
        given = [server_at(server)] if server else [(each, PORT) for each in place.resolvers[:MOST_SERVERS]]
        if not given:
            return Said(end="not_recorded", why="what resolvers it asks was not recorded")
        best: Said | None = None
        for full in candidates(name, tuple(place.search), place.ndots):
            self.tried.append(full)
            said = self._of_any(full, kind, given)
            if said.end != "ok":
                return said
            if best is None or _rank(said) > _rank(best):
                best = said
            if _rank(said) >= FINAL:
                break
        assert best, "there is always a name to try"
        return best

    def _of_any(self, name: str, kind: str, servers: Sequence[tuple[str, int]]) -> Said:
        """The first answer that is one; the next server is asked where one gives none."""
        said = Said()
        for address, port in servers:
            said = self._of_one(name, kind, address, port, self.seconds / len(servers))
            self.ms += said.ms
            if said.end in ("ok", "not_recorded") and said.reply.status in ("NOERROR", "NXDOMAIN", ""):
                break
        return said

    def _of_one(self, name: str, kind: str, address: str, port: int, seconds: float) -> Said:
        server = self.view.server(address, port, self.origin)
        if server is None:
            return Said(end="not_recorded", why=f"what the DNS server {address} answers was not recorded")
        said = partial(Said, server=server, name=name)
        late = server.answers == "silent" or server.ms > seconds * 1000
        if late or self.luck.lost(server.loss):
            return said(end="timeout", why=f"no answer in {seconds:g} s", ms=seconds * 1000)
        if server.answers == "unreachable":
            return said(end="unreachable", why="no route to host", ms=server.ms)
        reply = self._reply(server, name, kind)
        if not reply.status and server.others == "silent":
            return said(end="timeout", why=f"no answer in {seconds:g} s", ms=seconds * 1000)
        if not reply.status:
            return said(end="not_recorded", why=f"what {address} answers to {name} was not recorded")
        return said(reply, ms=server.ms)

    def _reply(self, server: Server, name: str, kind: str) -> Reply:
        if status := SILENT.get(server.answers):
            return Reply(status)
        instead = [each for line in self.view.records for each in _record(line)]
        found = Zones(self.view.zones(server), instead).reply(name, kind)
        return found if found.status else Reply(SILENT.get(server.others, ""))


def _rank(said: Said) -> int:
    return rank(said.reply.status, bool(said.reply.records))


def _record(line: str) -> list[DnsRecord]:
    """A line of a zone with a whole name as its records."""
    name, ttl, kind, data = line.split(None, 3)
    return [DnsRecord(name=name, ttl=int(ttl), type=kind, data=data)]


def lookup(ask: Lookup, view: View, luck: Luck) -> Resolved:
    """Ask, as `Lookup` says."""
    asking = Asking(view, ask.origin, luck, ask.seconds)
    said = asking.ask(asked(ask), ask.type, ask.server)
    reply, server = said.reply, said.server
    where = shown(server.address, server.port) if server else ""
    known = reply.status in ("NOERROR", "NXDOMAIN")
    return Resolved(
        ask=ask, origin=view.origin(ask.origin).says, at=view.now, end=said.end, why=said.why, ms=asking.ms,
        status=reply.status, tried=tuple(asking.tried), server=where,
        name=said.name or (asking.tried or [""])[-1], records=reply.records, authority=reply.authority,
        authoritative=bool(server and server.authoritative and known),
        secure=bool(server and server.secure and reply.records),
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The addresses of a host, or why it has none, with the full names that were tried."""

    addresses: tuple[str, ...] = ()
    end: End = "ok"
    why: str = ""
    names: tuple[str, ...] = ()
    ms: float = 0.0


def addresses(host: str, family: Family, asking: Asking) -> Found:
    """The addresses of a host from where it is asked."""
    bare = names.host(host)
    if names.address(bare):
        return Found((bare,))
    found: list[str] = []
    ends: list[Said] = []
    for kind in TYPES[family]:
        said = asking.ask(bare, kind, "")
        found += [each.data for each in said.reply.records if each.type == kind]
        ends.append(said)
    tried = tuple(dict.fromkeys([bare, *asking.tried]))
    if found:
        return Found(tuple(found), names=tried, ms=asking.ms)
    said = ends[0]
    if said.end == "not_recorded":
        return Found(end="not_recorded", why=said.why, names=tried)
    return Found(end="unresolved", why=_trouble(said), names=tried, ms=asking.ms)


def _trouble(said: Said) -> str:
    if said.end != "ok":
        return f"temporary failure in name resolution ({said.why})"
    match said.reply.status:
        case "NXDOMAIN":
            return "name or service not known"
        case "NOERROR":
            return "no address associated with hostname"
    return f"temporary failure in name resolution ({said.reply.status})"
