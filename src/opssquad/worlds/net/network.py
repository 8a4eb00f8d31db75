"""The network handle that tools get; the same for live sockets and for a recording.

A probe is an `Ask`, what came of it an `Answer`. Nothing here or below writes: a probe opens what it must,
reads, and closes.
"""

from datetime import datetime
from typing import Protocol, TypeVar

from opssquad.errors import ToolError
from opssquad.findings import Quote
from opssquad.toolbox import Handle
from opssquad.types import Json
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.telling import lines, place

A = TypeVar("A", bound=answers.Answer)


class Backend(Protocol):
    """A place to probe from, live or recorded. `probe` answers with the kind of the ask, whatever comes of
    it, and raises ToolError only for what cannot be asked."""

    def now(self) -> datetime: ...
    def login(self) -> Json: ...
    def origins(self) -> dict[str, str]: ...
    def resolvers(self, origin: str) -> list[str]: ...
    async def probe(self, ask: asks.Ask) -> answers.Answer: ...


class Network(Handle):
    """The network as it is seen from one or more places. Every call raises ToolError in one line that says
    what to try."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def now(self) -> datetime:
        """The world's clock."""
        return self._backend.now()

    def login(self) -> Json:
        """From where it is probed, for the record."""
        return self._backend.login()

    def origins(self) -> dict[str, str]:
        """From where one can probe: names and, in words, what they are; `""` is here."""
        return self._backend.origins()

    def resolvers(self, origin: str = "") -> list[str]:
        """The DNS servers that a place asks, in its order."""
        return self._backend.resolvers(origin)

    async def lookup(self, ask: asks.Lookup) -> answers.Resolved:
        """Ask a DNS server for the records of a name."""
        return await self._probe(ask, answers.Resolved)

    async def connect(self, ask: asks.Connect) -> answers.Connected:
        """Open a TCP connection, and close it."""
        return await self._probe(ask, answers.Connected)

    async def shake(self, ask: asks.Shake) -> answers.Shaken:
        """Do a TLS handshake, and read the certificates."""
        return await self._probe(ask, answers.Shaken)

    async def fetch(self, ask: asks.Fetch) -> answers.Fetched:
        """Make an HTTP request."""
        return await self._probe(ask, answers.Fetched)

    async def trace(self, ask: asks.Trace) -> answers.Traced:
        """Find the hops to a host."""
        return await self._probe(ask, answers.Traced)

    async def echo(self, ask: asks.Echo) -> answers.Echoed:
        """Send one echo request."""
        return await self._probe(ask, answers.Echoed)

    async def sockets(self, ask: asks.Sockets) -> answers.SocketsSeen:
        """Read what the kernel says of its sockets."""
        return await self._probe(ask, answers.SocketsSeen)

    async def _probe(self, ask: asks.Ask, kind: type[A]) -> A:
        known = self.origins()
        if ask.origin not in known:
            places = ", ".join(["here", *filter(None, known)])
            raise ToolError(f"nothing probes from {ask.origin!r}; it is probed from: {places}")
        _read(ask)
        found = await self._backend.probe(ask)
        assert isinstance(found, kind), "a backend answers with the kind of the ask"
        return found


def _read(ask: asks.Ask) -> None:
    """Raises ToolError for a host or URL that is none, whatever answers the probe."""
    # Late: it brings Unicode's tables, and most conversations probe nothing.
    from opssquad.worlds.net import names

    match ask:
        case asks.Fetch():
            names.url(ask.url)
            if ask.host:
                names.host(ask.host)
        case asks.Lookup():
            names.host(ask.name)
        case asks.Shake():
            names.host(ask.host)
            names.host(ask.name or ask.host)
        case asks.Connect() | asks.Trace() | asks.Echo():
            names.host(ask.host)
        case asks.Sockets():
            pass


def probe_source(answer: answers.Answer) -> Quote:
    """An answer as a place that can be quoted: its lines."""
    return Quote(locator=place(answer.ask), text="\n".join(lines(answer)))


def probe_quote(answer: answers.Answer, *words: str) -> Quote:
    """The first line of an answer that holds all those words; its first line without any."""
    told = lines(answer)
    found = next((line for line in told if all(word in line for word in words)), told[0])
    return Quote(locator=place(answer.ask), text=found)
