"""How much may be probed: a bound, so that nobody scans a network, however the question is put."""

import ipaddress
import time
from collections.abc import Callable

from opssquad.worlds.net.here import Reach

DESTINATIONS = 60
"""Destinations, each a host and a port, in one stretch of time."""
PORTS = 8
"""Ports of one host, by its address whatever it is called: who diagnoses needs a few, who scans all."""
PLACES = 4 * DESTINATIONS
"""Addresses, each with a port: a name has several, but one whose addresses change with each look is no
way around the bound."""
STRETCH = 600.0
"""Seconds after which a destination that is probed no more counts no more: about the length of a question."""


class Bounded:
    """What refuses a destination, and then those beyond the bounds. One that was admitted stays so for the
    stretch. `seconds` is a clock that only goes forward."""

    def __init__(self, refuses: Reach, seconds: Callable[[], float] = time.monotonic) -> None:
        self._refuses, self._seconds = refuses, seconds
        self._destinations: dict[tuple[str, int], float] = {}
        self._places: dict[tuple[str, int], float] = {}

    def __call__(self, host: str, address: str, port: int) -> str:
        """Why it may not be probed; empty where it may, and then it counts."""
        if why := self._refuses(host, address, port):
            return why
        now = self._seconds()
        for kept in (self._destinations, self._places):
            for each in [each for each, at in kept.items() if now - at > STRETCH]:
                del kept[each]
        destination, place = (host.lower().rstrip("."), port), (_plain(address), port)
        if enough := self._enough(destination, place):
            return f"{enough} in {STRETCH / 60:g} minutes are enough: this is no scanner; ask again later"
        self._destinations[destination] = self._places[place] = now
        return ""

    def _enough(self, destination: tuple[str, int], place: tuple[str, int]) -> str:
        """What there were enough of; empty where one more may be probed."""
        address, port = place
        if destination not in self._destinations and len(self._destinations) >= DESTINATIONS:
            return f"{DESTINATIONS} destinations"
        if place in self._places:
            return ""
        if port and sum(each == address and bool(its) for each, its in self._places) >= PORTS:
            return f"{PORTS} ports of {address}"
        return f"{PLACES} addresses" if len(self._places) >= PLACES else ""


def _plain(address: str) -> str:
    """An address without its zone, an IPv4-mapped one as the IPv4 address that it is."""
    bare = ipaddress.ip_address(address.partition("%")[0])
    return str(bare.ipv4_mapped or bare) if isinstance(bare, ipaddress.IPv6Address) else str(bare)
