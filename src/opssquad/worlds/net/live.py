"""Probes from this machine, on real sockets."""

from datetime import datetime

from opssquad.types import Json
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.here import Here


class Live:
    """The network as this machine sees it; the only origin is here."""

    def __init__(self, here: Here) -> None:
        self._here = here

    def now(self) -> datetime:
        """The clock of the world, where one is given; else this machine's."""
        return self._here.now()

    def login(self) -> Json:
        """From where it is probed."""
        return {"from": self._here.words}

    def origins(self) -> dict[str, str]:
        """Here alone."""
        return {"": self._here.words}

    def resolvers(self, origin: str) -> list[str]:
        """The DNS servers that this machine asks; none where it names none."""
        from opssquad.worlds.net.dns import system
        from opssquad.worlds.net.tcp import Failed

        try:
            return list((self._here.resolvers or system()).servers)
        except Failed:
            # The lookup itself tells what is wrong.
            return []

    async def probe(self, ask: asks.Ask) -> answers.Answer:
        """Do it. Each kind is loaded when it is first asked for."""
        match ask:
            case asks.Connect():
                from opssquad.worlds.net.tcp import connect

                return await connect(ask, self._here)
            case asks.Lookup():
                from opssquad.worlds.net.dns import lookup

                return await lookup(ask, self._here)
            case asks.Shake():
                from opssquad.worlds.net.tls import shake

                return await shake(ask, self._here)
            case asks.Fetch():
                from opssquad.worlds.net.http import fetch

                return await fetch(ask, self._here)
            case asks.Trace():
                from opssquad.worlds.net.trace import trace

                return await trace(ask, self._here)
            case asks.Echo():
                from opssquad.worlds.net.echo import echo

                return await echo(ask, self._here)
            case asks.Sockets():
                from opssquad.worlds.net.kernel import sockets

                return await sockets(ask, self._here)
