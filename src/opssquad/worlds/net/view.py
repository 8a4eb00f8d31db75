"""A recorded network as it is at one moment: what was told, with what the cluster's mending has changed."""

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import dns.zone

from opssquad.errors import ToolError
from opssquad.worlds.kube.outcomes import holds
from opssquad.worlds.kube.recording.refs import split
from opssquad.worlds.net import asks
from opssquad.worlds.net.material import Material, Probed
from opssquad.worlds.net.recorded import ReadObject
from opssquad.worlds.net.telling import words
from opssquad.worlds.net.told import Heal, Listens, Origin, Path, Server

RESENT = (1000, 3000, 7000)
"""Milliseconds after the first packet of a connection at which it is sent again: one second, then two, then
four more (RFC 6298)."""


class Luck:
    """Which packets of one probe are lost: the same for the same seed, question and number of the probe."""

    def __init__(self, seed: int, key: str, number: int) -> None:
        self._about, self._packet = f"{seed} {key} {number}", 0

    def lost(self, percent: float) -> bool:
        """Whether the next packet is."""
        self._packet += 1
        drawn = hashlib.sha256(f"{self._about} {self._packet}".encode()).digest()
        return int.from_bytes(drawn[:4]) * 100 < percent * 2**32

    def opening(self, percent: float) -> float | None:
        """Milliseconds that the loss of first packets costs a connection; None where none came through."""
        for waited in (0, *RESENT):
            if not self.lost(percent):
                return waited
        return None


@dataclass(frozen=True)
class View:
    """What answers a probe. What stands first counts."""

    material: Material
    now: datetime
    servers: Sequence[Server] = ()
    listeners: Sequence[Listens] = ()
    hops: Sequence[Path] = ()
    records: Sequence[str] = ()
    forgets: Sequence[str] = ()

    def origin(self, name: str) -> Origin:
        """The place that is probed from."""
        return next(each for each in self.material.told.origins if each.name == name)

    def clock(self, name: str) -> datetime:
        """The time by that place's clock."""
        return self.now + timedelta(seconds=self.origin(name).clock_ahead)

    def server(self, address: str, port: int, origin: str) -> Server | None:
        """The DNS server at an address."""
        fits = (s for s in self.servers if (s.address, s.port) == (address, port) and s.for_origin(origin))
        return next(fits, None)

    def zones(self, server: Server) -> list[dns.zone.Zone]:
        """What a server answers from, the zones with the longest names first."""
        found = [self.material.zones[name] for name in server.zones]
        return sorted(found, key=lambda zone: -len(zone.origin.labels) if zone.origin else 0)

    def listening(self, place: "Place", port: int) -> Listens | None:
        """How a place answers at a port: by the one that tells of that port, else by one for all."""
        fits = [each for each in self.listeners if place.fits(each) and each.port in (port, 0)]
        return next((each for each in fits if each.port == port), fits[0] if fits else None)

    def path(self, place: "Place") -> Path | None:
        """The hops to a place."""
        return next((each for each in self.hops if place.fits(each)), None)

    def exact(self, ask: asks.Ask) -> list[Probed]:
        """The answers to this very question that were recorded and still hold."""
        if any(fnmatchcase(words(ask), each) for each in self.forgets):
            return []
        return self.material.probes.get(asks.key(ask), [])


@dataclass(frozen=True)
class Place:
    """Where a probe goes: an address, where it has one, and the names by which one came to it."""

    origin: str
    address: str = ""
    names: frozenset[str] = field(default_factory=frozenset)

    def fits(self, told: Listens | Path) -> bool:
        """Whether something is told of this place."""
        if not told.for_origin(self.origin):
            return False
        return not self.names.isdisjoint(_bare(told.hosts)) or (
            bool(self.address) and any(_within(self.address, each) for each in told.addresses)
        )


def _bare(hosts: Iterable[str]) -> set[str]:
    return {each.rstrip(".") for each in hosts}


def _within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network)


def view(material: Material, now: datetime, healed: Sequence[Heal] = ()) -> View:
    """The network at a moment, with what was mended by then."""
    told = material.told
    return View(
        material,
        now,
        [*(each for heal in healed for each in heal.servers), *told.servers],
        [*(each for heal in healed for each in heal.listeners), *told.listeners],
        [*(each for heal in healed for each in heal.hops), *told.hops],
        [each for heal in healed for each in heal.records],
        [each for heal in healed for each in heal.forgets],
    )


async def mended(material: Material, read: ReadObject | None) -> list[Heal]:
    """What was mended by now. Without a cluster to read nothing was."""
    return [each for each in material.told.heals if read and await _healed(each, read)]


async def _healed(heal: Heal, read: ReadObject) -> bool:
    """What may not be looked at is taken to be as it was."""
    try:
        found = {split(rule.ref): await read(*split(rule.ref)) for rule in heal.when}
    except ToolError:
        return False
    return all(holds(rule, lambda *key: found[key]) for rule in heal.when)
