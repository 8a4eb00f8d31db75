"""What a DNS server answers from zones: records, aliases, wildcards, and what is not there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dns.name
import dns.rdataset
import dns.rdatatype
import dns.zone

from opssquad.worlds.net.answers import DnsRecord

MOST_ALIASES = 8
"""CNAMEs that are followed, one after another."""


@dataclass(frozen=True)
class Reply:
    """What a server answered; without a status no zone tells of the name."""

    status: str = ""
    records: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()


@dataclass(frozen=True)
class Zones:
    """What one server answers from. `instead` are records that take the place of what their names have."""

    zones: Sequence[dns.zone.Zone]
    instead: Sequence[DnsRecord] = ()

    def reply(self, name: str, kind: str) -> Reply:
        """The answer to a question for a full name, aliases followed as far as the zones tell of them."""
        found: list[DnsRecord] = []
        for _ in range(MOST_ALIASES + 1):
            here = self._one(name, kind)
            found += here.records
            aliases = [each for each in here.records if each.type == "CNAME" != kind]
            if not aliases or here.status != "NOERROR":
                # An alias that leads out of the zones is told all the same.
                status = here.status or ("NOERROR" if found else "")
                return Reply(status, tuple(found), here.authority)
            name = aliases[0].data
        return Reply("SERVFAIL")

    def _one(self, name: str, kind: str) -> Reply:
        mine = [each for each in self.instead if each.name.lower() == name.lower()]
        if mine:
            return Reply("NOERROR", tuple(each for each in mine if each.type in (kind, "CNAME")))
        asked = dns.name.from_text(name)
        zone = next((each for each in self.zones if each.origin and asked.is_subdomain(each.origin)), None)
        if zone is None:
            return Reply()
        owner = _owner(zone, asked)
        if owner is None:
            return Reply("NXDOMAIN", authority=_soa(zone))
        sets = [zone.get_rdataset(owner, each) for each in (kind, "CNAME")]
        if rdataset := next(filter(None, sets), None):
            return Reply("NOERROR", tuple(_records(name, rdataset)))
        return Reply("NOERROR", authority=_soa(zone))


def _owner(zone: dns.zone.Zone, asked: dns.name.Name) -> dns.name.Name | None:
    """The name in the zone that answers: itself, or the wildcard below what is there of it (RFC 4592). A name
    that only has others below it is there as well, and has nothing."""
    if any(each.is_subdomain(asked) for each in zone.nodes):
        return asked
    closest = asked.parent()
    while not any(each.is_subdomain(closest) for each in zone.nodes):
        closest = closest.parent()
    wildcard = dns.name.Name((b"*", *closest.labels))
    return wildcard if wildcard in zone.nodes else None


def _records(name: str, rdataset: dns.rdataset.Rdataset) -> Iterator[DnsRecord]:
    kind = dns.rdatatype.to_text(rdataset.rdtype)
    yield from (
        DnsRecord(name=name, type=kind, ttl=rdataset.ttl, data=each.to_text(relativize=False))
        for each in rdataset
    )


def _soa(zone: dns.zone.Zone) -> tuple[DnsRecord, ...]:
    assert zone.origin, "a zone that was read has one"
    found = zone.get_rdataset(zone.origin, "SOA")
    return tuple(_records(zone.origin.to_text(), found)) if found else ()
