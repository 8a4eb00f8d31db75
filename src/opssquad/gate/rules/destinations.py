"""Rules about where probes of the network may go: by host, address and port. Pure.

An address may have another one in it (IPv4 in IPv6 by NAT64, 6to4, Teredo): a rule that refuses goes by those
too, one that allows by the address as it is. An IPv4-mapped one is the IPv4 address, and nothing else.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from opssquad.gate.rules import patterns
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.patterns import Patterns
from opssquad.types import Value

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SPAN = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")))
"""NAT64's prefixes, and SIIT's."""


def _network(given: object) -> Network:
    if not isinstance(given, str | ipaddress.IPv4Network | ipaddress.IPv6Network):
        raise ValueError(f"give a network such as 10.0.0.0/8, not {given!r}")
    try:
        return ipaddress.ip_network(given)
    except ValueError as error:
        raise ValueError(f"{given} is no network: {error}") from None


def _span(given: object) -> tuple[int, int]:
    if isinstance(given, tuple):
        return given
    found = None if isinstance(given, bool) else _SPAN.fullmatch(str(given))
    if not found:
        raise ValueError(f"give a port or a range such as 8000-8100, not {given!r}")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{given}: ports go from 1 to 65535, the lower one first")
    return first, last


def _several(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


Networks = Annotated[
    tuple[Annotated[Network, BeforeValidator(_network)], ...], BeforeValidator(_several), Field(min_length=1)
]
Ports = Annotated[
    tuple[Annotated[tuple[int, int], BeforeValidator(_span)], ...],
    BeforeValidator(_several),
    Field(min_length=1),
]


class Destination(Value):
    """One rule. A key that is left out matches anything; of a list, one has to match. `ports` are numbers and
    ranges, both ends included; a probe without a port (ping) is only matched by a rule without them."""

    name: str = Field(min_length=1)
    verdict: Literal["allow", "refuse"]
    hosts: Patterns = ("*",)
    networks: Networks = ()
    ports: Ports = ()
    reason: str = ""

    def fit(self, host: str, address: str, port: int) -> Fit:
        """Whether it is about a destination; MAYBE where that depends on the address, and it is not known."""
        low = host.lower().rstrip(".")
        names = [patterns.matches(each.lower().rstrip("."), low) for each in self.hosts]
        return min(Fit(2 * any(names)), Fit(2 * self._has_port(port)), self._fit_address(address))

    def _has_port(self, port: int) -> bool:
        return not self.ports or any(first <= port <= last for first, last in self.ports)

    def _fit_address(self, address: str) -> Fit:
        if not self.networks:
            return Fit.YES
        if not address:
            return Fit.MAYBE
        meant = list(forms(address))
        held = meant if self.verdict == "refuse" else meant[:1]
        return Fit(2 * any(each in network for each in held for network in self.networks))

    def says(self) -> str:
        """Why it refuses, in words."""
        return f"{self.reason or 'it is not to be probed'} (rule {self.name!r})"

    def covers(self, other: "Destination") -> bool:
        """Whether certainly every destination that the other rule fits, this one fits too."""
        lower = [[each.lower().rstrip(".") for each in rule.hosts] for rule in (self, other)]
        # One that allows goes by fewer addresses than one that refuses.
        as_wide = not self.networks or self.verdict == "refuse" or other.verdict == "allow"
        return (
            as_wide
            and patterns.covers(*lower)
            and _all_within(other.networks, self.networks)
            and (not self.ports or bool(other.ports) and all(_in(each, self.ports) for each in other.ports))
        )


def _all_within(narrow: Sequence[Network], wide: Sequence[Network]) -> bool:
    return not wide or bool(narrow) and all(any(_within(each, one) for one in wide) for each in narrow)


def _within(narrow: Network, wide: Network) -> bool:
    if isinstance(narrow, ipaddress.IPv4Network):
        return isinstance(wide, ipaddress.IPv4Network) and narrow.subnet_of(wide)
    return isinstance(wide, ipaddress.IPv6Network) and narrow.subnet_of(wide)


def _in(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= span[0] and span[1] <= last for first, last in spans)


def forms(address: str) -> Iterator[Address]:
    """An address without its zone, and then those that are in it. Raises ValueError for what is none."""
    bare = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(bare, ipaddress.IPv4Address):
        yield bare
        return
    if bare.ipv4_mapped:
        yield bare.ipv4_mapped
        return
    yield bare
    last = ipaddress.IPv4Address(int(bare) & 0xFFFFFFFF)
    if bare.sixtofour:
        yield bare.sixtofour
    if bare.teredo:
        yield from bare.teredo
    if any(bare in each for each in _TRANSLATED) or bare in _COMPATIBLE and int(bare) > 1:
        yield last
    # ISATAP: the address stands behind these 32 bits of any prefix.
    if (int(bare) >> 32) & 0xFDFFFFFF == 0x5EFE:
        yield last
