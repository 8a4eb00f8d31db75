"""How much may be probed: a bound, so that nobody scans a network, however the question is put."""

import time
from collections.abc import Callable, Hashable

from opssquad.worlds.net.here import Reach

DESTINATIONS = 60
"""Destinations, each a host and a port, in one stretch of time."""
PORTS = 8
"""Ports of one host, by its address whatever it is called: who diagnoses needs a few, who scans all."""
STRETCH = 600.0
"""Seconds after which a destination that is probed no more counts no more: about the length of a question."""


class Bounded:
    """What refuses a destination, and then those beyond the bounds. One that was admitted stays so for the
    stretch. `seconds` is a clock that only goes forward."""

    def __init__(self, refuses: Reach, seconds: Callable[[], float] = time.monotonic) -> None:
        self._refuses, self._seconds = refuses, seconds
        self._destinations: dict[Hashable, float] = {}
        self._ports: dict[Hashable, float] = {}

    def __call__(self, host: str, address: str, port: int) -> str:
        """Why it may not be probed; empty where it may, and then it counts."""
        if why := self._refuses(host, address, port):
            return why
        now = self._seconds()
        for kept in (self._destinations, self._ports):
            for each in [each for each, at in kept.items() if now - at > STRETCH]:
                del kept[each]
        destination, at_port = (host.lower().rstrip("."), port), (address, port)
        minutes = f"{STRETCH / 60:g} minutes"
        if destination not in self._destinations and len(self._destinations) >= DESTINATIONS:
            return f"{DESTINATIONS} destinations in {minutes} are enough: this is no scanner; ask again later"
        others = sum(each[0] == address for each in self._ports if isinstance(each, tuple))
        if port and at_port not in self._ports and others >= PORTS:
            return f"{PORTS} ports of {address} in {minutes} are enough: this is no scanner; ask again later"
        self._destinations[destination] = now
        if port:
            self._ports[at_port] = now
        return ""
